import { enterBatch, leaveBatch, takeLease } from '@offloop/core/internal/aggregate/lease.js';
import { SKETCH_CELLS } from '@offloop/core/internal/aggregate/sketch.js';
import { histogramBlockDoubles } from '@offloop/core/internal/layout/aggregates.js';
import { FamilyKind } from '@offloop/core/internal/layout/catalog.js';
import { seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import { COMMIT_STATE, CONSUMER_CURSOR } from '@offloop/core/internal/layout/control-block.js';
import { writeLiveValue } from '@offloop/core/internal/record/live-value.js';
import { expect } from 'chai';
import { SegmentRig } from '../segment-rig.js';

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
