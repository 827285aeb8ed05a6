import { assertLayout } from '../layout/assert-layout.js';

/**
 * Sketch: base-2 exponential buckets of schema 5, the buckets of a Prometheus native histogram: bucket i holds
 * (2^((i−1)/32), 2^(i/32)]. A quantile from it is at most 2.2 % off, usually within 1.1 % (docs/percentiles.md, Two estimators).
 *
 *   cell                      holds
 *   ────────────────────────  ─────────────────────────────────────────────
 *   0                         everything up to 2^-20 s (0.95 µs), zero and below included
 *   1 … 832                   bucket SKETCH_MINIMUM_INDEX + cell
 *   833                       everything above 2^6 s (64 s)
 */
export const SKETCH_SCHEMA = 5;
export const BUCKETS_PER_OCTAVE = 2 ** SKETCH_SCHEMA;
export const MINIMUM_EXPONENT = -20;
export const MAXIMUM_EXPONENT = 6;
/** Bucket index of cell 0, whose lower bound is dropped. */
export const SKETCH_MINIMUM_INDEX = MINIMUM_EXPONENT * BUCKETS_PER_OCTAVE;
export const SKETCH_CELLS = (MAXIMUM_EXPONENT - MINIMUM_EXPONENT) * BUCKETS_PER_OCTAVE + 2;
export const SKETCH_OVERFLOW_CELL = SKETCH_CELLS - 1;
assertLayout(SKETCH_CELLS === 834, 'the sketch is 834 cells');

/**
 * 2^(j/32) for j in 0 … 31, correctly rounded. A literal table, because `2 ** x` is one unit in the last place off for some
 * of them; the test recomputes it with integers.
 */
// biome-ignore-start lint/suspicious/noApproximativeNumericConstant: a table of roots of two, and not of constants that happen to be among them
export const OCTAVE_BOUNDS: readonly number[] = [
  1.0, 1.0218971486541166, 1.0442737824274138, 1.0671404006768237, 1.0905077326652577,
  1.1143867425958924, 1.1387886347566916, 1.1637248587775775, 1.189207115002721, 1.215247359980469,
  1.241857812073484, 1.2690509571917332, 1.2968395546510096, 1.3252366431597413, 1.3542555469368927,
  1.383909881963832, 1.4142135623730951, 1.4451808069770467, 1.4768261459394993, 1.5091644275934228,
  1.5422108254079407, 1.5759808451078865, 1.6104903319492543, 1.645755478153965, 1.681792830507429,
  1.718619298122478, 1.7562521603732995, 1.7947090750031072, 1.8340080864093424, 1.8741676341103,
  1.9152065613971474, 1.9571441241754002,
];
// biome-ignore-end lint/suspicious/noApproximativeNumericConstant: the table ends here
assertLayout(OCTAVE_BOUNDS.length === BUCKETS_PER_OCTAVE, 'one bound a bucket of an octave');

/** Mantissa bits that select a table cell; with 12 no cell holds two bounds, and 99 % hold none. */
const CELL_BITS = 12;
const CELL_SHIFT = 20 - CELL_BITS;
const CELL_MASK = 2 ** CELL_BITS - 1;

/** Cell of the mantissa → first bound of the octave that is not below the cell's lowest value. */
export const firstBound = new Uint8Array(2 ** CELL_BITS);
/** The bounds' mantissas, in the two words of a double; the last is never exceeded. */
export const boundHigh = new Int32Array(BUCKETS_PER_OCTAVE + 1).fill(0x7fff_ffff);
export const boundLow = new Uint32Array(BUCKETS_PER_OCTAVE + 1);

const scratch = new DataView(new ArrayBuffer(8));
for (const [j, bound] of OCTAVE_BOUNDS.entries()) {
  scratch.setFloat64(0, bound);
  boundHigh[j] = scratch.getUint32(0) & 0xf_ffff;
  boundLow[j] = scratch.getUint32(4);
}
for (let cell = 0, j = 0; cell <= CELL_MASK; cell++) {
  const lowest = 1 + cell / 2 ** CELL_BITS;
  while (j < BUCKETS_PER_OCTAVE && (OCTAVE_BOUNDS[j] as number) < lowest) j++;
  firstBound[cell] = j;
}

/**
 * Cell of the sketch for a double given as its two words: exact at every bound, and without a floating-point operation, so the
 * drain reads it from the ring as integers.
 *
 * @param high Upper word, as int32: negative for negative doubles.
 * @param low  Lower word, as uint32.
 */
export function sketchCell(high: number, low: number): number {
  const exponent = (high >> 20) - 1023;
  if (exponent < MINIMUM_EXPONENT) return 0;
  if (exponent >= MAXIMUM_EXPONENT) {
    // Exactly 2^6 still belongs to the last bucket.
    return high === (MAXIMUM_EXPONENT + 1023) << 20 && low === 0
      ? SKETCH_OVERFLOW_CELL - 1
      : SKETCH_OVERFLOW_CELL;
  }
  return (exponent - MINIMUM_EXPONENT) * BUCKETS_PER_OCTAVE + bucketInOctave(high, low);
}

/**
 * Which bucket of its octave a double falls into: 0, the one that ends at the power of two, to 32.
 *
 * @param high Upper word; sign and exponent do not matter.
 * @param low  Lower word, as uint32.
 */
export function bucketInOctave(high: number, low: number): number {
  const bucket = firstBound[(high >> CELL_SHIFT) & CELL_MASK] as number;
  const mantissa = high & 0xf_ffff;
  const bound = boundHigh[bucket] as number;
  const isAbove = mantissa > bound || (mantissa === bound && low > (boundLow[bucket] as number));
  return isAbove ? bucket + 1 : bucket;
}

/** `sketchCell` of a number. */
export function sketchCellOf(value: number): number {
  scratch.setFloat64(0, value);
  return sketchCell(scratch.getInt32(0), scratch.getUint32(4));
}

/** Inclusive upper bound of a cell, in the unit of the values; Infinity for the overflow cell. */
export function sketchUpperBound(cell: number): number {
  if (cell >= SKETCH_OVERFLOW_CELL) return Number.POSITIVE_INFINITY;
  return bucketBound(SKETCH_MINIMUM_INDEX + cell);
}

/** Upper bound of the bucket of that index, whichever sketch it is in. */
export function bucketBound(index: number): number {
  // A power of two times a double is exact in the range of both sketches.
  return (
    (OCTAVE_BOUNDS[index & (BUCKETS_PER_OCTAVE - 1)] as number) * 2 ** (index >> SKETCH_SCHEMA)
  );
}
