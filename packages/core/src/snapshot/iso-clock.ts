const MS_PER_SECOND = 1_000;

/**
 * Tells the time as ISO 8601 does, like `new Date().toISOString()`, to who asks often: what is the same all second long is formatted once a second.
 */
export class IsoClock {
  private second = Number.NaN;
  /** Of that second, up to the point. */
  private prefix = '';

  now(): string {
    // Whoever fakes the clock may give fractions.
    const nowMs = Math.trunc(Date.now());
    const second = Math.floor(nowMs / MS_PER_SECOND);
    if (second !== this.second) {
      this.prefix = new Date(second * MS_PER_SECOND).toISOString().slice(0, -'000Z'.length);
      this.second = second;
    }
    return `${this.prefix}${String(nowMs - second * MS_PER_SECOND).padStart(3, '0')}Z`;
  }
}
