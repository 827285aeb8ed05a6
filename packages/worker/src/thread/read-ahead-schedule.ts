import { type AheadReader, type Drain, monotonicMs } from '@offloop/core/engine';

/** A timer of main fires at its time or later; a reading takes some tenths of a millisecond until it is there. */
const EARLY_MS = 10;
/** How late a snapshot may be: a share of the time in which it was to come, and at least five polls. A loop under load lags by some milliseconds. */
const LATE_SHARE = 0.1;
const LATE_MS_MIN = 50;
/** Of the thread's time between flushes: a reading of a thousand routes takes milliseconds, and polls are 10 ms apart. */
const SHARE_MAX = 0.05;
/** However long a reading took, as a busy machine makes any of them long. */
const REST_MS_MAX = 200;
/** Who has not read a snapshot for so long will not do so after this flush. */
const READ_AGE_MS_MAX = 60_000;

/**
 * When to read ahead for main's next snapshot, so that main need not read: when it flushes, which is what one does before a snapshot; and at those polls
 * after which the next one is due, as long after the last one as that came after the one before. Who reads every few seconds has it cost some readings
 * each time, and not one a poll; who reads none has it cost nothing.
 */
export class ReadAheadSchedule {
  private readonly drain: Drain;
  private readonly reader: AheadReader;
  private readonly clock: () => number;
  private readsSeen = 0;
  private lastMs = Number.NEGATIVE_INFINITY;
  /** Between the last two snapshots, and when the next one is due. */
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
    if (this.clock() - this.lastMs <= READ_AGE_MS_MAX) this.read();
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
    if (untilDueMs > pauseMs + EARLY_MS || untilDueMs < -lateMsMax) return;
    this.read();
    const tookMs = this.clock() - nowMs;
    this.restsUntilMs = nowMs + Math.min(tookMs / SHARE_MAX, REST_MS_MAX);
  }

  private lookForReads(): void {
    const { count, lastMs } = this.reader.reads;
    if (count === this.readsSeen) return;
    // Before the first one there is none to be as far away from. Several between two looks are one for whoever reads several at a time.
    this.gapMs = this.readsSeen === 0 ? 0 : lastMs - this.lastMs;
    this.dueMs = lastMs + this.gapMs;
    this.readsSeen = count;
    this.lastMs = lastMs;
  }

  private read(): void {
    // Where the lease is lost, the drain learns of it as well.
    this.drain.whileHolding(this.reader.read);
  }
}
