import { Gauge } from '@offloop/core';
import { expect } from 'chai';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

async function valuesOf(metric: { get(): Promise<{ values: readonly unknown[] }> }) {
  const { values } = await metric.get();
  return (values as { labels: Record<string, unknown>; value: number }[]).map(
    ({ labels, value }) => [Object.values(labels).join(), value] as const,
  );
}

describe('removing and resetting', () => {
  it('removes a series by labels or by values, in order with the records around it', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a', 'b'] });
    counter.inc({ a: 'x', b: '1' }, 5);
    counter.inc({ a: 'y', b: '1' }, 7);
    counter.remove({ a: 'x', b: '1' });
    counter.inc({ a: 'x', b: '1' }, 2);
    counter.remove('y', '1');
    expect(await valuesOf(counter)).to.deep.equal([['x,1', 2]]);
  });

  it('removes a series under every spelling of its labels', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['status'] });
    counter.inc({ status: 200 });
    counter.inc({ status: '200' });
    counter.remove('200');
    expect(await valuesOf(counter)).to.deep.equal([]);
    counter.inc({ status: 200 });
    expect(await valuesOf(counter)).to.deep.equal([['200', 1]]);
  });

  it('gives a new series nothing of the one whose memory it gets, the sign of a zero above all', async () => {
    const rig = new PipelineRig();
    const registers = [rig.registry];
    const gauge = new Gauge({ name: 'g', help: 'g', labelNames: ['n'], registers });
    for (let n = 0; n < 200; n++) gauge.set({ n }, -0);
    gauge.reset();
    await rig.registry.metrics();
    for (let n = 0; n < 50; n++) {
      const unset = new Gauge({ name: `unset_${n}`, help: 'g', registers });
      expect(Object.is((await unset.get()).values[0]?.value, 0), unset.name).to.equal(true);
    }
  });

  it('lets a child whose series was removed begin another one', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a'] });
    const histogram = rig.histogram({ labelNames: ['a'], buckets: [1] });
    const gauge = new Gauge({ name: 'g', help: 'g', labelNames: ['a'], registers: [rig.registry] });
    const children = [counter.labels('x'), gauge.labels('x')];
    const observer = histogram.labels('x');
    for (const child of children) child.inc(3);
    observer.observe(0.5);
    counter.remove('x');
    histogram.remove('x');
    gauge.remove('x');
    for (const other of ['p', 'q', 'r']) counter.inc({ a: other });
    for (const child of children) child.inc(1);
    observer.observe(2);
    expect(new Map(await valuesOf(counter)).get('x')).to.equal(1);
    expect(await valuesOf(gauge)).to.deep.equal([['x', 1]]);
    expect(await valuesOf(histogram)).to.deep.equal([
      ['1,x', 0],
      ['+Inf,x', 1],
      ['x', 2],
      ['x', 1],
    ]);
  });

  it('resets as prom-client does: series with labels go, one without begins at zero', async () => {
    const rig = new PipelineRig();
    const plain = rig.counter();
    const labelled = rig.counter({ name: 'labelled_total', labelNames: ['a'] });
    const histogram = rig.histogram({ buckets: [1] });
    plain.inc(4);
    labelled.inc({ a: 'x' }, 4);
    histogram.observe(1);
    rig.registry.resetMetrics();
    plain.inc();
    expect(await valuesOf(plain)).to.deep.equal([['', 1]]);
    expect(await valuesOf(labelled)).to.deep.equal([]);
    // prom-client loses it: test/core/peer-defects.test.ts, 9.
    expect(await valuesOf(histogram)).to.deep.equal([
      ['1', 0],
      ['+Inf', 0],
      ['', 0],
      ['', 0],
    ]);
  });

  it('gives memory back that is full, and resets all others where one cannot be', async () => {
    const rig = new PipelineRig({ memory: { maxSeries: 16 } });
    const plain = rig.counter({ name: 'plain_total' });
    const gauge = new Gauge({ name: 'g', help: 'g', labelNames: ['a'], registers: [rig.registry] });
    const counter = rig.counter({ labelNames: ['a'] });
    plain.inc(2);
    gauge.set({ a: 'x' }, 3);
    for (let n = 0; n < 20; n++) counter.inc({ a: `${n}` });
    const refused = refusalOf('OFFLOOP_ERR_CATALOG_FULL', () => rig.registry.resetMetrics());
    expect(refused).to.include('plain_total');
    const labels = async () => (await valuesOf(counter)).map(([label]) => label);
    expect(await labels()).to.deep.equal(['__overflow__']);
    expect(await valuesOf(gauge)).to.deep.equal([]);
    // The drain has passed what was removed.
    rig.registry.resetMetrics();
    expect(await valuesOf(plain)).to.deep.equal([['', 0]]);
    expect(await labels()).to.deep.equal([]);
    counter.inc({ a: 'again' });
    expect(await valuesOf(counter)).to.deep.equal([['again', 1]]);
  });

  it('removes the series of a metric without labels, until its next record', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter();
    counter.inc(3);
    counter.remove();
    expect(await valuesOf(counter)).to.deep.equal([]);
    counter.inc();
    expect(await valuesOf(counter)).to.deep.equal([['', 1]]);
    counter.remove();
    counter.reset();
    expect(await valuesOf(counter)).to.deep.equal([['', 0]]);
  });

  it('begins a histogram’s series without an observation by zero()', async () => {
    const rig = new PipelineRig();
    const histogram = rig.histogram({ labelNames: ['a'], buckets: [1] });
    histogram.observe({ a: 'x' }, 1);
    histogram.zero({ a: 'x' });
    expect((await valuesOf(histogram)).map(([, value]) => value)).to.deep.equal([0, 0, 0, 0]);
  });

  it('refuses labels that the metric does not have', () => {
    const counter = new PipelineRig().counter({ labelNames: ['a'] });
    refusalOf('OFFLOOP_ERR_LABELS', () => counter.remove({ b: 'x' } as never));
    refusalOf('OFFLOOP_ERR_LABELS', () => counter.remove('x', 'y'));
  });

  it('gives the limit’s place to another label set', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a'], maxSeries: 2 });
    for (const a of ['x', 'y', 'z']) counter.inc({ a });
    counter.remove('x');
    counter.inc({ a: 'w' });
    expect(await valuesOf(counter)).to.deep.equal([
      ['y', 1],
      ['__overflow__', 1],
      ['w', 1],
    ]);
  });

  it('lives in memory of a fixed size, however many series come and go', async () => {
    const rig = new PipelineRig({ memory: { maxSeries: 128 } });
    const counter = rig.counter({ labelNames: ['a'] });
    const histogram = rig.histogram({ labelNames: ['a'] });
    let kept = 0;
    for (let round = 0; round < 5_000; round++) {
      const a = `value ${round}`;
      counter.inc({ a }, round);
      histogram.observe({ a }, round);
      counter.inc({ a: 'kept' });
      kept++;
      if (round % 7 === 0) expect(new Map(await valuesOf(counter)).get(a)).to.equal(round);
      counter.remove(a);
      histogram.remove(a);
    }
    expect(await valuesOf(counter)).to.deep.equal([['kept', kept]]);
    expect(rig.pipeline.totals().seriesRefused).to.equal(0);
    expect(rig.pipeline.totals().unattributedRecords).to.equal(0);
  });
});

describe('idle expiry', () => {
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('removes what nobody writes to, and keeps what somebody does', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a'], maxIdleSeconds: 0.08 });
    counter.inc({ a: 'idle' });
    for (let turn = 0; turn < 12; turn++) {
      counter.inc({ a: 'busy' });
      await counter.get();
      await wait(15);
    }
    // Written, and still in the ring when the page is asked for.
    counter.inc({ a: 'busy' });
    expect(await valuesOf(counter)).to.deep.equal([['busy', 13]]);
    counter.inc({ a: 'idle' });
    expect(new Map(await valuesOf(counter)).get('idle')).to.equal(1);
  });

  it('refuses a time that is none', () => {
    for (const maxIdleSeconds of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () => new PipelineRig().counter({ maxIdleSeconds }));
  });
});
