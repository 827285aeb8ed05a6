/** Shares that the table of percentiles has a column for. */
export const SHARES: readonly number[] = [0.5, 0.9, 0.95, 0.99, 0.999];
