import type { AheadReader, Drain } from '@offloop/core/engine';
import { ReadAheadSchedule } from '@offloop/worker/internal/thread/read-ahead-schedule.js';
import { expect } from 'chai';

const POLL_MS = 10;

/** A thread that polls, a main that reads snapshots, and a clock that both look at. */
class Rig {
  nowMs = 1_000;
  /** When the thread has read ahead. */
  readonly readings: number[] = [];
  readingMs = 0;
  readonly ahead: ReadAheadSchedule;
  private readonly reads = { count: 0, lastMs: 0 };

  constructor() {
    const drain = {
      whileHolding: (work: () => void): boolean => {
        work();
        return true;
      },
    };
    const reader = {
      reads: this.reads,
      read: () => {
        this.readings.push(this.nowMs);
        this.nowMs += this.readingMs;
      },
    };
    this.ahead = new ReadAheadSchedule(
      drain as Drain,
      reader as unknown as AheadReader,
      () => this.nowMs,
    );
  }

  /** Main reads a snapshot. */
  read(): void {
    this.reads.count++;
    this.reads.lastMs = this.nowMs;
  }

  /** Time passes, in which the thread polls. @returns When it read ahead, ms since the beginning of that time. */
  pass(ms: number, pollMs = POLL_MS): number[] {
    const since = this.nowMs;
    const seen = this.readings.length;
    for (; this.nowMs < since + ms; this.nowMs += pollMs) this.ahead.polled(pollMs);
    return this.readings.slice(seen).map((atMs) => atMs - since);
  }
}

describe('reading ahead', () => {
  it('is not done where nobody reads snapshots', () => {
    const rig = new Rig();
    rig.ahead.flushed();
    expect(rig.pass(100_000)).to.deep.equal([]);
    expect(rig.readings).to.deep.equal([]);
  });

  it('is done at the polls that follow the first snapshot, as the next may come at once', () => {
    const rig = new Rig();
    rig.read();
    expect(rig.pass(1_000)).to.deep.equal([0, 10, 20, 30, 40, 50]);
  });

  it('is done from the last poll before a snapshot is due, until that is read', () => {
    const rig = new Rig();
    rig.read();
    rig.pass(5_000);
    rig.read();
    for (let reads = 0; reads < 3; reads++) {
      expect(rig.pass(5_000)).to.deep.equal([4_980, 4_990]);
      rig.read();
    }
  });

  it('waits for a snapshot that is late for a tenth of the time in which it was to come, and no longer', () => {
    const rig = new Rig();
    rig.read();
    rig.pass(1_000);
    rig.read();
    const readings = rig.pass(60_000);
    expect(readings[0]).to.equal(980);
    expect(readings.at(-1)).to.equal(1_100);
    expect(readings).to.have.length(13);
  });

  it('is done at each poll where snapshots are read more often than that', () => {
    const rig = new Rig();
    for (let round = 0; round < 10; round++) {
      rig.read();
      rig.read();
      expect(rig.pass(20)).to.deep.equal([0, 10]);
    }
  });

  it('takes several snapshots at a time for one', () => {
    const rig = new Rig();
    for (let round = 0; round < 3; round++) {
      rig.read();
      rig.read();
      const readings = rig.pass(5_000);
      if (round > 0) expect(readings).to.deep.equal([4_980, 4_990]);
    }
  });

  it('takes a twentieth of the time at most, but for flushes', () => {
    const rig = new Rig();
    rig.readingMs = 3;
    for (let round = 0; round < 50; round++) {
      rig.read();
      rig.pass(20);
    }
    const tookMs = rig.readings.length * rig.readingMs;
    expect(tookMs / (rig.nowMs - 1_000)).to.be.within(0.03, 0.06);
    const before = rig.readings.length;
    rig.ahead.flushed();
    rig.ahead.flushed();
    expect(rig.readings).to.have.length(before + 2);
  });

  it('is done at the last poll before, however seldom an idle thread polls', () => {
    const rig = new Rig();
    rig.read();
    rig.pass(2_200);
    rig.read();
    // The next poll would come at 2 500.
    expect(rig.pass(2_200, 500)).to.deep.equal([2_000]);
  });

  it('is not given up where the machine lets one reading take long', () => {
    const rig = new Rig();
    rig.readingMs = 100;
    rig.read();
    rig.pass(10);
    rig.readingMs = 0;
    rig.read();
    expect(rig.pass(50)).to.deep.equal([]);
    for (let round = 0; round < 10; round++) {
      rig.read();
      rig.pass(20);
    }
    expect(rig.readings.length).to.be.above(10);
  });

  it('is done at each flush in the minute after a snapshot', () => {
    const rig = new Rig();
    rig.read();
    rig.pass(59_000);
    const before = rig.readings.length;
    for (let flushes = 1; flushes < 4; flushes++) {
      rig.ahead.flushed();
      expect(rig.readings).to.have.length(before + flushes);
    }
    rig.pass(1_100);
    rig.ahead.flushed();
    expect(rig.readings).to.have.length(before + 3);
  });
});
