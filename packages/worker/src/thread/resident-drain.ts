import type { Drain } from '@offloop/core/engine';

/**
 * An idle thread's poll: each wake a second costs 0.03 to 0.05 % of a core, whatever is done in it (bench/footprint), and the default ring
 * holds the records of a burst until the next one at 131 000 records a second: more than requests on one thread can make.
 */
export const IDLE_POLL_MS = 500;

/** Batches between two looks at the thread's messages: 8 full ones take 5 ms. */
const BATCHES_AT_A_TIME = 8;

/**
 * So few records a poll are not worth looking for more often: a process without requests has 11 in an idle poll's pause, of its lag and, with
 * default metrics, of its utilisation.
 */
const QUIET_RECORDS = 16;

/** A batch this large says that more has arrived meanwhile than a poll's pause should let pile up. */
const BUSY_RECORDS = 4_096;

/**
 * The drain that lives in a thread: polls the ring every `pollMs` while records come, at once while many do, and less and less
 * often when few or none do.
 *
 * Every poll moves the poll count, an idle one as well: it is the thread's heartbeat.
 */
export class ResidentDrain {
  private readonly drain: Drain;
  private readonly pollMs: number;
  private pauseMs: number;
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  private hasLease = true;
  private readonly onPoll: (pauseMs: number) => void;

  /** @param onPoll Called at every poll, with the time to the next one, 0 while many records come. Must not throw. */
  constructor(drain: Drain, pollMs: number, onPoll: (pauseMs: number) => void = () => {}) {
    this.drain = drain;
    this.pollMs = pollMs;
    this.pauseMs = pollMs;
    this.onPoll = onPoll;
  }

  /** Polls from the loop's next turn on, until `stop()` or until the lease is lost. */
  start(): void {
    this.immediate = setImmediate(this.poll);
  }

  stop(): void {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
  }

  /** Drains everything published before the call. @returns `false` when the lease is lost: then it never drains again. */
  drainAll(): boolean {
    if (this.hasLease && !this.drain.drainAll()) this.loseLease();
    return this.hasLease;
  }

  private readonly poll = (): void => {
    let drained: number | undefined = 0;
    let most = 0;
    for (let batches = 0; batches < BATCHES_AT_A_TIME; batches++) {
      drained = this.drain.drainBatch();
      if (drained === undefined) {
        this.loseLease();
        return;
      }
      most = Math.max(most, drained);
      if (drained < BUSY_RECORDS) break;
    }
    if (drained >= BUSY_RECORDS) {
      this.pauseMs = this.pollMs;
      this.onPoll(0);
      this.immediate = setImmediate(this.poll);
      return;
    }
    const isIdle = most < QUIET_RECORDS;
    this.pauseMs = isIdle
      ? Math.max(this.pollMs, Math.min(this.pauseMs * 2, IDLE_POLL_MS))
      : this.pollMs;
    this.onPoll(this.pauseMs);
    this.timer = setTimeout(this.poll, this.pauseMs);
  };

  private loseLease(): void {
    this.hasLease = false;
    this.stop();
  }
}
