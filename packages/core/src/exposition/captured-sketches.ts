import type { SegmentReading } from '../aggregate/segment-reading.js';
import { type SketchShape, shareInCell, sketchShapeOf } from '../aggregate/sketch-shape.js';
import { ALL_BEFORE, NOTHING_BEFORE, type WindowStart } from '../aggregate/window-reading.js';
import { BLOCK_SUM, sketchDouble, sketchGroupsDouble } from '../layout/aggregates.js';
import type { CatalogFamily } from '../layout/catalog-reader.js';
import { groupCopyCell, sumCopyDouble } from '../layout/windows.js';

/** What lies in the sketches of a family's series, empty cells left out. */
export interface CapturedSketches {
  readonly shape: SketchShape;
  /** Series index → its first entry of `cells` and `counts`; one more than there are series. */
  readonly starts: Int32Array;
  /** Cells in use, ascending in value. */
  readonly cells: Int32Array;
  readonly counts: Float64Array;
  /** Series index → mean of its observations where they all lie in one cell; else NaN. */
  readonly means: Float64Array;
}

/**
 * Value below which a share `q` of a captured series' observations lies, by exponential interpolation within the bucket.
 *
 * @param index Which series.
 * @param q     Share in [0, 1].
 * @returns     In the unit of the values, at most one bucket (2.2 %) off; 0 in the wide shape's zero bucket. `undefined` where there is no
 *   observation, not 0.
 */
export function capturedQuantile(
  { shape, starts, cells, counts }: CapturedSketches,
  index: number,
  q: number,
): number | undefined {
  let entry = starts[index] as number;
  const last = (starts[index + 1] as number) - 1;
  if (entry > last) return undefined;
  let total = 0;
  for (let at = entry; at <= last; at++) total += counts[at] as number;
  const rank = q * total;
  let below = 0;
  for (; entry < last && below + (counts[entry] as number) < rank; entry++)
    below += counts[entry] as number;
  return shape.valueAt(cells[entry] as number, shareInCell(rank - below, counts[entry] as number));
}

/**
 * The same of a summary, NaN where there is no observation.
 *
 * Where all observations lie in one bucket it is their mean: no further off than the bucket is wide, and exact where they are all the
 * same, a single one above all, which is what tests observe. A window's sum is a difference, which costs the last digits.
 */
export function summaryQuantile(
  { sketches }: { readonly sketches?: CapturedSketches },
  index: number,
  q: number,
): number {
  if (sketches === undefined) return Number.NaN;
  const mean = sketches.means[index] as number;
  if (!Number.isNaN(mean)) return mean;
  return capturedQuantile(sketches, index, q) ?? Number.NaN;
}

/** Entries that there is room for at first; it doubles when they are used up. */
const INITIAL_ENTRIES = 1_024;

/**
 * Collects the sketches of one family, series by series. Begun again as often as a reading is (aggregate/committed-read.ts): what an earlier
 * attempt left is written over.
 */
export class SketchCollector implements CapturedSketches {
  readonly shape: SketchShape;
  readonly starts: Int32Array;
  cells = new Int32Array(INITIAL_ENTRIES);
  counts = new Float64Array(INITIAL_ENTRIES);
  readonly means: Float64Array;
  private readonly groupsDouble: number;
  private readonly firstDouble: number;
  private readonly slices: number;
  private start: WindowStart | undefined;

  /** @returns `undefined` for a family without sketches. */
  static of(family: CatalogFamily, seriesCount: number): SketchCollector | undefined {
    const shape = sketchShapeOf(family.sketchCells);
    return shape && new SketchCollector(shape, family, seriesCount);
  }

  private constructor(shape: SketchShape, family: CatalogFamily, seriesCount: number) {
    const boundsCount = family.bounds.length;
    this.shape = shape;
    this.starts = new Int32Array(seriesCount + 1);
    this.means = new Float64Array(seriesCount);
    this.groupsDouble = sketchGroupsDouble(boundsCount);
    this.firstDouble = sketchDouble(boundsCount);
    this.slices = family.window?.slices ?? 0;
  }

  /** Begins a reading. @param start Of the window that is wanted instead of everything since the start of the series. */
  begin(start: WindowStart | undefined): void {
    this.start = start;
  }

  /** Takes the sketch of the series with that index in, after those of the series before it. */
  add({ aggregates, cells: copies }: SegmentReading, index: number, block: number): void {
    const { shape, starts, slices } = this;
    const slice = this.start?.slice ?? NOTHING_BEFORE;
    const first = block + this.firstDouble;
    let entry = starts[index] as number;
    const groups = slice === ALL_BEFORE ? 0 : (aggregates[block + this.groupsDouble] as number);
    const place = { copies: first + shape.cells, slices, groupCells: shape.groupCells };
    for (let bits = groups; bits !== 0; bits &= bits - 1) {
      const group = 31 - Math.clz32(bits & -bits);
      const start = group * shape.groupCells;
      const copy = slice === NOTHING_BEFORE ? -1 : groupCopyCell(place, { slice, group }) - start;
      const end = Math.min(start + shape.groupCells, shape.cells);
      if (entry + shape.groupCells > this.cells.length) this.grow(entry + shape.groupCells);
      const { cells, counts } = this;
      for (let cell = start; cell < end; cell++) {
        const shown = aggregates[first + cell] as number;
        // Of a window both are modulo 2³², and so is the difference (layout/windows.ts).
        const count = copy === -1 ? shown : ((shown | 0) - (copies[copy + cell] as number)) >>> 0;
        // Written each time and kept where there is something: the next one goes over it.
        cells[entry] = cell;
        counts[entry] = count;
        if (count !== 0) entry++;
      }
    }
    this.means[index] = Number.NaN;
    if (entry - (starts[index] as number) === 1) {
      const before =
        slice === NOTHING_BEFORE ? 0 : (aggregates[sumCopyDouble(place, slice)] as number);
      const sum = (aggregates[block + BLOCK_SUM] as number) - before;
      this.means[index] = this.meanIn(entry - 1, sum);
    }
    starts[index + 1] = entry;
  }

  /** Mean of the observations of an entry's cell; NaN where their sum is too large for a double, or has lost it beside larger ones. */
  private meanIn(entry: number, sum: number): number {
    const { shape } = this;
    const cell = this.cells[entry] as number;
    const mean = sum / (this.counts[entry] as number);
    const isInCell = mean >= shape.lowerBound(cell) && mean <= shape.upperBound(cell);
    return isInCell && Number.isFinite(mean) ? mean : Number.NaN;
  }

  private grow(needed: number): void {
    const length = Math.max(needed, this.cells.length * 2);
    const cells = new Int32Array(length);
    cells.set(this.cells);
    const counts = new Float64Array(length);
    counts.set(this.counts);
    this.cells = cells;
    this.counts = counts;
  }
}
