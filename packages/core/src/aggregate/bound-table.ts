import { SKETCH_CELLS, sketchUpperBound } from './sketch.js';

/**
 * Bound table: which classic bucket a value falls into, from the top bits of its double.
 *
 * Doubles above zero order as their upper words do, so `(high >> shift) - minimum` is the cell of a monotonous table. A cell
 * stores the first bound that is not below the cell's lowest value; the value is compared with that one. A cell
 * holds one bound at most, so one comparison decides, where a search from the first bound on makes up to twelve of them for eleven bounds.
 */
export interface BoundTable {
  /** Empty where no table serves: bounds at or below zero, two in one cell, or spread over too many octaves. Then search. */
  readonly cells: Uint16Array;
  readonly shift: number;
  readonly minimum: number;
}

/**
 * The same for a family with a sketch: its cells are at hand, so they are the key.
 */
export function sketchBoundTableOf(bounds: readonly number[]): BoundTable {
  const cells = new Uint16Array(SKETCH_CELLS);
  let bucket = 0;
  if ((bounds[1] as number) <= sketchUpperBound(0)) return NO_TABLE;
  for (let cell = 1; cell < SKETCH_CELLS; cell++) {
    // A cell holds what lies above the upper bound of the one before; a classic bound equal to that holds none of it.
    while (bucket < bounds.length && (bounds[bucket] as number) <= sketchUpperBound(cell - 1))
      bucket++;
    cells[cell] = bucket;
    if ((bounds[bucket + 1] as number) <= sketchUpperBound(cell)) return NO_TABLE;
  }
  return { cells, shift: 0, minimum: 0 };
}

const NO_TABLE: BoundTable = { cells: new Uint16Array(0), shift: 0, minimum: 0 };

const TABLE_CELLS_MAX = 2048;
/** 6 bits of the mantissa: 64 cells an octave. Default bounds of 9 octaves take 576 cells, 1.2 kB. */
const FINEST_SHIFT = 14;
/** The exponent alone: one cell an octave. */
const COARSEST_SHIFT = 20;

const scratch = new DataView(new ArrayBuffer(8));

function highWord(value: number): number {
  scratch.setFloat64(0, value);
  return scratch.getInt32(0);
}

/** @param bounds Ascending and finite. */
export function boundTableOf(bounds: readonly number[]): BoundTable {
  const first = bounds[0];
  const last = bounds[bounds.length - 1];
  if (first === undefined || last === undefined || first <= 0) return NO_TABLE;
  for (let shift = FINEST_SHIFT; shift <= COARSEST_SHIFT; shift++) {
    const minimum = highWord(first) >> shift;
    const count = (highWord(last) >> shift) - minimum + 1;
    if (count > TABLE_CELLS_MAX) continue;
    const cells = new Uint16Array(count);
    let bucket = 0;
    for (let cell = 0; cell < count; cell++) {
      while ((bounds[bucket] as number) < lowestOf((minimum + cell) << shift)) bucket++;
      cells[cell] = bucket;
      // Coarser cells would hold even more bounds.
      if ((bounds[bucket + 1] as number) < lowestOf((minimum + cell + 1) << shift)) return NO_TABLE;
    }
    return { cells, shift, minimum };
  }
  return NO_TABLE;
}

/** Lowest double above zero with this upper word. */
function lowestOf(high: number): number {
  scratch.setInt32(0, high);
  scratch.setUint32(4, 0);
  return scratch.getFloat64(0);
}
