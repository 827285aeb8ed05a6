/** Threads in a row that may end before they drain; then none is started any more. */
export const START_FAILURES_MAX = 5;

/** Pause after the first thread that failed quickly, doubled by each further one in a row. */
const FAILURE_PAUSE_MS = 50;
const FAILURE_PAUSE_MS_MAX = 30_000;

/** An error that ends a thread sooner than this is likely to end the next one as well. */
const QUICK_FAILURE_MS = 10_000;

/** Threads that may be replaced at once; later ones when their turn comes. */
const BURST_RESTARTS = 8;

/** In the long run one restart each: starting a thread costs 100 ms of CPU, so this is less than half a core. */
const RESTART_EVERY_MS = 250;

/** What a lost thread had done. */
export interface LostThread {
  /** Whether it had taken the drain over. */
  readonly hasStarted: boolean;
  readonly livedMs: number;
  /** Why it ended: an error of its own, or anything else. */
  readonly reason: unknown;
}

/**
 * Says when a lost thread is replaced: at once as a rule, and without a storm where threads keep dying.
 */
export class RestartPolicy {
  private startFailures = 0;
  private quickFailures = 0;
  private credit = BURST_RESTARTS;
  private creditedMs = 0;

  /**
   * Notes that a thread was lost.
   *
   * @returns Milliseconds until the next may be started, or `undefined` when none may.
   */
  lost({ hasStarted, livedMs, reason }: LostThread, nowMs: number): number | undefined {
    this.startFailures = hasStarted ? 0 : this.startFailures + 1;
    const hasFailed = !hasStarted || (reason instanceof Error && livedMs < QUICK_FAILURE_MS);
    this.quickFailures = hasFailed ? this.quickFailures + 1 : 0;
    if (this.startFailures >= START_FAILURES_MAX) return undefined;
    const earned = (nowMs - this.creditedMs) / RESTART_EVERY_MS;
    this.credit = Math.min(BURST_RESTARTS, this.credit + earned) - 1;
    this.creditedMs = nowMs;
    const turnMs = Math.max(0, -this.credit * RESTART_EVERY_MS);
    if (this.quickFailures === 0) return turnMs;
    const pauseMs = FAILURE_PAUSE_MS * 2 ** (this.quickFailures - 1);
    return Math.max(turnMs, Math.min(pauseMs, FAILURE_PAUSE_MS_MAX));
  }
}
