import { Counter, Gauge, Histogram } from '@offloop/core';
import { expect } from 'chai';
import prom from 'prom-client';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

type Labels = Record<string, string | number>;

/** The same metrics on both sides, and both pages. */
async function pages(labels: Labels, own: readonly string[]) {
  const rig = new PipelineRig();
  const theirs = new prom.Registry();
  const labelNames = [...own];
  for (const side of [
    { lib: { Counter, Gauge, Histogram }, registers: [rig.registry], registry: rig.registry },
    { lib: prom, registers: [theirs], registry: theirs },
  ]) {
    const lib = side.lib as typeof prom;
    const registers = side.registers as prom.Registry[];
    const counter = new lib.Counter({ name: 'c_total', help: 'h', labelNames, registers });
    counter.inc({ a: 'x' });
    counter.inc({ a: 'y', b: 'own' }, 2);
    new lib.Gauge({ name: 'g', help: 'h', registers }).set(1);
    const config = { name: 'h', help: 'h', labelNames: ['a'], buckets: [1, 2], registers };
    new lib.Histogram(config).observe({ a: 'x' }, 1);
    side.registry.setDefaultLabels(labels);
  }
  return { rig, theirs };
}

describe('default labels', () => {
  const cases: Record<string, Labels> = {
    'beside own labels': { app: 'z', zone: 3 },
    'of a name that a counter has itself': { app: 'z', b: 'default' },
    'of a name that a histogram has itself': { app: 'z', a: 'default' },
    none: {},
    'to escape': { app: 'a"b\\c\nd', other: '{},' },
  };
  for (const [name, labels] of Object.entries(cases)) {
    it(`give prom-client’s page and JSON: ${name}`, async () => {
      const { rig, theirs } = await pages(labels, ['a', 'b']);
      expect(await rig.registry.metrics()).to.equal(await theirs.metrics());
      // prom-client's JSON has numbers where its caller gave them.
      const texts = (json: unknown) =>
        JSON.parse(JSON.stringify(json, (key, value) => (key === 'zone' ? String(value) : value)));
      expect(await rig.registry.getMetricsAsJSON()).to.deep.equal(
        texts(await theirs.getMetricsAsJSON()),
      );
      for (const one of ['c_total', 'g', 'h']) {
        expect(await rig.registry.getSingleMetricAsString(one)).to.equal(
          await theirs.getSingleMetricAsString(one),
        );
      }
    });
  }

  it('never give a histogram an le: prom-client gives one to its sum and count', async () => {
    const { rig, theirs } = await pages({ le: '5' }, ['a', 'b']);
    expect(await theirs.metrics()).to.include('h_sum{le="5",a="x"} 1\n');
    expect(await rig.registry.metrics())
      .to.include('h_bucket{le="2",a="x"} 1\n')
      .and.include('h_sum{a="x"} 1\n')
      .and.include('g{le="5"} 1\n');
  });

  it('never make one series look like another: prom-client gives that line twice', async () => {
    const labels = { a: 'x', app: 'z' };
    const { rig, theirs } = await pages(labels, ['a', 'b']);
    for (const registry of [rig.registry, theirs]) {
      const counter = registry.getSingleMetric('c_total') as Counter<'a' | 'b'>;
      counter.inc(5);
      counter.inc({ b: 'own' }, 7);
    }
    expect((await theirs.metrics()).match(/^c_total\{.*a="x".*/gm)).to.have.lengthOf(3);
    const page = await rig.registry.metrics();
    expect(page.match(/^c_total.*/gm)).to.deep.equal([
      'c_total{a="x",app="z"} 1',
      'c_total{a="y",b="own",app="z"} 2',
      'c_total{app="z"} 5',
      'c_total{b="own",a="x",app="z"} 7',
    ]);
  });

  it('are in an OpenMetrics page, and not on the pipeline’s own families', async () => {
    const { rig } = await pages({ app: 'z' }, ['a', 'b']);
    const page = await rig.pipeline.render({
      families: rig.registry.familyIds(),
      includePipeline: true,
      format: 'openMetrics',
      defaultLabels: rig.registry.defaultLabels,
    });
    const text = Buffer.from(page.bytes).toString();
    expect(text).to.include('c_total{a="x",app="z"} 1\n').and.include('h_count{app="z",a="x"} 1\n');
    expect(text).to.match(/\noffloop_series \d+\n/);
  });

  it('are not in get(), and are gone after clear() and a new setDefaultLabels()', async () => {
    const { rig } = await pages({ app: 'z' }, ['a', 'b']);
    const gauge = rig.registry.getSingleMetric('g');
    expect((await gauge?.get())?.values[0]?.labels).to.deep.equal({});
    rig.registry.setDefaultLabels({ other: 1 });
    expect(await rig.registry.metrics())
      .to.include('g{other="1"} 1\n')
      .and.not.include('app=');
    rig.registry.clear();
    expect(rig.registry.defaultLabels).to.deep.equal([]);
  });

  it('are refused where no page could show their name', () => {
    const { registry } = new PipelineRig();
    expect(
      refusalOf('OFFLOOP_ERR_LABELS', () => registry.setDefaultLabels({ 'a-b': 'x' })),
    ).to.equal('Invalid label name: a-b');
  });

  it('take no record and no series', async () => {
    const { rig } = await pages({}, ['a', 'b']);
    const before = rig.pipeline.totals();
    rig.registry.setDefaultLabels({ app: 'z' });
    await rig.registry.metrics();
    const after = rig.pipeline.totals();
    expect(after.recordedRecords).to.equal(before.recordedRecords);
    expect(after.seriesUsed).to.equal(before.seriesUsed);
  });
});
