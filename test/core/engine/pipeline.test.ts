import { Counter, type EngineFactory, Histogram, Pipeline, Registry } from '@offloop/core';
import { HttpMetrics } from '@offloop/core/adapter';
import { takeLease } from '@offloop/core/internal/aggregate/lease.js';
import { InlineEngine } from '@offloop/core/internal/engine/inline-engine.js';
import { LEASE } from '@offloop/core/internal/layout/control-block.js';
import { Segment } from '@offloop/core/internal/layout/segment.js';
import { expect } from 'chai';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

function expectBalance(pipeline: Pipeline): void {
  const totals = pipeline.totals();
  expect(totals.offeredRecords).to.equal(totals.recordedRecords + totals.droppedRecords);
  expect(totals.recordedRecords).to.equal(totals.aggregatedRecords + totals.backlogRecords);
}

describe('pipeline', () => {
  it('lays no memory out before it is used', () => {
    const rig = new PipelineRig();
    rig.counter({ labelNames: ['a'] });
    rig.histogram();
    expect(rig.pipeline.isStarted).to.equal(false);
    rig.pipeline.configure({ ring: { capacityRecords: 512 } });
    expect(rig.pipeline.isStarted).to.equal(false);
    expect(rig.pipeline.options.ring.capacityRecords).to.equal(512);
    expect(rig.pipeline.isStarted).to.equal(true);
  });

  it('begins anew after a start that was refused, with all metrics that were there', async () => {
    const pipeline = new Pipeline();
    const registry = new Registry(pipeline);
    const registers = [registry];
    const early = [0, 1, 2].map(
      (n) => new Counter({ name: `early_${n}_total`, help: 'h', registers }),
    );
    let isRefused = true;
    const engineFactory: EngineFactory = ({ segment, recorder }) => {
      if (isRefused) throw new RangeError('no thread today');
      return new InlineEngine(segment, recorder);
    };
    pipeline.configure({}, engineFactory);
    expect(() => pipeline.producer).to.throw('no thread today');
    expect(() => early[0]?.inc()).to.throw('no thread today');
    isRefused = false;
    const later = new Counter({ name: 'later_total', help: 'h', registers });
    for (const [n, counter] of early.entries()) counter.inc(10 + n);
    later.inc(20);
    const samples = (await registry.metrics()).split('\n').filter((line) => /^\w/.test(line));
    expect(samples).to.deep.equal([
      'early_0_total 10',
      'early_1_total 11',
      'early_2_total 12',
      'later_total 20',
    ]);
  });

  it('goes on after an exception in a batch on this thread: what that had added up does not count', async () => {
    const rig = new PipelineRig({ ring: { capacityRecords: 256 } });
    const counter = rig.counter();
    counter.inc();
    await rig.pipeline.flush();
    // As where a stack is full.
    const fail = (): never => {
      throw new RangeError('Maximum call stack size exceeded');
    };
    for (const step of ['accumulate', 'stage', 'stageTotals']) {
      await rig.pipeline.flush();
      Reflect.set(Reflect.get(rig.pipeline.engine, 'drain') as object, step, fail);
      for (let count = 0; count < 300; count++) counter.inc();
      await rig.pipeline.flush();
      Reflect.set(Reflect.get(rig.pipeline.engine, 'drain') as object, step, fail);
      counter.inc();
      expect(await rig.pipeline.flush().catch(String)).to.include('call stack');
    }
    await rig.pipeline.flush();
    const totals = rig.pipeline.totals();
    expect(totals.backlogRecords).to.equal(0);
    expect(totals.droppedRecords).to.equal(3);
    expectBalance(rig.pipeline);
    expect((await counter.get()).values[0]?.value).to.equal(totals.aggregatedRecords);
  });

  it('is started by a label set, by a record, by get() and by a page', async () => {
    const starts: ((rig: PipelineRig) => unknown)[] = [
      (rig) => rig.counter({ labelNames: ['a'] }).labels('x'),
      (rig) => rig.counter().inc(),
      (rig) => rig.histogram().observe(1),
      (rig) => rig.counter().get(),
      (rig) => rig.pipeline.render({ families: [], includePipeline: true }),
      (rig) => rig.pipeline.totals(),
    ];
    for (const start of starts) {
      const rig = new PipelineRig();
      await start(rig);
      expect(rig.pipeline.isStarted).to.equal(true);
    }
  });

  it('gives pages, get() and books that include everything recorded before', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter();
    for (let count = 1; count <= 200; count++) {
      counter.inc();
      if (count % 3 === 0) expect(await rig.registry.metrics()).to.include(`test_total ${count}\n`);
      if (count % 5 === 0) expect((await counter.get()).values[0]?.value).to.equal(count);
      expect(rig.pipeline.totals().recordedRecords).to.equal(count);
      expectBalance(rig.pipeline);
    }
    counter.inc();
    await rig.pipeline.flush();
    expect(rig.pipeline.totals().backlogRecords).to.equal(0);
  });

  it('drains on the caller’s thread when the ring is full, and drops nothing', async () => {
    const rig = new PipelineRig({ ring: { capacityRecords: 256 } });
    const counter = rig.counter();
    for (let count = 0; count < 10_000; count++) counter.inc();
    expect(rig.pipeline.totals()).to.include({ droppedRecords: 0, recordedRecords: 10_000 });
    expect((await counter.get()).values[0]?.value).to.equal(10_000);
    expectBalance(rig.pipeline);
  });

  it('counts pages, and the time that they took', async () => {
    const rig = new PipelineRig();
    await rig.registry.metrics();
    await rig.registry.metrics();
    expect(rig.pipeline.totals().scrapes).to.equal(0);
    rig.counter();
    await rig.registry.metrics();
    await rig.registry.metrics();
    expect(rig.pipeline.totals().scrapes).to.equal(2);
    expect(rig.pipeline.totals().renderMs).to.be.above(0);
  });
});

describe('pipeline: options', () => {
  it('keep what was given before where new ones say nothing, in branches too', () => {
    const pipeline = new Pipeline();
    pipeline.configure({ memory: { maxSeries: 64, maxFamilies: 32 }, maxSeriesPerMetric: 7 });
    pipeline.configure({ memory: { maxSeries: 128 } });
    pipeline.configure({ memory: { maxFamilies: undefined } as never });
    pipeline.configure({ memory: undefined, maxSeriesPerMetric: undefined } as never);
    pipeline.configure(undefined as never);
    expect(pipeline.options.memory).to.include({ maxSeries: 128, maxFamilies: 32 });
    expect(pipeline.options.maxSeriesPerMetric).to.equal(7);
  });

  it('that are refused change nothing', () => {
    const pipeline = new Pipeline();
    pipeline.configure({ ring: { capacityRecords: 512 } });
    refusalOf('OFFLOOP_ERR_OPTION_RANGE', () =>
      pipeline.configure({ ring: { capacityRecords: 500 } }),
    );
    refusalOf('OFFLOOP_ERR_OPTION_UNKNOWN', () =>
      pipeline.configure({ maxSeriesPerMetric: 5, unknown: 1 } as never),
    );
    expect(pipeline.options.ring.capacityRecords).to.equal(512);
    expect(pipeline.options.maxSeriesPerMetric).to.equal(2000);
  });

  it('of memory are refused after the start, with what there is and what was asked for', () => {
    for (const [options, message] of [
      [
        { ring: { capacityRecords: 512 } },
        'ring.capacityRecords must be given before the first label set, record or page, when memory is laid out and the engine started with 1024; got 512',
      ],
      [{ memory: { maxSeries: 17 } }, /^memory\.maxSeries must be given before .* got 17$/],
      [
        { maxSeriesPerMetric: 3 },
        'maxSeriesPerMetric must be given before the first label set, record or page, when memory is laid out and the engine started with 2000; got 3',
      ],
    ] as const) {
      const rig = new PipelineRig();
      rig.counter().inc();
      const refused = refusalOf('OFFLOOP_ERR_ALREADY_STARTED', () =>
        rig.pipeline.configure(options),
      );
      if (typeof message === 'string') expect(refused).to.equal(message);
      else expect(refused).to.match(message);
    }
  });

  it('of memory may be given again as they are, and others may change', () => {
    const rig = new PipelineRig();
    rig.counter().inc();
    rig.pipeline.configure({ ring: { capacityRecords: 1024 }, eventLoop: { intervalMs: 50 } });
    expect(rig.pipeline.options.eventLoop.intervalMs).to.equal(50);
  });

  it('of the environment are refused when an instrument is declared, and not at its first use', () => {
    process.env['METRICS_HISTOGRAM_BUCKETS'] = 'x';
    try {
      const registry = new Registry(new Pipeline());
      refusalOf(
        'OFFLOOP_ERR_ENVIRONMENT',
        () => new Histogram({ name: 'x', help: 'x', maxSeries: 5, registers: [registry] }),
      );
      expect(registry.getSingleMetric('x')).to.equal(undefined);
    } finally {
      delete process.env['METRICS_HISTOGRAM_BUCKETS'];
    }
  });
});

describe('pipeline: a start that fails', () => {
  it('says so at each use, and succeeds when the options allow it', async () => {
    const rig = new PipelineRig({ memory: { maxFamilies: 16 } });
    const counters = Array.from({ length: 17 }, (_, index) =>
      rig.counter({ name: `c${index}_total`, labelNames: ['a'] }),
    );
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(refusalOf('OFFLOOP_ERR_FAMILIES_FULL', () => counters[0]?.inc({ a: 'x' }))).to.equal(
        'memory.maxFamilies allows 16 metrics, got one more: c16_total',
      );
      expect(rig.pipeline.isStarted).to.equal(false);
    }
    rig.pipeline.configure({ memory: { maxFamilies: 17 } });
    counters[0]?.inc({ a: 'x' });
    counters[16]?.inc({ a: 'y' });
    expect((await rig.samples()).map(({ name, value }) => [name, value])).to.deep.equal([
      ['c0_total', 1],
      ['c16_total', 1],
    ]);
  });

  it('leaves no engine behind when the engine cannot be made', () => {
    const rig = new PipelineRig();
    let fails = true;
    const made: Segment[] = [];
    rig.pipeline.configure({}, ({ segment, recorder }) => {
      if (fails) throw new Error('no thread');
      made.push(segment);
      return new InlineEngine(segment, recorder);
    });
    const counter = rig.counter();
    expect(() => counter.inc()).to.throw('no thread');
    fails = false;
    counter.inc();
    expect(made).to.have.length(1);
    expect(rig.pipeline.totals().recordedRecords).to.equal(1);
  });

  it('refuses one metric too many after the start, and goes on with those that there are', async () => {
    const rig = new PipelineRig({ memory: { maxFamilies: 16 } });
    rig.counter().inc();
    for (let index = 1; index < 16; index++) rig.counter({ name: `c${index}_total` });
    refusalOf('OFFLOOP_ERR_FAMILIES_FULL', () => rig.counter({ name: 'late_total' }));
    expect(rig.registry.getSingleMetric('late_total')).to.equal(undefined);
    expect(await rig.registry.metrics()).to.include('test_total 1\n');
  });
});

describe('pipeline: engines', () => {
  it('are made once, when memory is laid out, with what was resolved', () => {
    const made: Parameters<EngineFactory>[0][] = [];
    const rig = new PipelineRig();
    const factory: EngineFactory = (parts) => {
      made.push(parts);
      return new InlineEngine(parts.segment, parts.recorder);
    };
    rig.pipeline.configure({ engine: 'inline' }, factory);
    expect(made).to.have.length(0);
    rig.counter().inc();
    rig.pipeline.configure({ engine: 'inline' }, () => {
      throw new Error('a second engine');
    });
    expect(made).to.have.length(1);
    expect(made[0]?.options.engine).to.equal('inline');
    refusalOf('OFFLOOP_ERR_ALREADY_STARTED', () => rig.pipeline.configure({ engine: 'pool' }));
  });

  it('take over from the inline engine that was at work before, without a loss', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter();
    for (let count = 0; count < 1500; count++) counter.inc();
    const before = rig.pipeline.engine;
    const { control } = rig.pipeline.producer.segment;
    const lease = control[LEASE];
    rig.pipeline.configure({}, ({ segment, recorder }) => new InlineEngine(segment, recorder));
    expect(rig.pipeline.engine).to.not.equal(before);
    expect(control[LEASE]).to.not.equal(lease);
    for (let count = 0; count < 1500; count++) counter.inc();
    expect((await counter.get()).values[0]?.value).to.equal(3000);
    expect(rig.pipeline.totals().droppedRecords).to.equal(0);
  });
});

describe('pipeline: an engine that cannot take over', () => {
  it('leaves the inline engine at work, and its place to the next one', async () => {
    const rig = new PipelineRig({ ring: { capacityRecords: 256 } });
    const counter = rig.counter();
    counter.inc();
    const failing: EngineFactory = ({ segment }) => {
      takeLease(segment, false);
      throw new Error('no thread');
    };
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(() => rig.pipeline.configure({}, failing)).to.throw('no thread');
      for (let count = 0; count < 1000; count++) counter.inc();
      await rig.pipeline.flush();
      expect(rig.pipeline.totals()).to.include({ droppedRecords: 0, backlogRecords: 0 });
    }
    let made = 0;
    rig.pipeline.configure({}, ({ segment, recorder }) => {
      made++;
      return new InlineEngine(segment, recorder);
    });
    expect(made).to.equal(1);
    expect((await counter.get()).values[0]?.value).to.equal(2001);
  });
});

describe('pipeline: close', () => {
  it('drains what is left, and drops and counts what comes later', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter();
    counter.inc(5);
    await rig.pipeline.close();
    counter.inc(100);
    expect(await rig.registry.metrics()).to.include('test_total 5\n');
    expect(rig.pipeline.totals()).to.include({
      recordedRecords: 1,
      droppedRecords: 1,
      backlogRecords: 0,
    });
    expect(rig.pipeline.engine.state).to.equal('closed');
    expectBalance(rig.pipeline);
  });

  it('can be called again, also at the same time', async () => {
    const rig = new PipelineRig();
    rig.counter().inc();
    await Promise.all([rig.pipeline.close(), rig.pipeline.close()]);
    await rig.pipeline.close();
    expect(await rig.registry.metrics()).to.include('test_total 1\n');
  });

  it('before the first use starts nothing afterwards: records are dropped, and no engine is made', async () => {
    const rig = new PipelineRig();
    let made = 0;
    rig.pipeline.configure({}, ({ segment, recorder }) => {
      made++;
      return new InlineEngine(segment, recorder);
    });
    const counter = rig.counter();
    await rig.pipeline.close();
    counter.inc();
    expect(made).to.equal(0);
    expect(await rig.registry.metrics()).to.include('test_total 0\n');
    expect(rig.pipeline.totals()).to.include({ droppedRecords: 1, recordedRecords: 0 });
  });

  it('lets no other engine take over afterwards', async () => {
    const rig = new PipelineRig();
    rig.counter().inc();
    await rig.pipeline.close();
    rig.pipeline.configure({}, () => {
      throw new Error('must not be made');
    });
    expect(rig.pipeline.engine.state).to.equal('closed');
  });

  it('takes new label sets and metrics afterwards without throwing', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a'] });
    counter.inc({ a: 'x' });
    await rig.pipeline.close();
    counter.inc({ a: 'y' });
    rig.histogram().observe(1);
    expect(await rig.registry.metrics()).to.include('test_total{a="x"} 1\n');
  });
});

describe('two pipelines', () => {
  it('do not notice each other: http metrics, memory, close', async () => {
    const [one, two] = [new PipelineRig(), new PipelineRig({ ring: { capacityRecords: 256 } })];
    const http = [one, two].map((rig) => new HttpMetrics(rig.pipeline, rig.registry));
    http[0]?.requestStarted();
    for (const metrics of http) metrics.record(metrics.seriesIdOf('GET', '/', '200'), 0.1);
    http[0]?.record(http[0].seriesIdOf('GET', '/', '200'), 0.1);
    await two.pipeline.close();
    http[0]?.record(http[0].seriesIdOf('GET', '/', '200'), 0.1);
    expect(await one.registry.metrics()).to.include('status_code="200"} 3\n');
    expect(await one.registry.metrics()).to.include('http_requests_in_flight 1\n');
    expect(await two.registry.metrics()).to.include('status_code="200"} 1\n');
    expect(await two.registry.metrics()).to.include('http_requests_in_flight 0\n');
  });
});

describe('inline engine', () => {
  it('refuses a segment that another consumer is draining at this moment', () => {
    const { pipeline } = new PipelineRig();
    const { segment, recorder } = pipeline.producer;
    segment.control[LEASE] = (segment.control[LEASE] as number) | 1;
    expect(
      refusalOf(
        'OFFLOOP_ERR_ARGUMENT',
        () => new InlineEngine(Segment.attach(segment.buffer), recorder),
      ),
    ).to.match(/^segment: one consumer at a time/);
  });

  it('says that it no longer drains when its lease has gone', () => {
    const { pipeline } = new PipelineRig();
    const { segment, recorder } = pipeline.producer;
    const first = pipeline.engine as InlineEngine;
    expect(first.drainNow()).to.equal(true);
    const second = new InlineEngine(segment, recorder);
    recorder.record(0, 1);
    recorder.publish();
    expect(first.drainNow()).to.equal(false);
    expect(second.drainNow()).to.equal(true);
  });
});
