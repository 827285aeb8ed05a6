import { Counter, type ForeignMetric, Gauge, Histogram, Pipeline, Registry } from '@offloop/core';
import { chosenFamilies } from '@offloop/core/adapter';
import { expect } from 'chai';
import prom from 'prom-client';
import { type ParsedSample, parseExposition } from '../../support/exposition-parser.js';
import { familiesOf, needOpenMetricsParser } from '../../support/open-metrics-parser.js';
import { decodeFamilies, samplesOf } from '../../support/protobuf-decoder.js';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

/** An object of a metric's shape, as libraries put into prom-client's registry. */
function foreign(name: string, values: readonly unknown[], rest: object = {}): ForeignMetric {
  return { name, get: async () => ({ name, help: 'Foreign.', type: 'gauge', values, ...rest }) };
}

/** prom-client's metrics of each kind, used, in a registry of its own and in one of ours. */
function used(labels: Record<string, string> = {}) {
  const theirs = new prom.Registry();
  const registers = [theirs];
  const labelNames = ['a', 'b'] as const;
  const counter = new prom.Counter({
    name: 'c_total',
    help: 'C "x" \\ \n.',
    labelNames,
    registers,
  });
  counter.inc({ a: 'x"\\\n', b: 1 }, 2.5);
  const gauge = new prom.Gauge({ name: 'g', help: 'G.', registers });
  gauge.set(-1e21);
  const buckets = [0.5, 1, 1e6];
  const histogram = new prom.Histogram({ name: 'h', help: 'H.', labelNames, buckets, registers });
  histogram.observe({ a: 'x' }, 0.7);
  const summary = new prom.Summary({ name: 's', help: 'S.', labelNames, registers });
  summary.observe({ b: 'y' }, 3);
  theirs.setDefaultLabels(labels);
  const ours = new Registry(new Pipeline());
  ours.setDefaultLabels(labels);
  for (const metric of [counter, gauge, histogram, summary]) ours.registerMetric(metric);
  return { theirs, ours, counter };
}

describe('prom-client’s metrics in a registry of ours', () => {
  for (const labels of [{}, { app: 'z', a: 'default' }]) {
    const what = `default labels ${JSON.stringify(labels)}`;

    it(`give the page and the JSON that they give in their own, with ${what}`, async () => {
      const { theirs, ours } = used(labels);
      expect(await ours.metrics()).to.equal(await theirs.metrics());
      expect(await ours.getMetricsAsJSON()).to.deep.equal(await theirs.getMetricsAsJSON());
      for (const name of ['c_total', 'g', 'h', 's']) {
        expect(await ours.getSingleMetricAsString(name)).to.equal(
          await theirs.getSingleMetricAsString(name),
        );
      }
    });
  }

  it('register themselves at their construction, and are read anew each time', async () => {
    const { registry } = new PipelineRig();
    const counter = new prom.Counter({
      name: 'c_total',
      help: 'h',
      registers: [registry as never],
    });
    expect(registry.getSingleMetric('c_total')).to.equal(counter);
    counter.inc();
    expect(await registry.metrics()).to.include('\nc_total 1\n');
    counter.inc();
    expect(await registry.metrics()).to.include('\nc_total 2\n');
    registry.resetMetrics();
    expect(await registry.metrics()).to.include('\nc_total 0\n');
    expect(
      refusalOf(
        'OFFLOOP_ERR_DUPLICATE_METRIC',
        () => new Counter({ name: 'c_total', help: 'h', registers: [registry] }),
      ),
    ).to.equal('A metric with the name c_total has already been registered.');
    refusalOf('OFFLOOP_ERR_DUPLICATE_METRIC', () =>
      Counter.getOrCreate({ name: 'c_total', help: 'h', registers: [registry] }),
    );
    registry.removeSingleMetric('c_total');
    expect(await registry.metrics()).to.equal('');
  });

  it('follow ours on a page, in both formats, and keep their names', async function () {
    const parse = needOpenMetricsParser(this);
    const { ours: registry, counter } = used();
    const { pipeline } = registry;
    new Counter({ name: 'jobs_total', help: 'Jobs.', registers: [registry] }).inc(7);
    new Counter({ name: 'legacy', help: 'Without suffix.', registers: [registry] }).inc();
    registry.registerMetric(foreign('c', [{ value: 1, labels: {} }], { type: 'gauge' }));
    const page = await registry.metrics();
    expect(page.indexOf('# HELP jobs_total')).to.equal(0);
    expect(page).to.include('\n\n# HELP c_total').and.include('\ns_count{b="y"} 1\n');
    await registry.collectForScrape();
    const parts = chosenFamilies(registry, undefined);
    const { bytes } = await pipeline.render({ ...parts, format: 'openMetrics' });
    const families = familiesOf(parse, bytes);
    const samplesOf = (name: string) => families.find((family) => family.name === name);
    expect(samplesOf('jobs')?.samples[0]).to.include({ name: 'jobs_total', value: 7 });
    // The gauge c has the name that the family of c_total would have.
    expect(samplesOf('c_total')).to.include({ type: 'unknown' });
    expect(samplesOf('c_total')?.samples[0]).to.deep.equal({
      name: 'c_total',
      labels: { a: 'x"\\\n', b: '1' },
      value: 2.5,
    });
    expect(samplesOf('h')?.samples.map(({ labels }) => labels['le'])).to.include.members([
      '0.5',
      '1.0',
      '1e+06',
      '+Inf',
    ]);
    expect(samplesOf('s')).to.include({ type: 'summary' });
    expect(samplesOf('offloop_series')).to.include({ type: 'gauge' });
    expect(counter).to.include({ name: 'c_total' });
  });

  it('are in protobuf what they are in text', async () => {
    const { ours: registry, theirs } = used({ app: 'z' });
    const untyped = foreign('odd', [{ value: 7, labels: { a: 'ü' } }], { type: 'strange' });
    registry.registerMetric(untyped);
    await registry.collectForScrape();
    const { defaultLabels, pipeline } = registry;
    const parts = { ...chosenFamilies(registry, ['c_total', 'g', 'h', 's', 'odd']), defaultLabels };
    const { bytes } = await pipeline.render({ ...parts, format: 'protobuf' });
    const [odd, ...families] = decodeFamilies(bytes).reverse();
    expect(odd).to.deep.include({ name: 'odd', type: 'UNTYPED' });
    expect(odd?.metric?.[0]).to.deep.include({ untyped: { value: 7 } });
    const keyOf = ({ name, labels, value }: ParsedSample) =>
      JSON.stringify([name, [...labels].sort(), value]);
    const own = families.flatMap(samplesOf).map(keyOf).sort();
    const text = parseExposition(await theirs.metrics()).flatMap(({ samples }) => [...samples]);
    expect(own).to.deep.equal(text.map(keyOf).sort());
    expect(families.map(({ type }) => type)).to.deep.equal([
      'SUMMARY',
      'HISTOGRAM',
      'GAUGE',
      'COUNTER',
    ]);
    expect(families[3]?.help).to.equal('C "x" \\ \n.');
  });

  it('keep their exemplars in OpenMetrics and protobuf', async () => {
    const theirs = new prom.Registry();
    theirs.setContentType(prom.openMetricsContentType as never);
    const common = { help: 'h', enableExemplars: true, registers: [theirs] };
    const counter = new prom.Counter({ ...common, name: 'c_total' });
    const histogram = new prom.Histogram({ ...common, name: 'h', buckets: [1] });
    counter.inc({ value: 2, exemplarLabels: { id: 'x"' } as never });
    histogram.observe({ value: 0.5, exemplarLabels: { id: 'y' } as never });
    const registry = new Registry(new Pipeline());
    for (const metric of [counter, histogram]) registry.registerMetric(metric);
    expect(await registry.metrics()).to.not.include('# {');
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const page = await registry.metrics();
    expect(page).to.match(/\nc_total 2 # \{id="x\\""\} 2 \d+(\.\d+)?\n/);
    expect(page).to.match(/\nh_bucket\{le="1\.0"\} 1 # \{id="y"\} 0\.5 \d+(\.\d+)?\n/);
    const { bytes } = await registry.page({ format: 'protobuf' });
    const [first, second] = decodeFamilies(bytes);
    const counted = first?.metric?.[0]?.counter?.exemplar;
    const observed = second?.metric?.[0]?.histogram?.bucket?.[0]?.exemplar;
    expect(counted).to.deep.include({ label: [{ name: 'id', value: 'x"' }], value: 2 });
    expect(observed).to.deep.include({ label: [{ name: 'id', value: 'y' }], value: 0.5 });
    expect(observed?.timestamp?.seconds).to.be.closeTo(Date.now() / 1000, 60);
  });

  it('are chosen by the name of a family or of a sample', async () => {
    const { ours: registry } = used();
    await registry.collectForScrape();
    const chosen = (...names: string[]) =>
      chosenFamilies(registry, names).foreign?.map(({ name }) => name);
    expect(chosen('g')).to.deep.equal(['g']);
    expect(chosen('s_sum', 'h_bucket', 'c')).to.deep.equal(['h', 's']);
    expect(chosen('nothing')).to.deep.equal([]);
  });

  it('go along when registries are merged, and with metrics of several pipelines', async () => {
    const { ours, theirs } = used();
    const rigs = [new PipelineRig(), new PipelineRig()];
    rigs[0]?.counter({ name: 'a_total' });
    rigs[1]?.counter({ name: 'b_total' });
    const merged = Registry.merge([ours, ...rigs.map(({ registry }) => registry)]);
    const page = await merged.metrics();
    expect(page).to.include(`\n\n${await theirs.metrics()}`);
    expect(page.match(/^# TYPE \S+/gm)).to.deep.equal(
      ['a_total', 'b_total', 'c_total', 'g', 'h', 's'].map((name) => `# TYPE ${name}`),
    );
  });
});

describe('a foreign metric', () => {
  it('needs no more than a name and a get(), which may be synchronous', async () => {
    const { registry } = new PipelineRig();
    registry.registerMetric({
      name: 'plain',
      get: () => ({
        values: [{ value: 1 }, { value: Number.NaN, labels: { a: 5, b: undefined } }],
      }),
    });
    expect(await registry.metrics()).to.equal(
      '# HELP plain \n# TYPE plain untyped\nplain 1\nplain{a="5"} NaN\n',
    );
  });

  for (const [what, got] of [
    ['nothing', undefined],
    ['an impossible name', { name: 'a b', values: [] }],
    ['values that are no array', { values: 3 }],
    ['a sample that is none', { values: [7] }],
    ['an impossible name of a sample', { values: [{ value: 1, metricName: 'a{' }] }],
    ['an impossible label', { values: [{ value: 1, labels: { 'a b': 1 } }] }],
    ['a value that is no number', { values: [{ value: '1' }] }],
  ] as const) {
    it(`that gives ${what} costs a scrape nothing else, and is told of`, async () => {
      const { registry, pipeline } = new PipelineRig();
      new Gauge({ name: 'other', help: 'h', registers: [registry] }).set(1);
      let given: unknown = { values: [{ value: 5 }] };
      registry.registerMetric({ name: 'bad', get: () => given });
      await registry.collectForScrape();
      given = got;
      const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
      await registry.collectForScrape();
      expect((await warned).message)
        .to.include('bad')
        .and.include('get()');
      const parts = chosenFamilies(registry, ['other', 'bad', 'offloop_collect_errors_total']);
      const page = Buffer.from((await pipeline.render(parts)).bytes).toString();
      // As it was, like a metric of ours whose collect() fails.
      expect(page).to.include('\nother 1\n').and.include('\nbad 5\n');
      expect(page).to.include('\noffloop_collect_errors_total 1\n');
      let reason: unknown;
      await registry.metrics().catch((error: unknown) => {
        reason = error;
      });
      expect(() => {
        throw reason;
      }).to.throw(Error, 'bad.get()');
    });
  }

  it('is refused under a name of the pipeline’s own, and where it is no metric', () => {
    const { registry } = new PipelineRig();
    refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () =>
      registry.registerMetric(foreign('offloop_series', [])),
    );
    for (const metric of [undefined, null, {}, { name: 'x' }]) {
      refusalOf('OFFLOOP_ERR_ARGUMENT', () => registry.registerMetric(metric as never));
    }
    expect(registry.getMetricsAsArray()).to.deep.equal([]);
  });

  it('is listed by its aggregator, which is sum where it has none', async () => {
    const rig = new PipelineRig();
    const own = rig.counter({ aggregator: 'max' });
    const plain = foreign('plain', []);
    const first = { ...foreign('first', []), aggregator: 'first' };
    rig.registry.registerMetric(plain);
    rig.registry.registerMetric(first);
    expect(rig.registry.getMetricsAsArray()).to.deep.equal([own, plain, first]);
    expect(rig.registry.getMetricsAsArray('sum')).to.deep.equal([plain]);
    expect(rig.registry.getMetricsAsArray('max')).to.deep.equal([own]);
    const json = await rig.registry.getMetricsAsJSON('first');
    expect(json.map(({ name }) => name)).to.deep.equal(['first']);
  });

  it('that differs in a number JSON has no word for gets a page of its own', async () => {
    const { registry, pipeline } = new PipelineRig();
    const parts = (value: number) =>
      ({
        ...chosenFamilies(registry, []),
        foreign: [
          { name: 'x', help: '', type: 'gauge', samples: [{ name: 'x', labels: [], value }] },
        ],
      }) as const;
    const pages = await Promise.all(
      [Number.NaN, Number.POSITIVE_INFINITY].map((value) => pipeline.render(parts(value))),
    );
    expect(pages.map(({ bytes }) => Buffer.from(bytes).toString().split('\n')[2])).to.deep.equal([
      'x NaN',
      'x +Inf',
    ]);
  });
});

describe('metrics of ours in prom-client’s registry', () => {
  function both() {
    const theirs = new prom.Registry();
    const pipeline = new Pipeline();
    const home = new Registry(pipeline);
    const registers = [theirs, home];
    const counter = new Counter({ name: 'c_total', help: 'C.', labelNames: ['a'], registers });
    const gauge = new Gauge({ name: 'g', help: 'G.', registers });
    const histogram = new Histogram({ name: 'h', help: 'H.', buckets: [1], registers });
    counter.inc({ a: 'x' });
    gauge.set(4);
    histogram.observe(0.5);
    return { theirs, home, pipeline, counter, registers };
  }

  it('are on its page and in its JSON, and have their values in the pipeline of ours', async () => {
    const { theirs, home, pipeline, counter } = both();
    expect(await theirs.metrics()).to.equal(await home.metrics());
    expect(await theirs.getMetricsAsJSON()).to.deep.equal(await home.getMetricsAsJSON());
    expect(counter.pipeline).to.equal(pipeline);
    expect(theirs.getSingleMetric('c_total')).to.equal(counter);
    theirs.resetMetrics();
    expect(await home.metrics())
      .to.include('\ng 0\n')
      .and.not.include('c_total{');
  });

  it('are refused where the name is taken, and then in none', () => {
    const { theirs, home } = both();
    const registers = [home, theirs];
    new prom.Gauge({ name: 'taken', help: 'h', registers: [theirs] });
    expect(
      refusalOf(
        'OFFLOOP_ERR_DUPLICATE_METRIC',
        () => new Gauge({ name: 'taken', help: 'h', registers }),
      ),
    ).to.equal('A metric with the name taken has already been registered.');
    expect(home.getSingleMetric('taken')).to.equal(undefined);
  });

  it('keep their counts under an OpenMetrics registry, which renames the metric object', async () => {
    const { theirs, home, counter } = both();
    theirs.setContentType(prom.openMetricsContentType as never);
    expect(await theirs.metrics()).to.include('\nc_total{a="x"} 1\n');
    counter.inc({ a: 'x' });
    expect(await home.metrics()).to.include('\nc_total{a="x"} 2\n');
    expect(home.getSingleMetric('c_total')).to.equal(counter);
  });
});
