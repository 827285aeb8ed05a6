import { WIDE_SKETCH_GROUP_CELLS } from '../layout/aggregates.js';
import { assertLayout } from '../layout/assert-layout.js';
import { BUCKETS_PER_OCTAVE, bucketInOctave, SKETCH_SCHEMA } from './sketch.js';

/**
 * Wide sketch: the buckets of the sketch (aggregate/sketch.ts) for any double, both signs of it, in the order of the values. Bucket i of
 * the negative ones holds [−2^(i/32), −2^((i−1)/32)).
 *
 *   cell           holds
 *   ─────────────  ─────────────────────────────────────────────────────────────
 *   0              everything below −2^50
 *   1 … 2 560      negative bucket WIDE_MINIMUM_INDEX + 2 561 − cell
 *   2 561          everything from −2^-30 to 2^-30 (0.93 × 10⁻⁹), zero included
 *   2 562 … 5 121  positive bucket WIDE_MINIMUM_INDEX + cell − 2 561
 *   5 122          everything above 2^50 (1.1 × 10¹⁵)
 *
 * 41 kB a series, of which only what values fall into becomes resident: the range costs address space alone.
 */
export const WIDE_MINIMUM_EXPONENT = -30;
export const WIDE_MAXIMUM_EXPONENT = 50;
/** Bucket index of the zero cell's upper bound, and of its lower one on the negative side. */
export const WIDE_MINIMUM_INDEX = WIDE_MINIMUM_EXPONENT * BUCKETS_PER_OCTAVE;
/** Buckets of one sign; the cell after them takes what lies beyond. */
export const WIDE_BUCKETS = (WIDE_MAXIMUM_EXPONENT - WIDE_MINIMUM_EXPONENT) * BUCKETS_PER_OCTAVE;
export const WIDE_ZERO_CELL = WIDE_BUCKETS + 1;
export const WIDE_SKETCH_CELLS = 2 * WIDE_ZERO_CELL + 1;
/** Groups of cells, each with a bit in the block's `groups`. */
export const WIDE_SKETCH_GROUPS = Math.ceil(WIDE_SKETCH_CELLS / WIDE_SKETCH_GROUP_CELLS);

assertLayout(WIDE_SKETCH_CELLS === 5123, 'the wide sketch is 5 123 cells');
assertLayout(WIDE_SKETCH_GROUPS <= 31, 'an int32 has a bit for each group');

/**
 * Cell of the wide sketch for a double given as its two words: exact at every bound.
 *
 * @param high Upper word, as int32: negative for negative doubles.
 * @param low  Lower word, as uint32.
 */
export function wideSketchCell(high: number, low: number): number {
  const magnitude = high & 0x7fff_ffff;
  const exponent = (magnitude >> 20) - 1023;
  if (exponent < WIDE_MINIMUM_EXPONENT) return WIDE_ZERO_CELL;
  let bucket: number;
  if (exponent < WIDE_MAXIMUM_EXPONENT) {
    bucket = ((exponent - WIDE_MINIMUM_EXPONENT) << SKETCH_SCHEMA) + bucketInOctave(high, low);
  } else {
    // Exactly 2^50 still belongs to the last bucket.
    const isLast = magnitude === (WIDE_MAXIMUM_EXPONENT + 1023) << 20 && low === 0;
    bucket = isLast ? WIDE_BUCKETS : WIDE_BUCKETS + 1;
  }
  return high < 0 ? WIDE_ZERO_CELL - bucket : WIDE_ZERO_CELL + bucket;
}
