import { performance } from 'node:perf_hooks';

/**
 * How long the loop is held at a time: what it does between two looks at what has happened, the collector's work included.
 *
 * Without turning it all the time, as a loop that is never idle takes a core from the thread and the client.
 */
export class HoldMeter {
  private longestMs = 0;
  private activeMs = 0;
  private isArmed = false;

  /** Forgets what was before. */
  begin(): void {
    this.longestMs = 0;
    this.activeMs = performance.eventLoopUtilization().active;
  }

  /** To be called by whatever happens in a turn; what is not marked counts with the next turn that is. */
  mark(): void {
    if (this.isArmed) return;
    this.isArmed = true;
    setImmediate(() => {
      this.isArmed = false;
      const { active } = performance.eventLoopUtilization();
      this.longestMs = Math.max(this.longestMs, active - this.activeMs);
      this.activeMs = active;
    });
  }

  /** The longest since `begin`, ms. Resolves when the present turn is over. */
  async end(): Promise<number> {
    this.mark();
    await new Promise((resolve) => setImmediate(resolve));
    return this.longestMs;
  }
}
