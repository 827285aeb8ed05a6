import { readCommitted } from '@offloop/core/internal/aggregate/committed-read.js';
import { BLOCK_COUNTS } from '@offloop/core/internal/layout/aggregates.js';
import { seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import { COMMIT_STATE, LOG_COUNT } from '@offloop/core/internal/layout/control-block.js';
import { expect } from 'chai';
import { SegmentRig } from '../segment-rig.js';
import { crashDuringBatch } from './crash.js';

/** A reading of a series that a batch changes in two places. */
function readCounts(rig: SegmentRig, histogram: number) {
  const block = seriesBlock(rig.segment, histogram);
  const readings: { sum: number; counts: number[] }[] = [];
  const isCommitted = readCommitted(rig.segment, (aggregates) => {
    readings.push({
      sum: aggregates[block] as number,
      counts: Array.from(aggregates.slice(block + BLOCK_COUNTS, block + BLOCK_COUNTS + 3)),
    });
  });
  return { isCommitted, last: readings.at(-1), readings };
}

describe('readCommitted', () => {
  it('reads the memory itself, once, when nobody drains', () => {
    const rig = new SegmentRig();
    let seen: Float64Array | undefined;
    let calls = 0;
    const isCommitted = readCommitted(rig.segment, (aggregates) => {
      seen = aggregates;
      calls++;
    });
    expect({ isCommitted, calls }).to.deep.equal({ isCommitted: true, calls: 1 });
    expect(seen).to.equal(rig.segment.aggregates);
  });

  it('reads the batch whole, however much of it a dead thread had applied', () => {
    const { entries } = crashDuringBatch({ isCommitted: true, applied: 0 });
    for (let applied = 0; applied <= entries; applied++) {
      const { rig, histogram } = crashDuringBatch({ isCommitted: true, applied });
      const { isCommitted, last, readings } = readCounts(rig, histogram);
      expect(isCommitted).to.equal(true);
      expect(readings).to.have.length(1);
      expect(last).to.deep.equal({ sum: 9, counts: [2, 2, 2] });
    }
  });

  it('changes nothing while it does so', () => {
    const { rig, histogram } = crashDuringBatch({ isCommitted: true, applied: 3 });
    const bytes = Buffer.from(new Uint8Array(rig.segment.buffer).slice());
    readCounts(rig, histogram);
    expect(bytes.equals(new Uint8Array(rig.segment.buffer).slice())).to.equal(true);
  });

  it('reads the state before a batch that was staged and not committed', () => {
    const { rig, histogram } = crashDuringBatch({ isCommitted: false, applied: 0 });
    const { isCommitted, last } = readCounts(rig, histogram);
    expect(isCommitted).to.equal(true);
    expect(last).to.deep.equal({ sum: 4.5, counts: [1, 1, 1] });
  });

  it('reads again when a batch came in between', () => {
    const rig = new SegmentRig();
    const series = rig.addSeries(rig.addFamily());
    const readings: number[] = [];
    const isCommitted = readCommitted(rig.segment, (aggregates) => {
      readings.push(aggregates[seriesBlock(rig.segment, series)] as number);
      if (readings.length > 3) return;
      rig.recorder.record(series, 1);
      rig.drainAll();
    });
    expect(isCommitted).to.equal(true);
    expect(readings).to.deep.equal([0, 1, 2, 3]);
  });

  it('says so when every reading was overtaken', () => {
    const rig = new SegmentRig();
    const series = rig.addSeries(rig.addFamily());
    const isCommitted = readCommitted(rig.segment, () => {
      rig.recorder.record(series, 1);
      rig.drainAll();
    });
    expect(isCommitted).to.equal(false);
  });

  it('is not led astray by a log whose count or cells make no sense', () => {
    const { rig, histogram } = crashDuringBatch({ isCommitted: true, applied: 0 });
    const { control, logCells } = rig.segment;
    control[LOG_COUNT] = 0x7fff_ffff;
    logCells.fill(0xffff_ffff, 20);
    expect(readCounts(rig, histogram).isCommitted).to.equal(true);
  });

  it('works across the wrap of the state', () => {
    for (const [state, isOdd] of [
      [2 ** 31 - 1, true],
      [-(2 ** 31), false],
      [-1, true],
    ] as const) {
      const { rig, histogram } = crashDuringBatch({ isCommitted: isOdd, applied: 0 });
      rig.segment.control[COMMIT_STATE] = state;
      expect(readCounts(rig, histogram).last?.sum).to.equal(isOdd ? 9 : 4.5);
    }
  });
});
