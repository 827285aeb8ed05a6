import { SKETCH_GROUP_CELLS, WIDE_SKETCH_GROUP_CELLS } from '../layout/aggregates.js';
import {
  bucketBound,
  MINIMUM_EXPONENT,
  SKETCH_CELLS,
  SKETCH_MINIMUM_INDEX,
  SKETCH_SCHEMA,
  sketchUpperBound,
} from './sketch.js';
import {
  WIDE_BUCKETS,
  WIDE_MINIMUM_EXPONENT,
  WIDE_MINIMUM_INDEX,
  WIDE_SKETCH_CELLS,
  WIDE_ZERO_CELL,
} from './wide-sketch.js';

/** Where a sketch's cells lie on the number line. Cells ascend in value. */
export interface SketchShape {
  /** Of a Prometheus native histogram: a bucket is 2^(2^-schema) wide. */
  readonly schema: number;
  readonly cells: number;
  /** Cells that share a bit of the block's `groups`. */
  readonly groupCells: number;
  /** The zero bucket holds what lies no further from zero than this. */
  readonly zeroThreshold: number;
  /** 0: the zero bucket. */
  signOf(cell: number): -1 | 0 | 1;
  /**
   * Index of a Prometheus native histogram's bucket among those of the cell's sign; not for the zero bucket. What lies beyond the last
   * bucket counts in the one after it.
   */
  indexOf(cell: number): number;
  /** −Infinity for what lies below the last bucket. */
  lowerBound(cell: number): number;
  /** Infinity for what lies above the last bucket. */
  upperBound(cell: number): number;
  /**
   * The value that a share of a cell's observations does not exceed, by exponential interpolation between its bounds as in Prometheus 3:
   * lo·(hi/lo)^fraction. The finite bound of an outermost cell.
   *
   * @param fraction Share in [0, 1].
   */
  valueAt(cell: number, fraction: number): number;
}

/** The sketch of durations, aggregate/sketch.ts. Its zero bucket takes everything below as well, and answers with its upper bound. */
export const NARROW_SHAPE: SketchShape = {
  schema: SKETCH_SCHEMA,
  cells: SKETCH_CELLS,
  groupCells: SKETCH_GROUP_CELLS,
  zeroThreshold: 2 ** MINIMUM_EXPONENT,
  signOf: (cell) => (cell === 0 ? 0 : 1),
  indexOf: (cell) => SKETCH_MINIMUM_INDEX + cell,
  lowerBound: (cell) => (cell === 0 ? -(2 ** MINIMUM_EXPONENT) : sketchUpperBound(cell - 1)),
  upperBound: sketchUpperBound,
  valueAt(cell, fraction) {
    return cell === 0 ? sketchUpperBound(0) : valueBetween(this, cell, fraction);
  },
};

/** The sketch of any double, aggregate/wide-sketch.ts. Its zero bucket answers 0. */
export const WIDE_SHAPE: SketchShape = {
  schema: SKETCH_SCHEMA,
  cells: WIDE_SKETCH_CELLS,
  groupCells: WIDE_SKETCH_GROUP_CELLS,
  zeroThreshold: 2 ** WIDE_MINIMUM_EXPONENT,
  signOf: (cell) => Math.sign(cell - WIDE_ZERO_CELL) as -1 | 0 | 1,
  indexOf: (cell) => WIDE_MINIMUM_INDEX + Math.abs(cell - WIDE_ZERO_CELL),
  lowerBound: (cell) => -wideUpperBound(2 * WIDE_ZERO_CELL - cell),
  upperBound: wideUpperBound,
  valueAt(cell, fraction) {
    return cell === WIDE_ZERO_CELL ? 0 : valueBetween(this, cell, fraction);
  },
};

/** The shape that a catalog entry's number of cells stands for; `undefined` where that is 0. */
export function sketchShapeOf(sketchCells: number): SketchShape | undefined {
  return [NARROW_SHAPE, WIDE_SHAPE].find(({ cells }) => cells === sketchCells);
}

function wideUpperBound(cell: number): number {
  const bucket = cell - WIDE_ZERO_CELL;
  if (bucket > WIDE_BUCKETS) return Number.POSITIVE_INFINITY;
  return bucket >= 0
    ? bucketBound(WIDE_MINIMUM_INDEX + bucket)
    : -bucketBound(WIDE_MINIMUM_INDEX - bucket - 1);
}

/**
 * Share of a cell's observations at which the one of that rank is looked for.
 *
 * A few are spread anyhow over a bucket, so that interpolating would put the largest of seven up to a bucket's width, 2.2 %, off. Its middle is
 * nowhere further than 1.09 % from what lies in it. At 16 the odds of being further off by interpolation are below 1 : 100 000.
 *
 * @param rank  Among the cell's observations, in [0, count].
 * @param count The cell's observations.
 */
export function shareInCell(rank: number, count: number): number {
  return count < INTERPOLATED_COUNT_MIN ? 0.5 : Math.max(0, rank / count);
}

const INTERPOLATED_COUNT_MIN = 16;

/** For negative bounds as well: their quotient is above zero. */
function valueBetween(shape: SketchShape, cell: number, fraction: number): number {
  const low = shape.lowerBound(cell);
  const high = shape.upperBound(cell);
  // An outermost cell has no second bound to interpolate towards.
  if (low === Number.NEGATIVE_INFINITY) return high;
  if (high === Number.POSITIVE_INFINITY) return low;
  return low * (high / low) ** fraction;
}
