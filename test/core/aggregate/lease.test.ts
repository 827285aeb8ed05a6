import { Drain } from '@offloop/core/internal/aggregate/drain.js';
import {
  enterBatch,
  holdsLease,
  type Lease,
  leaveBatch,
  takeLease,
} from '@offloop/core/internal/aggregate/lease.js';
import { LEASE } from '@offloop/core/internal/layout/control-block.js';
import { expect } from 'chai';
import { SegmentRig } from '../segment-rig.js';
import { crashDuringBatch } from './crash.js';

describe('lease', () => {
  it('goes to whoever asks while its holder is not in a batch', () => {
    const { segment, lease } = new SegmentRig();
    expect(holdsLease(segment, lease)).to.equal(true);
    const next = takeLease(segment, false) as Lease;
    expect(next.epoch).to.equal(lease.epoch + 1);
    expect(holdsLease(segment, lease)).to.equal(false);
    expect(holdsLease(segment, next)).to.equal(true);
  });

  it('is refused while its holder is in a batch', () => {
    const { segment, lease } = new SegmentRig();
    expect(enterBatch(segment, lease)).to.equal(true);
    expect(takeLease(segment, false)).to.equal(undefined);
    expect(holdsLease(segment, lease)).to.equal(true);
    leaveBatch(segment, lease);
    expect(takeLease(segment, false)).to.not.equal(undefined);
  });

  it('is taken from a holder in a batch whose thread has exited', () => {
    const { segment, lease } = new SegmentRig();
    enterBatch(segment, lease);
    const next = takeLease(segment, true) as Lease;
    expect(enterBatch(segment, lease)).to.equal(false);
    expect(enterBatch(segment, next)).to.equal(true);
  });

  it('lets nobody enter twice', () => {
    const { segment, lease } = new SegmentRig();
    enterBatch(segment, lease);
    expect(enterBatch(segment, lease)).to.equal(false);
  });

  it('goes on after its last epoch', () => {
    const { segment } = new SegmentRig();
    segment.control[LEASE] = 0x3fff_ffff << 1;
    const last: Lease = { epoch: 0x3fff_ffff };
    expect(enterBatch(segment, last)).to.equal(true);
    expect(takeLease(segment, false)).to.equal(undefined);
    leaveBatch(segment, last);
    const next = takeLease(segment, false) as Lease;
    expect(holdsLease(segment, last)).to.equal(false);
    expect(holdsLease(segment, next)).to.equal(true);
    expect(enterBatch(segment, next)).to.equal(true);
    expect(takeLease(segment, false)).to.equal(undefined);
  });
});

describe('taking the lease of a dead holder', () => {
  it('finishes a committed batch from wherever it was interrupted', () => {
    const { entries } = crashDuringBatch({ isCommitted: true, applied: 0 });
    for (let applied = 0; applied <= entries; applied++) {
      const { rig, after } = crashDuringBatch({ isCommitted: true, applied });
      expect(takeLease(rig.segment, true)).to.not.equal(undefined);
      expect(memoryOf(rig)).to.deep.equal(after);
    }
  });

  it('finishes it once, also when the successor dies in the middle of that and another one follows', () => {
    const { rig, after } = crashDuringBatch({ isCommitted: true, applied: 2 });
    const { aggregates, control, logCells, logValues } = rig.segment;
    // The successor has the lease, and has applied a few entries when it dies.
    control[LEASE] = 5 << 1;
    for (let index = 0; index < 4; index++) {
      aggregates[logCells[index] as number] = logValues[index] as number;
    }
    expect(takeLease(rig.segment, false)).to.deep.equal({ epoch: 6 });
    expect(memoryOf(rig)).to.deep.equal(after);
    takeLease(rig.segment, true);
    expect(memoryOf(rig)).to.deep.equal(after);
  });

  it('leaves a batch that was staged and not committed to the next drain, which counts it once', () => {
    const { rig, before, after } = crashDuringBatch({ isCommitted: false, applied: 0 });
    const lease = takeLease(rig.segment, true) as Lease;
    expect(memoryOf(rig)).to.deep.equal(before);
    new Drain(rig.segment, lease).drainAll();
    expect(memoryOf(rig)).to.deep.equal(after);
  });

  it('goes on counting afterwards', () => {
    const { rig, series } = crashDuringBatch({ isCommitted: true, applied: 1 });
    const lease = takeLease(rig.segment, true) as Lease;
    const counted = rig.counter(series);
    rig.recorder.record(series, 100);
    rig.recorder.publish();
    new Drain(rig.segment, lease).drainAll();
    expect(rig.counter(series)).to.equal(counted + 100);
    expect(rig.totals()).to.include({ backlogRecords: 0, unattributedRecords: 0 });
  });
});

/** Everything that a batch changes for good, but for the time that it took. */
function memoryOf(rig: SegmentRig) {
  const { drainMs: _, ...totals } = rig.totals();
  return { totals, blocks: Array.from(rig.segment.aggregates.subarray(16)) };
}
