const { performance } = globalThis;

/**
 * Each thread's `performance.now()` counts from that thread's start, and `process.hrtime` from the same moment on all. Both are looked at once,
 * while nobody has faked them; from then on the cheaper one.
 */
const now = performance.now.bind(performance);
const offsetMs = Number(process.hrtime.bigint()) / 1e6 - now();

/** Milliseconds of a clock that all threads of the process share, and that never goes back. */
export function monotonicMs(): number {
  return now() + offsetMs;
}

/** How long ago a moment was that a cell holds, ms, modulo 2³²: right for 24 days. */
export function elapsedMs(cell: number, nowMs: number): number {
  return (toCell(nowMs) - cell) | 0;
}

/** The same moment as a cell holds it. */
export function toCell(ms: number): number {
  return Math.trunc(ms) | 0;
}
