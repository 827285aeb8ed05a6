const MS_PER_SECOND = 1000;

/** Starts to measure. @returns A function that returns the seconds since then. */
export function startTimer(): () => number {
  const startedMs = performance.now();
  return () => (performance.now() - startedMs) / MS_PER_SECOND;
}
