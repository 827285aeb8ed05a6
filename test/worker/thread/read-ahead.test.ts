import type { AheadReader, Drain } from '@offloop/core/engine';
import { ReadAhead } from '@offloop/worker/internal/thread/read-ahead.js';
import { expect } from 'chai';

/** A drain and a reader that only count. */
class Rig {
  reads = 0;
  readings = 0;
  readonly ahead: ReadAhead;

  constructor() {
    const rig = this;
    const drain = {
      betweenBatches: (work: () => void): boolean => {
        work();
        return true;
      },
    };
    const reader = {
      get reads() {
        return rig.reads;
      },
      read: () => {
        rig.readings++;
      },
    };
    this.ahead = new ReadAhead(drain as Drain, reader as AheadReader);
  }

  /** @returns Readings ahead in so many polls that found records. */
  poll(times: number): number {
    const before = this.readings;
    for (let poll = 0; poll < times; poll++) this.ahead.drained();
    return this.readings - before;
  }
}

describe('reading ahead', () => {
  it('is not done where nobody reads snapshots', () => {
    const rig = new Rig();
    rig.ahead.flushed();
    expect(rig.poll(100)).to.equal(0);
    expect(rig.readings).to.equal(0);
  });

  it('is done at ten polls after a snapshot, and for each of them anew', () => {
    const rig = new Rig();
    rig.reads++;
    expect(rig.poll(100)).to.equal(10);
    rig.reads++;
    expect(rig.poll(4)).to.equal(4);
    rig.reads += 3;
    expect(rig.poll(100)).to.equal(10);
  });

  it('is done at each flush, once somebody has read a snapshot', () => {
    const rig = new Rig();
    rig.reads++;
    expect(rig.poll(100)).to.equal(10);
    for (let flushes = 1; flushes < 4; flushes++) {
      rig.ahead.flushed();
      expect(rig.readings).to.equal(10 + flushes);
    }
  });
});
