import type { SegmentReading } from '../aggregate/segment-reading.js';
import { NARROW_SHAPE } from '../aggregate/sketch-shape.js';
import { ALL_BEFORE, NOTHING_BEFORE, type WindowStart } from '../aggregate/window-reading.js';
import {
  BLOCK_COUNTS,
  BLOCK_SUM,
  SKETCH_GROUP_CELLS,
  sketchDouble,
  sketchGroupsDouble,
} from '../layout/aggregates.js';
import { type CopiesPlace, groupCopyCell, sumCopyDouble } from '../layout/windows.js';

/** One series to be added: where its block is, and where its window begins. */
export interface SeriesInWindow {
  readonly block: number;
  readonly isError: boolean;
  readonly start: WindowStart;
  readonly slices: number;
}

const GROUPS = Math.ceil(NARROW_SHAPE.cells / SKETCH_GROUP_CELLS);

/**
 * Sums series of a family with a narrow sketch: since the start, and over the window. Merging is addition, of series and of segments alike.
 */
export class WindowSums {
  /** Since the start. */
  readonly lifetime = { requests: 0, errors: 0, seconds: 0 };
  readonly buckets: Float64Array;
  /** Over the window. */
  readonly window = { requests: 0, errors: 0, seconds: 0 };
  readonly sketch = new Float64Array(NARROW_SHAPE.cells);
  /** Bit g: the sketch's group g is in use; all others are zero. */
  private groups = 0;
  /** Observations a group: a quantile is looked for in one group only. */
  private readonly groupSums = new Float64Array(GROUPS);

  constructor(boundsCount: number) {
    this.buckets = new Float64Array(boundsCount + 1);
  }

  reset(): void {
    for (const sums of [this.lifetime, this.window]) {
      sums.requests = 0;
      sums.errors = 0;
      sums.seconds = 0;
    }
    this.buckets.fill(0);
    for (let bits = this.groups; bits !== 0; bits &= bits - 1) {
      const start = (31 - Math.clz32(bits & -bits)) * SKETCH_GROUP_CELLS;
      this.sketch.fill(0, start, start + SKETCH_GROUP_CELLS);
    }
    this.groupSums.fill(0);
    this.groups = 0;
  }

  addSeries({ aggregates, cells }: SegmentReading, series: SeriesInWindow): void {
    const { block, isError, start, slices } = series;
    const { buckets, lifetime } = this;
    let requests = 0;
    for (let bucket = 0; bucket < buckets.length; bucket++) {
      const count = aggregates[block + BLOCK_COUNTS + bucket] as number;
      requests += count;
      buckets[bucket] = (buckets[bucket] as number) + count;
    }
    lifetime.requests += requests;
    if (isError) lifetime.errors += requests;
    lifetime.seconds += aggregates[block + BLOCK_SUM] as number;
    if (start.slice === ALL_BEFORE) return;

    const boundsCount = buckets.length - 1;
    const first = block + sketchDouble(boundsCount);
    const place = {
      copies: first + NARROW_SHAPE.cells,
      slices,
      groupCells: SKETCH_GROUP_CELLS,
    };
    const groups = aggregates[block + sketchGroupsDouble(boundsCount)] as number;
    const observed =
      start.slice === NOTHING_BEFORE
        ? this.addAll(aggregates, first, groups)
        : this.addSince({ aggregates, cells }, { first, groups, place, slice: start.slice });
    const before =
      start.slice === NOTHING_BEFORE
        ? 0
        : (aggregates[sumCopyDouble(place, start.slice)] as number);
    this.window.requests += observed;
    if (isError) this.window.errors += observed;
    // A sum of many fractions less one of some of them may end below nothing.
    if (observed > 0)
      this.window.seconds += Math.max(0, (aggregates[block + BLOCK_SUM] as number) - before);
  }

  /** Adds other sums. */
  add(other: WindowSums): void {
    for (const part of ['lifetime', 'window'] as const) {
      this[part].requests += other[part].requests;
      this[part].errors += other[part].errors;
      this[part].seconds += other[part].seconds;
    }
    for (let bucket = 0; bucket < this.buckets.length; bucket++) {
      this.buckets[bucket] = (this.buckets[bucket] as number) + (other.buckets[bucket] as number);
    }
    this.groups |= other.groups;
    const { sketch, groupSums } = this;
    const added = other.sketch;
    for (let bits = other.groups; bits !== 0; bits &= bits - 1) {
      const group = 31 - Math.clz32(bits & -bits);
      if (other.groupSums[group] === 0) continue;
      groupSums[group] = (groupSums[group] as number) + (other.groupSums[group] as number);
      const start = group * SKETCH_GROUP_CELLS;
      const end = Math.min(start + SKETCH_GROUP_CELLS, sketch.length);
      for (let cell = start; cell < end; cell++) {
        sketch[cell] = (sketch[cell] as number) + (added[cell] as number);
      }
    }
  }

  /**
   * Values below which shares of the window's observations lie, seconds.
   *
   * @param shares Ascending, in [0, 1].
   * @param into   Gets one a share; NaN where the window is empty.
   */
  quantiles(shares: readonly number[], into: Float64Array): void {
    const total = this.window.requests;
    const { sketch } = this;
    into.fill(Number.NaN);
    if (total === 0) return;
    let next = 0;
    let below = 0;
    for (let bits = this.groups; bits !== 0 && next < shares.length; bits &= bits - 1) {
      const group = 31 - Math.clz32(bits & -bits);
      const inGroup = this.groupSums[group] as number;
      if ((shares[next] as number) * total > below + inGroup) {
        below += inGroup;
        continue;
      }
      const start = group * SKETCH_GROUP_CELLS;
      const end = Math.min(start + SKETCH_GROUP_CELLS, sketch.length);
      for (let cell = start; cell < end; cell++) {
        const count = sketch[cell] as number;
        if (count === 0) continue;
        while (next < shares.length && (shares[next] as number) * total <= below + count) {
          const rank = (shares[next] as number) * total - below;
          into[next++] = valueIn(cell, Math.max(0, rank / count));
        }
        below += count;
      }
    }
  }

  /** Highest value of the window, seconds: at most a bucket's width too high; `undefined` where the window is empty. */
  get maximum(): number | undefined {
    for (let cell = this.sketch.length - 1; cell >= 0; cell--) {
      if (this.sketch[cell] !== 0) return NARROW_SHAPE.valueAt(cell, 1);
    }
    return undefined;
  }

  private addAll(aggregates: Float64Array, first: number, groups: number): number {
    const { sketch, groupSums } = this;
    this.groups |= groups;
    let observed = 0;
    for (let bits = groups; bits !== 0; bits &= bits - 1) {
      const group = 31 - Math.clz32(bits & -bits);
      const start = group * SKETCH_GROUP_CELLS;
      const end = Math.min(start + SKETCH_GROUP_CELLS, sketch.length);
      let inGroup = 0;
      for (let cell = start; cell < end; cell++) {
        const count = aggregates[first + cell] as number;
        inGroup += count;
        sketch[cell] = (sketch[cell] as number) + count;
      }
      groupSums[group] = (groupSums[group] as number) + inGroup;
      observed += inGroup;
    }
    return observed;
  }

  private addSince(
    { aggregates, cells }: SegmentReading,
    from: {
      readonly first: number;
      readonly groups: number;
      readonly place: CopiesPlace;
      readonly slice: number;
    },
  ): number {
    const { sketch, groupSums } = this;
    const { first, groups, place, slice } = from;
    this.groups |= groups;
    let observed = 0;
    for (let bits = groups; bits !== 0; bits &= bits - 1) {
      const group = 31 - Math.clz32(bits & -bits);
      const start = group * SKETCH_GROUP_CELLS;
      const end = Math.min(start + SKETCH_GROUP_CELLS, sketch.length);
      const copy = groupCopyCell(place, { slice, group }) - start;
      let inGroup = 0;
      for (let cell = start; cell < end; cell++) {
        // Both modulo 2³², and so is the difference (layout/windows.ts).
        const count =
          (((aggregates[first + cell] as number) | 0) - (cells[copy + cell] as number)) >>> 0;
        inGroup += count;
        sketch[cell] = (sketch[cell] as number) + count;
      }
      groupSums[group] = (groupSums[group] as number) + inGroup;
      observed += inGroup;
    }
    return observed;
  }
}

/** NARROW_SHAPE.valueAt, for which a snapshot of a hundred routes asks a thousand times: bounds from a table, and a power of one base. */
function valueIn(cell: number, fraction: number): number {
  const last = NARROW_SHAPE.cells - 1;
  if (cell === 0 || cell === last) return UPPER_BOUNDS[Math.min(cell, last - 1)] as number;
  return (UPPER_BOUNDS[cell - 1] as number) * Math.exp(fraction * LN_BUCKET);
}

const UPPER_BOUNDS = Float64Array.from({ length: NARROW_SHAPE.cells }, (_, cell) =>
  NARROW_SHAPE.upperBound(cell),
);
/** Of the quotient of a bucket's bounds. */
const LN_BUCKET = Math.LN2 / 2 ** NARROW_SHAPE.schema;
