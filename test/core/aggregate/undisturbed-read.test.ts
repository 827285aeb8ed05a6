import { readUndisturbed } from '@offloop/core/internal/aggregate/committed-read.js';
import { HealthSource } from '@offloop/core/internal/health/health-source.js';
import { REUSE_COUNT } from '@offloop/core/internal/layout/control-block.js';
import { SnapshotReader } from '@offloop/core/internal/snapshot/snapshot-reader.js';
import { expect } from 'chai';
import { SegmentRig } from '../segment-rig.js';

describe('a reading beside which series get memory of others', () => {
  it('is made again, as often as that happens', () => {
    const { segment } = new SegmentRig();
    let readings = 0;
    const result = readUndisturbed(segment, () => {
      if (++readings < 4) Atomics.add(segment.control, REUSE_COUNT, 1);
      return readings;
    });
    expect(result).to.equal(4);
    expect(readUndisturbed(segment, () => ++readings)).to.equal(5);
  });

  it('ends although it happens each time', () => {
    const { segment } = new SegmentRig();
    let readings = 0;
    readUndisturbed(segment, () => {
      readings++;
      Atomics.add(segment.control, REUSE_COUNT, 1);
    });
    expect(readings).to.equal(100);
  });

  it('is what snapshots and the health of a service are made of', () => {
    const { segment } = new SegmentRig();
    const health = new HealthSource(segment);
    const snapshots = new SnapshotReader(segment);
    for (const read of [
      () => void snapshots.read({ isLagMonitored: false }),
      () => void health.totals(),
      () => void health.caches(),
      () => void health.windowAt(1),
    ]) {
      let looks = 0;
      const { load } = Atomics;
      // It looks before each reading.
      Atomics.load = ((cells: Int32Array, cell: number) => {
        if (cells === segment.control && cell === REUSE_COUNT && ++looks === 1) {
          const before = load(cells, cell);
          Atomics.add(cells, cell, 1);
          return before;
        }
        return load(cells, cell);
      }) as typeof load;
      try {
        read();
      } finally {
        Atomics.load = load;
      }
      expect(looks).to.equal(2);
    }
  });
});
