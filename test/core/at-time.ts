/** Calls `run` while the wall clock stands at `unixMs`. */
export function atTime<Result>(unixMs: number, run: () => Result): Result {
  const { now } = Date;
  Date.now = () => unixMs;
  try {
    return run();
  } finally {
    Date.now = now;
  }
}
