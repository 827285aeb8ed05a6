import { LABELS_BYTES_MAX } from '@offloop/core/internal/instruments/label-text.js';
import { CATALOG_END, SERIES_COUNT } from '@offloop/core/internal/layout/control-block.js';
import { expect } from 'chai';
import { PipelineRig } from '../pipeline-rig.js';

const OVERFLOW = '__overflow__';

function overflowOf(samples: Awaited<ReturnType<PipelineRig['samples']>>) {
  return samples.filter(({ labels }) => [...labels.values()].every((text) => text === OVERFLOW));
}

function collectGarbage(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error('the tests run with --expose-gc');
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

describe('cardinality limit', () => {
  it('is not reached by as many series as it allows', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a'], maxSeries: 3 });
    for (const a of ['1', '2', '3', '1']) counter.inc({ a });
    const samples = await rig.samples();
    expect(samples.map(({ value }) => value)).to.deep.equal([2, 1, 1]);
    expect(rig.pipeline.totals().seriesRefused).to.equal(0);
  });

  it('folds the next ones into one overflow series, and counts each look-up', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a', 'b'], maxSeries: 3 });
    for (const a of ['1', '2', '3', '4', '5', '4']) counter.inc({ a, b: 'x' });
    counter.inc({ a: '1', b: 'x' });
    const samples = await rig.samples();
    expect(samples.map(({ labels, value }) => [labels.get('a'), value])).to.deep.equal([
      ['1', 2],
      ['2', 1],
      ['3', 1],
      [OVERFLOW, 3],
    ]);
    expect(overflowOf(samples)).to.have.length(1);
    expect(rig.pipeline.totals().seriesRefused).to.equal(3);
  });

  it('of 1 keeps one series and the overflow', async () => {
    const rig = new PipelineRig();
    const histogram = rig.histogram({ labelNames: ['a'], maxSeries: 1, buckets: [1] });
    for (const a of ['1', '2', '3']) histogram.observe({ a }, 0.5);
    const counts = (await rig.samples()).filter(({ name }) => name === 'test_seconds_count');
    expect(counts.map(({ value }) => value)).to.deep.equal([1, 2]);
  });

  it('is the option’s where the metric has none', async () => {
    const rig = new PipelineRig({ maxSeriesPerMetric: 2 });
    const counter = rig.counter({ labelNames: ['a'] });
    for (const a of ['1', '2', '3', '4']) counter.inc({ a });
    expect(await rig.samples()).to.have.length(3);
  });

  it('is the option’s also for a metric declared before the option is given', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a'] });
    const own = rig.counter({ name: 'own_total', labelNames: ['a'], maxSeries: 4 });
    rig.pipeline.configure({ maxSeriesPerMetric: 2 });
    for (const a of ['1', '2', '3', '4']) {
      counter.inc({ a });
      own.inc({ a });
    }
    const samples = await rig.samples();
    expect(samples.filter(({ name }) => name === 'test_total')).to.have.length(3);
    expect(samples.filter(({ name }) => name === 'own_total')).to.have.length(4);
  });

  it('counts a label set that spells the overflow value as a series of its own or as the overflow, once', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a'], maxSeries: 2 });
    counter.inc({ a: OVERFLOW });
    for (const a of ['1', '2', '3']) counter.inc({ a });
    const samples = await rig.samples();
    expect(samples.reduce((sum, { value }) => sum + value, 0)).to.equal(4);
  });

  it('keeps a child made after it apart from the series before it', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a'], maxSeries: 1 });
    const inside = counter.labels('1');
    const outside = counter.labels('2');
    inside.inc(2);
    outside.inc(5);
    expect((await rig.samples()).map(({ value }) => value)).to.deep.equal([2, 5]);
  });

  it('of one metric does not hold for another', async () => {
    const rig = new PipelineRig();
    const small = rig.counter({ labelNames: ['a'], maxSeries: 1 });
    const large = rig.counter({ name: 'large_total', labelNames: ['a'], maxSeries: 10 });
    for (const a of ['1', '2', '3']) {
      small.inc({ a });
      large.inc({ a });
    }
    expect((await rig.samples()).filter(({ name }) => name === 'large_total')).to.have.length(3);
  });
});

describe('memory under hostile label sets', () => {
  const waysToBeHostile: Record<string, (index: number) => Record<string, unknown>> = {
    'new texts': (index) => ({ a: `${index}-${'x'.repeat(100)}`, b: 'y' }),
    'new numbers': (index) => ({ a: index, b: index + 0.5 }),
    'new texts in the second label': (index) => ({ a: 'y', b: `${index}-${'x'.repeat(100)}` }),
    'labels left out': (index) => ({ b: `${index}-${'x'.repeat(100)}` }),
    'lone surrogates': (index) => ({ a: `${index}-${'x'.repeat(100)}\ud800`, b: 'y' }),
    'objects with a text': (index) => ({ a: { toString: () => `${index % 50}` }, b: 'y' }),
  };
  for (const [name, labelsOf] of Object.entries(waysToBeHostile)) {
    it(`does not grow: 100 000 sets of ${name}`, async function () {
      this.timeout(60_000);
      const rig = new PipelineRig();
      const counter = rig.counter({ labelNames: ['a', 'b'], maxSeries: 100 });
      const hurt = (from: number, to: number): void => {
        for (let index = from; index < to; index++) {
          counter.inc(labelsOf(index) as Record<string, string>);
        }
      };
      hurt(0, 1000);
      await rig.pipeline.flush();
      const before = collectGarbage();
      const { control } = rig.pipeline.producer.segment;
      const ends = () => [control[CATALOG_END], control[SERIES_COUNT]];
      const endsBefore = ends();
      hurt(1000, 101_000);
      await rig.pipeline.flush();
      expect(collectGarbage() - before).to.be.below(1_000_000);
      expect(ends()).to.deep.equal(endsBefore);
      const samples = await rig.samples();
      expect(samples.length).to.be.at.most(101);
      expect(samples.reduce((sum, { value }) => sum + value, 0)).to.equal(101_000);
    });
  }
});

describe('a label set that is too long', () => {
  /** Of a metric with the label `a`, in bytes of exposition form. */
  const labelsOf = (bytes: number) => ({ a: 'x'.repeat(bytes - 'a=""'.length) });

  it('folds into the overflow series from the first byte on, counted and without growing memory', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a'] });
    counter.inc(labelsOf(LABELS_BYTES_MAX));
    const ends = () => rig.pipeline.producer.segment.control[CATALOG_END];
    const before = ends();
    counter.inc(labelsOf(LABELS_BYTES_MAX + 1), 2);
    counter.inc({ a: '日'.repeat(2_000) }, 3);
    counter.inc({ a: '\n'.repeat(3_000) }, 4);
    counter.labels(labelsOf(1_000_000)).inc(5);
    for (let index = 0; index < 20; index++) counter.inc({ a: `${index}`.repeat(1_000_000) }, 6);
    counter.remove(labelsOf(1_000_000));
    expect(ends()).to.equal(before);
    expect(rig.pipeline.totals().seriesRefused).to.equal(24);
    const values = (await rig.samples()).map(({ labels, value }) => [
      labels.get('a')?.length,
      value,
    ]);
    expect(values).to.deep.equal([
      [LABELS_BYTES_MAX - 4, 1],
      [OVERFLOW.length, 2 + 3 + 4 + 5 + 120],
    ]);
  });

  it('is told by all of its labels together', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a', 'b'] });
    const half = 'x'.repeat(LABELS_BYTES_MAX / 2);
    counter.inc({ a: half });
    counter.inc({ b: half });
    counter.inc({ a: half, b: half });
    const lengths = (await rig.samples()).map(({ labels }) => labels.get('a')?.length);
    expect(lengths).to.deep.equal([half.length, undefined, OVERFLOW.length]);
  });
});

describe('memory that is full', () => {
  const fullMemories = {
    'the catalog': { memory: { catalogBytes: 65_536 }, expected: 60 },
    'the aggregates': { memory: { aggregateBytes: 65_536 }, expected: 600 },
    'the series entries': { memory: { maxSeries: 20 }, expected: 18 },
  };
  for (const [name, { memory, expected }] of Object.entries(fullMemories)) {
    it(`folds into the overflow series: ${name}`, async () => {
      const rig = new PipelineRig({ memory });
      const histogram = rig.histogram({ labelNames: ['a'], maxSeries: 10_000 });
      for (let index = 0; index < 2000; index++) {
        histogram.observe({ a: `${index}-${'x'.repeat(1000)}` }, 1);
      }
      const counts = (await rig.samples()).filter(({ name: one }) => one === 'test_seconds_count');
      expect(counts.length).to.be.within(expected - 10, expected + 50);
      expect(overflowOf(counts)).to.have.length(1);
      expect(counts.reduce((sum, { value }) => sum + value, 0)).to.equal(2000);
      expect(rig.pipeline.totals().seriesRefused).to.equal(2000 - counts.length + 1);
    });
  }

  it('still takes a small label set after one that was too large for the rest of the catalog', async () => {
    const rig = new PipelineRig({ memory: { catalogBytes: 65_536 } });
    const counter = rig.counter({ labelNames: ['a'] });
    counter.inc({ a: 'x'.repeat(100_000) });
    counter.inc({ a: 'small' });
    const samples = await rig.samples();
    expect(samples.map(({ labels }) => labels.get('a'))).to.deep.equal([OVERFLOW, 'small']);
  });
});
