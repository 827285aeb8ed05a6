import { OffloopError } from '../errors.js';

/**
 * Bounds at equal distances: `start`, `start + width`, …
 *
 * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` for a count below 1.
 */
export function linearBuckets(start: number, width: number, count: number): number[] {
  refuseUnless(count >= 1, 'Linear buckets needs a positive count');
  return Array.from({ length: count }, (_, index) => start + index * width);
}

/**
 * Bounds that grow by a factor: `start`, `start · factor`, …
 *
 * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` for a start of 0 or below, a count below 1, or a factor of 1 or below.
 */
export function exponentialBuckets(start: number, factor: number, count: number): number[] {
  refuseUnless(start > 0, 'Exponential buckets needs a positive start');
  refuseUnless(count >= 1, 'Exponential buckets needs a positive count');
  refuseUnless(factor > 1, 'Exponential buckets needs a factor greater than 1');
  const bounds: number[] = [];
  // Multiplied step by step, as prom-client does: a power would differ in the last place, and with it every `le` of a dashboard.
  for (let bound = start; bounds.length < count; bound *= factor) bounds.push(bound);
  return bounds;
}

function refuseUnless(holds: boolean, message: string): void {
  if (!holds) throw new OffloopError('OFFLOOP_ERR_ARGUMENT', message);
}
