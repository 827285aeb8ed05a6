const MS_PER_SECOND = 1_000;

/** `null` where there is nothing to divide by. */
export function quotient(dividend: number, divisor: number): number | null {
  return divisor === 0 ? null : dividend / divisor;
}

/** Seconds in milliseconds; `null` for NaN. */
export function inMs(seconds: number | undefined): number | null {
  return seconds === undefined || Number.isNaN(seconds) ? null : seconds * MS_PER_SECOND;
}
