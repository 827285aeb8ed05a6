import { Counter, Gauge, Histogram, isOffloopError } from '@offloop/core';
import { ScrapeCollectors } from '@offloop/core/internal/instruments/scrape-collectors.js';
import { processWarnings } from '@offloop/core/internal/logger.js';
import { expect } from 'chai';
import prom from 'prom-client';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

function pair() {
  const rig = new PipelineRig();
  return { rig, ours: [rig.registry], theirs: [new prom.Registry()] as const };
}

const G = { name: 'level', help: 'h' };

/** Resolves with the next process warning of ours. */
function nextWarning(): Promise<Error & { code?: string }> {
  return new Promise((resolve) => {
    const listen = (warning: Error & { code?: string }) => {
      if (warning.name !== 'OffloopWarning') return;
      process.off('warning', listen);
      resolve(warning);
    };
    process.on('warning', listen);
  });
}

describe('collect()', () => {
  it('runs before a page, JSON and get(), with the metric as this, as prom-client’s does', async () => {
    const { ours, theirs } = pair();
    const calls: unknown[] = [];
    const gauge = new Gauge({
      ...G,
      labelNames: ['a'],
      registers: ours,
      collect() {
        calls.push(this);
        this.set({ a: 'x' }, calls.length);
      },
    });
    let theirCalls = 0;
    const twin = new prom.Gauge({
      ...G,
      labelNames: ['a'],
      registers: [...theirs],
      collect() {
        this.set({ a: 'x' }, ++theirCalls);
      },
    });
    expect(await ours[0]?.metrics()).to.equal(await theirs[0].metrics());
    expect(await ours[0]?.getMetricsAsJSON()).to.deep.equal(await theirs[0].getMetricsAsJSON());
    expect((await gauge.get()).values).to.deep.equal((await twin.get()).values);
    expect(calls).to.deep.equal([gauge, gauge, gauge]);
  });

  it('is waited for when it is asynchronous, in counters and histograms too', async () => {
    const { rig, ours } = pair();
    new Counter({
      name: 'jobs_total',
      help: 'h',
      registers: ours,
      async collect() {
        await new Promise(setImmediate);
        this.inc(3);
      },
    });
    new Histogram({
      name: 'size',
      help: 'h',
      buckets: [1],
      registers: ours,
      async collect() {
        await Promise.resolve();
        this.observe(1);
      },
    });
    const page = await rig.registry.metrics();
    expect(page).to.include('jobs_total 3\n').and.include('size_count 1\n');
  });

  it('is the same for a single metric’s text', async () => {
    const { rig, ours } = pair();
    const gauge: Gauge = new Gauge({ ...G, registers: ours, collect: () => gauge.set(4) });
    expect(await rig.registry.getSingleMetricAsString('level')).to.equal(
      '# HELP level h\n# TYPE level gauge\nlevel 4',
    );
  });

  it('rejects the reading with what it throws, at once or later, as prom-client does', async () => {
    const { ours, theirs } = pair();
    for (const collect of [
      () => {
        throw new Error('broken');
      },
      async () => {
        await Promise.resolve();
        throw new Error('broken');
      },
    ]) {
      const sides = [
        { registry: ours[0], gauge: new Gauge({ ...G, registers: ours, collect }) },
        { registry: theirs[0], gauge: new prom.Gauge({ ...G, registers: [...theirs], collect }) },
      ];
      for (const { registry, gauge } of sides) {
        for (const read of [
          (): unknown => gauge.get(),
          (): unknown => registry?.metrics(),
          (): unknown => registry?.getMetricsAsJSON(),
        ]) {
          let reason: unknown;
          await Promise.resolve()
            .then(read)
            .catch((error: unknown) => {
              reason = error;
            });
          expect(reason).to.have.property('message', 'broken');
        }
        registry?.clear();
      }
    }
  });

  it('is refused when it is no function, in prom-client’s words', () => {
    const { ours } = pair();
    expect(
      refusalOf(
        'OFFLOOP_ERR_METRIC_CONFIG',
        () => new Gauge({ ...G, registers: ours, collect: 3 as never }),
      ),
    ).to.equal('Optional "collect" parameter must be a function');
  });

  it('does not lay memory out when the metric is declared', () => {
    const { rig, ours } = pair();
    new Gauge({ ...G, registers: ours, collect: () => undefined });
    expect(rig.pipeline.isStarted).to.equal(false);
  });
});

describe('collect() in a scrape', () => {
  it('that fails costs no other metric its fresh value, is counted and is reported once a minute', async () => {
    const { rig, ours } = pair();
    let level = 0;
    const good: Gauge = new Gauge({ ...G, registers: ours, collect: () => good.set(++level) });
    const bad = new Gauge({
      name: 'bad',
      help: 'h',
      registers: ours,
      collect: () => {
        throw new RangeError('no answer');
      },
    });
    bad.set(7);
    const warned = nextWarning();
    await rig.registry.collectForScrape();
    await rig.registry.collectForScrape();
    const warning = await warned;
    expect(warning.code).to.equal('OFFLOOP_ERR_COLLECT');
    expect(warning.message).to.include('bad').and.include('RangeError: no answer');
    expect(rig.pipeline.totals().collectErrors).to.equal(2);
    const page = await rig.pipeline.render({
      families: rig.registry.familyIds(),
      includePipeline: true,
    });
    expect(Buffer.from(page.bytes).toString())
      .to.include('\nlevel 2\n')
      .and.include('\nbad 7\n')
      .and.include('\noffloop_collect_errors_total 2\n');
  });

  it('that fails is reported to the logger that the application has chosen', async () => {
    const lines: [object, string][] = [];
    const rig = new PipelineRig();
    rig.pipeline.configure({
      logger: { warn: (details, message) => void lines.push([details, message]), error: () => {} },
    });
    const error = new Error('no answer');
    new Gauge({ ...G, registers: [rig.registry], collect: () => Promise.reject(error) });
    await rig.registry.collectForScrape();
    expect(lines).to.have.length(1);
    expect(lines[0]?.[0]).to.deep.equal({
      code: 'OFFLOOP_ERR_COLLECT',
      metric: G.name,
      err: error,
    });
  });

  it('that hangs holds the page up for its time only, and is not started again meanwhile', async () => {
    let failures = 0;
    let starts = 0;
    let finish: () => void = () => undefined;
    const collectors = new ScrapeCollectors(() => failures++, {
      logger: processWarnings,
      timeoutMs: 5,
    });
    const slow = {
      name: 'slow',
      collect: () => {
        starts++;
        return new Promise<void>((resolve) => {
          finish = resolve;
        });
      },
    };
    const quick = { name: 'quick', collect: () => undefined };
    const warned = nextWarning();
    await collectors.run([slow, quick]);
    await collectors.run([slow, quick]);
    expect([starts, failures]).to.deep.equal([1, 2]);
    expect((await warned).message)
      .to.include('slow')
      .and.include('not done after 5 ms');
    finish();
    await new Promise(setImmediate);
    const next = collectors.run([slow]);
    finish();
    await next;
    expect([starts, failures]).to.deep.equal([2, 2]);
  });

  it('of two scrapes at once runs once', async () => {
    let starts = 0;
    const collectors = new ScrapeCollectors(() => undefined, { logger: processWarnings });
    const metric = {
      name: 'm',
      collect: async () => {
        starts++;
        await new Promise(setImmediate);
      },
    };
    await Promise.all([collectors.run([metric]), collectors.run([metric])]);
    expect(starts).to.equal(1);
  });

  it('never rejects, whatever is thrown', async () => {
    const collectors = new ScrapeCollectors(() => undefined, { logger: processWarnings });
    const hostile = Object.create(null) as object;
    const warned = nextWarning();
    await collectors.run([
      {
        name: 'odd',
        collect: () => {
          throw hostile;
        },
      },
    ]);
    expect((await warned).message).to.include('a value that cannot be shown');
    expect(isOffloopError(hostile)).to.equal(false);
  });
});
