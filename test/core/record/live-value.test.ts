import { FamilyKind } from '@offloop/core/internal/layout/catalog.js';
import { seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import {
  readLiveValue,
  writeLiveCount,
  writeLiveValue,
} from '@offloop/core/internal/record/live-value.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { SegmentRig } from '../segment-rig.js';

function createLive() {
  const rig = new SegmentRig();
  const before = rig.addSeries(rig.addFamily());
  const block = seriesBlock(
    rig.segment,
    rig.addSeries(rig.addFamily({ kind: FamilyKind.liveGauge })),
  );
  const after = rig.addSeries(rig.addFamily());
  return { rig, segment: rig.segment, block, neighbours: [before, after] };
}

describe('live value', () => {
  it('is 0 at first', () => {
    const { segment, block } = createLive();
    expect(readLiveValue(segment, block)).to.equal(0);
  });

  it(`is what was written last, whatever it is, seed ${runSeed}`, () => {
    const { segment, block } = createLive();
    const random = new Random();
    for (let count = 0; count < 1000; count++) {
      const value = random.bits();
      writeLiveValue(segment, block, value);
      expect(Object.is(readLiveValue(segment, block), value)).to.equal(true);
    }
  });

  it('goes on across the wrap of its sequence', () => {
    for (const start of [2 ** 31 - 3, -3]) {
      const { segment, block } = createLive();
      segment.liveCells[block * 2] = start;
      for (let value = 1; value <= 6; value++) {
        writeLiveValue(segment, block, value);
        expect(readLiveValue(segment, block)).to.equal(value);
      }
    }
  });

  it('stays whole while the next one is half written', () => {
    const { segment, block } = createLive();
    writeLiveValue(segment, block, 7);
    const sequence = segment.liveCells[block * 2] as number;
    // The next one goes to the double that does not count; the sequence has not moved yet.
    segment.aggregates[block + 1 + ((sequence + 1) & 1)] = 1e99;
    expect(readLiveValue(segment, block)).to.equal(7);
  });

  it('has a count of its own, which adds to the value', () => {
    const { segment, block } = createLive();
    for (const count of [1, 0, -(2 ** 31), 2 ** 31 - 1]) {
      writeLiveCount(segment, block, count);
      expect(readLiveValue(segment, block)).to.equal(count);
    }
    writeLiveValue(segment, block, 0.5);
    expect(readLiveValue(segment, block)).to.equal(2 ** 31 - 0.5);
  });

  it('leaves its neighbours alone, and they leave it alone', () => {
    const { rig, segment, block, neighbours } = createLive();
    for (let count = 1; count <= 50; count++) {
      writeLiveValue(segment, block, -count);
      for (const series of neighbours) rig.recorder.record(series, 1);
    }
    rig.drainAll();
    expect(readLiveValue(segment, block)).to.equal(-50);
    expect(neighbours.map((series) => rig.counter(series))).to.deep.equal([50, 50]);
  });
});
