import { SKETCH_CELLS, sketchUpperBound } from './sketch.js';
import { NARROW_SHAPE, shareInCell } from './sketch-shape.js';

/**
 * Value below which a share `q` of the observations in a narrow sketch lies, by exponential interpolation within the bucket, as Prometheus 3
 * does: lo·(hi/lo)^fraction; the bucket's middle where it holds few (`shareInCell`).
 *
 * @param counts Observations a cell, SKETCH_CELLS of them.
 * @param total  Their sum.
 * @param q      Share in [0, 1].
 * @returns      In the unit of the values, at most 2.2 % (one bucket) off; `undefined` for an empty sketch, not 0.
 */
export function sketchQuantile(counts: Float64Array, total: number, q: number): number | undefined {
  if (total === 0) return undefined;
  const rank = q * total;
  let below = 0;
  for (let cell = 0; cell < SKETCH_CELLS; cell++) {
    const count = counts[cell] as number;
    if (count === 0) continue;
    if (below + count >= rank) {
      return NARROW_SHAPE.valueAt(cell, shareInCell(rank - below, count));
    }
    below += count;
  }
  return sketchUpperBound(SKETCH_CELLS - 2);
}
