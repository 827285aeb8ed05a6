import { LIVE_BLOCK_DOUBLES, LIVE_COUNT_DOUBLE, LIVE_VALUES_DOUBLE } from '../layout/aggregates.js';
import { assertLayout } from '../layout/assert-layout.js';
import type { Segment } from '../layout/segment.js';

/** Readings tried while the producer writes; one lasts nanoseconds, so a second try succeeds. */
const ATTEMPTS_MAX = 100;

/**
 * Writes a live value in place: for levels, where a dropped record would leave a wrong one behind. Producing thread only; never
 * throws, waits or allocates.
 *
 * The value that does not count is written, then the sequence moves on to it (layout/aggregates.ts).
 */
export function writeLiveValue(segment: Segment, block: number, value: number): void {
  const { liveCells, aggregates } = segment;
  const next = ((liveCells[block * 2] as number) + 1) | 0;
  aggregates[block + LIVE_VALUES_DOUBLE + (next & 1)] = value;
  // A rmw, so that a reader's own rmw on this cell orders its reading before the next writing of the same double.
  Atomics.add(liveCells, block * 2, 1);
}

/** Reads a live value, on any thread. */
export function readLiveValue(segment: Segment, block: number): number {
  const { liveCells, aggregates } = segment;
  let value = 0;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const sequence = Atomics.load(liveCells, block * 2);
    value = aggregates[block + LIVE_VALUES_DOUBLE + (sequence & 1)] as number;
    if (Atomics.add(liveCells, block * 2, 0) === sequence) break;
  }
  const count = Atomics.load(liveCells, (block + LIVE_COUNT_DOUBLE) * 2);
  // A gauge's −0 stays one.
  return count === 0 ? value : value + count;
}

/**
 * Writes the count of a live block, for a whole number that changes with each request: no rmw, as those wait for every store before
 * them. Producing thread only; never throws, waits or allocates.
 *
 * @param count −2³¹ to 2³¹ − 1.
 */
export function writeLiveCount(segment: Segment, block: number, count: number): void {
  segment.liveCells[(block + LIVE_COUNT_DOUBLE) * 2] = count;
}

/**
 * The same for what counts up and down twice a request. A closure for the reason that the recorder is one: the cell's address is a constant of
 * the compiled code, and neither the segment nor the array is looked at.
 *
 * @returns Adds to the count, which begins with 0.
 */
export function createLiveCount(segment: Segment, block: number): (difference: 1 | -1) => void {
  const { liveCells } = segment;
  const cell = (block + LIVE_COUNT_DOUBLE) * 2;
  let count = 0;
  return (difference) => {
    count += difference;
    liveCells[cell] = count;
  };
}

assertLayout(LIVE_COUNT_DOUBLE < LIVE_BLOCK_DOUBLES, 'a live block holds its values');
