import { NARROW_SHAPE, shareInCell } from '../aggregate/sketch-shape.js';

/** How many of so many observations lie at or below the value of a share: some, also for share 0. */
export function rankOf(share: number, total: number): number {
  return Math.max(share * total, Number.MIN_VALUE);
}

/**
 * NARROW_SHAPE.valueAt, for which a snapshot of a hundred routes asks four hundred times: bounds from tables, and a power of one base.
 *
 * @param rank  Among the cell's observations, in [0, count].
 * @param count The cell's observations.
 */
export function valueOfRank(cell: number, rank: number, count: number): number {
  const share = shareInCell(rank, count);
  if (share === 0.5 || cell === 0 || cell === LAST) return MIDDLES[cell] as number;
  return (UPPER_BOUNDS[cell - 1] as number) * Math.exp(share * LN_BUCKET);
}

const LAST = NARROW_SHAPE.cells - 1;

const UPPER_BOUNDS = Float64Array.from({ length: NARROW_SHAPE.cells }, (_, cell) =>
  NARROW_SHAPE.upperBound(cell),
);
/** Where few observations are; of the outermost cells, the one value that there is. */
const MIDDLES = Float64Array.from({ length: NARROW_SHAPE.cells }, (_, cell) =>
  NARROW_SHAPE.valueAt(cell, 0.5),
);
/** Of the quotient of a bucket's bounds. */
const LN_BUCKET = Math.LN2 / 2 ** NARROW_SHAPE.schema;
