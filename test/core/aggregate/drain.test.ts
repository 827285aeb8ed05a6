import { enterBatch, leaveBatch, takeLease } from '@offloop/core/internal/aggregate/lease.js';
import { SKETCH_CELLS } from '@offloop/core/internal/aggregate/sketch.js';
import { WIDE_SHAPE } from '@offloop/core/internal/aggregate/sketch-shape.js';
import { WIDE_SKETCH_CELLS } from '@offloop/core/internal/aggregate/wide-sketch.js';
import { histogramBlockDoubles } from '@offloop/core/internal/layout/aggregates.js';
import { FamilyKind } from '@offloop/core/internal/layout/catalog.js';
import { seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import { COMMIT_STATE, CONSUMER_CURSOR } from '@offloop/core/internal/layout/control-block.js';
import { writeLiveValue } from '@offloop/core/internal/record/live-value.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { SegmentRig } from '../segment-rig.js';
import { wideSketchCellOf } from './wide-cell.js';

describe('drain: batches', () => {
  it('finds nothing in an empty ring, and says so', () => {
    const rig = new SegmentRig();
    expect(rig.drain.drainBatch()).to.equal(0);
    expect(rig.drain.drainAll()).to.equal(true);
    expect(rig.totals()).to.include({ batches: 0, aggregatedRecords: 0 });
  });

  it('takes half the ring at most, and as many as asked for', () => {
    const rig = new SegmentRig();
    const series = rig.addSeries(rig.addFamily());
    for (let index = 0; index < 256; index++) rig.recorder.record(series, 1);
    expect(rig.drain.drainBatch(0)).to.equal(0);
    expect(rig.drain.drainBatch(1)).to.equal(1);
    expect(rig.drain.drainBatch()).to.equal(128);
    expect(rig.drain.drainBatch(1000)).to.equal(127);
    expect(rig.drain.drainBatch()).to.equal(0);
    expect(rig.counter(series)).to.equal(256);
    expect(rig.totals().batches).to.equal(3);
  });

  it('works in the smallest ring, a record at a time', () => {
    const rig = new SegmentRig({ sizes: { capacityRecords: 2 }, startAt: 2 ** 31 - 5 });
    const series = rig.addSeries(rig.addHistogram([1], true));
    for (let index = 0; index < 20; index++) {
      rig.recorder.record(series, index);
      rig.recorder.record(series, index);
      expect(rig.recorder.record(series, index)).to.equal(false);
      rig.drainAll();
    }
    expect(rig.histogram(series, 1).counts).to.deep.equal([4, 36]);
  });

  it('counts a series that is added between two batches, of a known family and of a new one', () => {
    const rig = new SegmentRig();
    const family = rig.addHistogram([1]);
    const first = rig.addSeries(family);
    rig.recorder.record(first, 1);
    rig.drainAll();
    const second = rig.addSeries(family);
    const other = rig.addSeries(rig.addHistogram([5, 6, 7], true));
    for (const series of [second, other, first]) rig.recorder.record(series, 1);
    rig.drainAll();
    expect(rig.histogram(first, 1).counts).to.deep.equal([2, 0]);
    expect(rig.histogram(second, 1).counts).to.deep.equal([1, 0]);
    expect(rig.histogram(other, 3).counts).to.deep.equal([1, 0, 0, 0]);
  });

  it('counts 65 535 and more observations of one value in a ring larger than a batch', () => {
    const rig = new SegmentRig({ sizes: { capacityRecords: 131_072 } });
    const series = rig.addSeries(rig.addHistogram([1], true));
    for (let index = 0; index < 131_072; index++) rig.recorder.record(series, 0.5);
    rig.drainAll();
    expect(rig.histogram(series, 1).counts).to.deep.equal([131_072, 0]);
    expect(rig.totals().batches).to.equal(4);
  });

  it('ends a batch that touches more series than it has slots, and counts all of them', () => {
    const count = 20_000;
    const rig = new SegmentRig({
      sizes: {
        capacityRecords: 65_536,
        maxSeries: count,
        catalogBytes: 2 ** 20,
        aggregateCells: 2 ** 20,
      },
    });
    const family = rig.addFamily();
    const ids = Array.from({ length: count }, () => rig.addSeries(family));
    for (const id of ids) rig.recorder.record(id, id);
    rig.recorder.publish();
    expect(rig.drain.drainBatch()).to.equal(16_384);
    expect(rig.drain.drainBatch()).to.equal(count - 16_384);
    for (const id of ids) expect(rig.counter(id)).to.equal(id);
  });

  it('ends a batch whose sketches do not fit, and counts all of them', () => {
    const bounds = [0.1, 1];
    const count = 1300;
    const rig = new SegmentRig({
      sizes: {
        capacityRecords: 8192,
        maxSeries: count,
        aggregateCells: 32 + count * histogramBlockDoubles(bounds.length, SKETCH_CELLS),
      },
    });
    const family = rig.addHistogram(bounds, true);
    const ids = Array.from({ length: count }, () => rig.addSeries(family));
    for (const id of ids) rig.recorder.record(id, 0.5);
    for (const id of ids) rig.recorder.record(id, 2);
    rig.recorder.publish();
    const first = rig.drain.drainBatch();
    expect(first).to.equal(Math.floor(1_048_576 / (SKETCH_CELLS + 3)));
    rig.drainAll();
    for (const id of ids) {
      const { sum, counts } = rig.histogram(id, bounds.length);
      expect({ sum, counts }).to.deep.equal({ sum: 2.5, counts: [0, 1, 1] });
    }
    expect(rig.totals()).to.include({ aggregatedRecords: 2 * count, unattributedRecords: 0 });
  });

  it('takes more than a thousand wide sketches in one batch, of values that lie as usual ones do', () => {
    const count = 1_000;
    const rig = new SegmentRig({
      sizes: {
        capacityRecords: 65_536,
        maxSeries: count,
        aggregateCells: 32 + count * histogramBlockDoubles(1, WIDE_SKETCH_CELLS),
      },
    });
    const family = rig.addHistogram([1], 'wide');
    const ids = Array.from({ length: count }, () => rig.addSeries(family));
    // From 1 ms to 4 s: in three groups at most.
    const values = Array.from({ length: 32 }, (_, step) => 0.001 * 1.3 ** step);
    for (const id of ids) for (const value of values) rig.recorder.record(id, value);
    rig.recorder.publish();
    expect(rig.drain.drainBatch()).to.equal(count * values.length);
  });

  it('ends a batch whose wide sketches do not fit, and counts all of them', () => {
    const count = 300;
    const rig = new SegmentRig({
      sizes: {
        capacityRecords: 16_384,
        maxSeries: count,
        aggregateCells: 32 + count * histogramBlockDoubles(0, WIDE_SKETCH_CELLS),
      },
    });
    const family = rig.addSummary();
    const ids = Array.from({ length: count }, () => rig.addSeries(family));
    // One in each group of the sketch.
    const values = Array.from({ length: 21 }, (_, group) =>
      Math.max(-1e300, WIDE_SHAPE.upperBound(group * 256) * (group > 10 ? 1 : 1.00001)),
    );
    for (const id of ids) for (const value of values) rig.recorder.record(id, value);
    rig.recorder.publish();
    const first = rig.drain.drainBatch() as number;
    expect(first).to.be.within(190 * 21, 200 * 21);
    rig.drainAll();
    for (const id of ids) {
      const { counts, sketch, groups } = rig.histogram(id, 0, 'wide');
      expect(counts).to.deep.equal([21]);
      expect(groups).to.equal(2 ** 21 - 1);
      expect(sketch.reduce((sum, cell) => sum + cell)).to.equal(21);
    }
    expect(rig.totals()).to.include({ aggregatedRecords: count * 21, unattributedRecords: 0 });
  });

  it('counts what lies beyond a wide sketch in its outermost cells, and keeps sum and buckets exact', () => {
    const rig = new SegmentRig();
    const series = rig.addSeries(rig.addHistogram([-(2 ** 52), 2 ** 52], 'wide'));
    for (const value of [-(2 ** 60), -(2 ** 51), -(2 ** 50), 2 ** 50, 2 ** 51, 2 ** 61])
      rig.recorder.record(series, value);
    rig.drainAll();
    const { sum, counts, sketch } = rig.histogram(series, 2, 'wide');
    expect(sum).to.equal(2 ** 60);
    expect(counts).to.deep.equal([1, 4, 1]);
    expect([0, 1, 5121, 5122].map((cell) => sketch[cell])).to.deep.equal([2, 1, 1, 2]);
  });

  it(`counts every pattern of bits in its cell of a wide sketch, seed ${runSeed}`, () => {
    const random = new Random();
    const rig = new SegmentRig({ sizes: { capacityRecords: 4_096 } });
    const series = rig.addSeries(rig.addSummary());
    const expected = Array<number>(WIDE_SKETCH_CELLS).fill(0);
    for (let count = 0; count < 20_000; count++) {
      // Half of them with an exponent in the sketch's range.
      const value =
        count % 2 === 0 ? random.bits() : (random.unit() - 0.5) * 2 ** (random.below(84) - 32);
      if (!Number.isFinite(value)) continue;
      rig.recorder.record(series, value);
      const cell = wideSketchCellOf(value);
      expected[cell] = (expected[cell] as number) + 1;
      if (count % 1_000 === 0) rig.drainAll();
    }
    rig.drainAll();
    expect(rig.histogram(series, 0, 'wide').sketch.join()).to.equal(expected.join());
  });

  it('counts wide and other families that take turns, record by record', () => {
    const rig = new SegmentRig({ sizes: { aggregateCells: 131_072 } });
    const ids = [
      rig.addHistogram([1], 'wide'),
      rig.addFamily(),
      rig.addSummary(),
      rig.addHistogram([1], true),
      // No table serves bounds below zero.
      rig.addHistogram([-1, 1], 'wide'),
      rig.addHistogram([-1, 1]),
    ].map((family) => rig.addSeries(family));
    for (const value of [-2, 0.5, 3])
      for (const id of [...ids, -1, ...ids.toReversed()]) rig.recorder.record(id, value);
    rig.drainAll();
    const [first = 0, counter = 0, summary = 0, narrow = 0, wide = 0, searched = 0] = ids;
    expect(rig.counter(counter)).to.equal(3);
    expect(rig.histogram(first, 1, 'wide')).to.deep.include({ sum: 3, counts: [4, 2] });
    expect(rig.histogram(narrow, 1, true)).to.deep.include({ sum: 3, counts: [4, 2] });
    expect(rig.histogram(summary, 0, 'wide')).to.deep.include({ sum: 3, counts: [6] });
    for (const id of [wide, searched])
      expect(rig.histogram(id, 2, false)).to.deep.include({ sum: 3, counts: [2, 2, 2] });
    expect(rig.totals().unattributedRecords).to.equal(3);
  });

  it('notes the groups of the sketch in use, of this batch and of those before', () => {
    const rig = new SegmentRig();
    const series = rig.addSeries(rig.addHistogram([1], true));
    let groups = 0;
    for (const [value, group] of [
      [0, 0],
      [1, 20],
      [1.5, 20],
      [64, 26],
      [65, 26],
      [2 ** -20, 0],
      [2 ** -19, 1],
    ] as const) {
      rig.recorder.record(series, value);
      rig.drainAll();
      groups |= 1 << group;
      expect(rig.histogram(series, 1, true).groups, String(value)).to.equal(groups);
    }
  });

  it('keeps sums of counters exact to 2^53', () => {
    const rig = new SegmentRig();
    const series = rig.addSeries(rig.addFamily());
    rig.recorder.record(series, 2 ** 53 - 3);
    rig.drainAll();
    for (let index = 0; index < 3; index++) rig.recorder.record(series, 1);
    rig.drainAll();
    expect(rig.counter(series)).to.equal(2 ** 53);
  });
});

describe('drain: damaged records', () => {
  /** A rig with something of each kind in it, and everything that a stray record could change. */
  function inhabited() {
    const rig = new SegmentRig();
    const counter = rig.addSeries(rig.addFamily());
    const gauge = rig.addSeries(rig.addFamily({ kind: FamilyKind.liveGauge }));
    const histogram = rig.addSeries(rig.addHistogram([1], true));
    writeLiveValue(rig.segment, seriesBlock(rig.segment, gauge), 41);
    for (const series of [counter, histogram]) rig.recorder.record(series, 0.5);
    rig.drainAll();
    const contents = () => Array.from(rig.segment.aggregates.subarray(16));
    return { rig, gauge, counter, contents };
  }

  const damaged: Record<string, (gauge: number) => number> = {
    'of a series never added': () => 3,
    'of the last id that the segment has room for': () => 63,
    'one past it': () => 64,
    'far past it': () => 0x7fff_ffff,
    'of −1': () => -1,
    'of the lowest id': () => -(2 ** 31),
    'of a live gauge, which only the producer writes': (gauge) => gauge,
  };
  for (const [name, idOf] of Object.entries(damaged)) {
    it(`counts a record ${name} as unattributed, and changes nothing else`, () => {
      const { rig, gauge, contents } = inhabited();
      const before = contents();
      for (let index = 0; index < 3; index++) rig.recorder.record(idOf(gauge), 1e6);
      rig.drainAll();
      expect(contents()).to.deep.equal(before);
      expect(rig.totals()).to.include({
        aggregatedRecords: 5,
        unattributedRecords: 3,
        backlogRecords: 0,
      });
    });
  }

  it('counts the records around a damaged one', () => {
    const { rig, counter } = inhabited();
    for (const id of [counter, -1, counter, 63, counter]) rig.recorder.record(id, 1);
    rig.drainAll();
    expect(rig.counter(counter)).to.equal(3.5);
    expect(rig.totals().unattributedRecords).to.equal(2);
  });

  it('tells a new series from the damage before it', () => {
    const { rig } = inhabited();
    rig.recorder.record(3, 1);
    rig.drainAll();
    const late = rig.addSeries(rig.addFamily());
    expect(late).to.equal(3);
    rig.recorder.record(late, 2);
    rig.drainAll();
    expect(rig.counter(late)).to.equal(2);
    expect(rig.totals().unattributedRecords).to.equal(1);
  });
});

describe('drain: the lease', () => {
  it('stops a drain that has lost it, without touching anything', () => {
    const rig = new SegmentRig();
    const series = rig.addSeries(rig.addFamily());
    rig.recorder.record(series, 1);
    rig.recorder.publish();
    expect(takeLease(rig.segment, false)).to.not.equal(undefined);
    expect(rig.drain.drainBatch()).to.equal(undefined);
    expect(rig.drain.drainAll()).to.equal(false);
    expect(rig.counter(series)).to.equal(0);
    expect(rig.segment.control[CONSUMER_CURSOR]).to.equal(0);
    expect(rig.segment.control[COMMIT_STATE]).to.equal(0);
  });

  it('stops a drain between two of its batches', () => {
    const rig = new SegmentRig();
    const series = rig.addSeries(rig.addFamily());
    for (let index = 0; index < 256; index++) rig.recorder.record(series, 1);
    expect(rig.drain.drainBatch()).to.equal(128);
    takeLease(rig.segment, false);
    expect(rig.drain.drainAll()).to.equal(false);
    expect(rig.counter(series)).to.equal(128);
  });

  it('is held while something is done between two batches, and free again when that throws', () => {
    const rig = new SegmentRig();
    const { drain } = rig;
    const isHeld = () => !enterBatch(rig.segment, rig.lease);
    let wasHeld = false;
    const work = () => {
      wasHeld = isHeld();
      throw new Error('of the work');
    };
    expect(() => drain.whileHolding(work)).to.throw('of the work');
    expect(wasHeld).to.equal(true);
    expect(isHeld()).to.equal(false);
    takeLease(rig.segment, true);
    expect(drain.whileHolding(work), 'lost').to.equal(false);
  });

  it('is free again after an empty batch and after a full one', () => {
    const rig = new SegmentRig();
    rig.drain.drainBatch();
    rig.recorder.record(rig.addSeries(rig.addFamily()), 1);
    rig.drainAll();
    expect(enterBatch(rig.segment, rig.lease)).to.equal(true);
    leaveBatch(rig.segment, rig.lease);
    expect(takeLease(rig.segment, false)).to.not.equal(undefined);
  });
});
