/** Threads in a row that may end before they drain; then none is started any more. */
export const START_FAILURES_MAX = 5;

/** Pause after the first of them, doubled by each further one: 50 + 100 + 200 + 400 ms until the last attempt. */
const START_FAILURE_PAUSE_MS = 50;

/** Threads that may be replaced at once; later ones when their turn comes. */
const BURST_RESTARTS = 8;

/** In the long run one restart each: a thread that dies all the time costs a sixth of a core, at 40 ms of CPU a start. */
const RESTART_EVERY_MS = 250;

/**
 * Says when a lost thread is replaced: at once as a rule, and without a storm where threads keep dying.
 */
export class RestartPolicy {
  private startFailures = 0;
  private credit = BURST_RESTARTS;
  private creditedMs = 0;

  /** Notes that a thread drains. */
  started(): void {
    this.startFailures = 0;
  }

  /**
   * Notes that a thread was lost.
   *
   * @returns Milliseconds until the next may be started, or `undefined` when none may.
   */
  lost(thread: { readonly hasStarted: boolean }, nowMs: number): number | undefined {
    if (!thread.hasStarted) this.startFailures++;
    if (this.startFailures >= START_FAILURES_MAX) return undefined;
    const earned = (nowMs - this.creditedMs) / RESTART_EVERY_MS;
    this.credit = Math.min(BURST_RESTARTS, this.credit + earned) - 1;
    this.creditedMs = nowMs;
    const turnMs = Math.max(0, -this.credit * RESTART_EVERY_MS);
    if (this.startFailures === 0) return turnMs;
    return Math.max(turnMs, START_FAILURE_PAUSE_MS * 2 ** (this.startFailures - 1));
  }
}
