import { sketchQuantile } from '../aggregate/quantile.js';
import { NARROW_SHAPE } from '../aggregate/sketch-shape.js';

/** What a window holds of a family with a narrow sketch, taken out of shared memory. */
export class SketchWindow {
  readonly samples: number;
  readonly seconds: number;
  private readonly cells: Float64Array;

  constructor(of: {
    readonly samples: number;
    readonly seconds: number;
    readonly cells: Float64Array;
  }) {
    this.samples = of.samples;
    this.seconds = of.seconds;
    this.cells = of.cells;
  }

  /** Value below which a share of the observations lies, seconds; NaN where there are none. */
  quantile(share: number): number {
    return sketchQuantile(this.cells, this.samples, share) ?? Number.NaN;
  }

  /** Observations above a bound, seconds, to within a bucket's width. */
  countAbove(bound: number): number {
    let count = 0;
    for (let cell = this.cells.length - 1; cell > 0; cell--) {
      if (NARROW_SHAPE.lowerBound(cell) < bound) break;
      count += this.cells[cell] as number;
    }
    return count;
  }
}

/** Of a family that is not there. */
export const EMPTY_WINDOW = new SketchWindow({
  samples: 0,
  seconds: 0,
  cells: new Float64Array(NARROW_SHAPE.cells),
});
