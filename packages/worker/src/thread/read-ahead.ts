import { type AheadReader, type Drain, monotonicMs } from '@offloop/core/engine';

/** A timer of main fires at its time or later, and what it calls takes a moment to read. */
const EARLY_MS = 10;
/** How late main may be, as a share of the time between two snapshots, and at least: a loop under load lags by some milliseconds. */
const LATE_SHARE = 0.1;
const LATE_MS_MIN = 50;
/** Of the thread's time, as many routes take milliseconds: then not every poll is worth a reading. */
const SHARE_MAX = 0.05;

/**
 * Reads for main's next snapshot, so that main need not: when it is told to flush; and at those polls after which the next snapshot is due, as long after
 * the last one as that came after the one before. Who reads every few seconds has it cost some readings each time, and not one a poll; for
 * who reads none it does nothing.
 */
export class ReadAhead {
  private readonly drain: Drain;
  private readonly reader: AheadReader;
  private readonly clock: () => number;
  private readsSeen = 0;
  private lastMs = 0;
  /** Between two snapshots, and when the next one is due. */
  private gapMs = 0;
  private dueMs = Number.NEGATIVE_INFINITY;
  private restsUntilMs = Number.NEGATIVE_INFINITY;

  /** @param clock Ms, as main notes them; for tests. */
  constructor(drain: Drain, reader: AheadReader, clock: () => number = monotonicMs) {
    this.drain = drain;
    this.reader = reader;
    this.clock = clock;
  }

  /** Everything published is drained, and main waits for that. */
  flushed(): void {
    this.lookForReads();
    if (this.readsSeen !== 0) this.read();
  }

  /**
   * The drain has looked at the ring, and left few records in it.
   *
   * @param pauseMs Until it looks again.
   */
  polled(pauseMs: number): void {
    this.lookForReads();
    const nowMs = this.clock();
    if (nowMs < this.restsUntilMs) return;
    const untilDueMs = this.dueMs - nowMs;
    const lateMsMax = Math.max(LATE_MS_MIN, this.gapMs * LATE_SHARE);
    if (untilDueMs <= pauseMs + EARLY_MS && untilDueMs >= -lateMsMax) this.read();
  }

  private lookForReads(): void {
    const { count, lastMs } = this.reader.reads;
    const reads = (count - this.readsSeen) | 0;
    if (reads === 0) return;
    // Before the first one there is none to be as far away from.
    this.gapMs = this.readsSeen === 0 ? 0 : (lastMs - this.lastMs) / reads;
    this.dueMs = lastMs + this.gapMs;
    this.readsSeen = count;
    this.lastMs = lastMs;
  }

  private read(): void {
    const beganMs = this.clock();
    // Where the lease is lost, the drain learns of it as well.
    this.drain.betweenBatches(this.reader.read);
    this.restsUntilMs = beganMs + (this.clock() - beganMs) / SHARE_MAX;
  }
}
