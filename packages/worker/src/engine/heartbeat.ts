/**
 * Judges whether a thread still lives from a count that it moves.
 *
 * Where the watcher was late itself, after a blocked loop, a suspended machine or a stopped process, not more than an interval counts: the thread may have
 * been held as well. A watcher that is always late notices all the same.
 */
export class Heartbeat {
  private readonly intervalMs: number;
  private beatSeen: number | undefined;
  private lookedMs: number | undefined;
  private still = 0;

  /** @param intervalMs Between two looks; one that comes half an interval late is a late one. */
  constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
  }

  /**
   * Notes the count as of now.
   *
   * @returns How long it has stood still before a watchful eye, ms.
   */
  look(beat: number, nowMs: number): number {
    const gapMs = nowMs - (this.lookedMs ?? nowMs);
    const isLate = gapMs > this.intervalMs * 1.5;
    const countedMs = isLate ? this.intervalMs : gapMs;
    this.still = beat === this.beatSeen ? this.still + countedMs : 0;
    this.beatSeen = beat;
    this.lookedMs = nowMs;
    return this.still;
  }
}
