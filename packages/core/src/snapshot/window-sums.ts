import type { SegmentReading } from '../aggregate/segment-reading.js';
import { NARROW_SHAPE, shareInCell } from '../aggregate/sketch-shape.js';
import { ALL_BEFORE, NOTHING_BEFORE, type WindowStart } from '../aggregate/window-reading.js';
import {
  BLOCK_COUNTS,
  BLOCK_SUM,
  SKETCH_GROUP_CELLS,
  sketchDouble,
  sketchGroupsDouble,
} from '../layout/aggregates.js';
import { assertLayout } from '../layout/assert-layout.js';
import { groupCopyCell, groupTotalsCell, sumCopyDouble } from '../layout/windows.js';

/** One series to be added: where its block is, and where its window begins. */
export interface SeriesInWindow {
  readonly block: number;
  readonly isError: boolean;
  readonly start: WindowStart;
  readonly slices: number;
}

/** A sketch that was added. */
interface AddedSketch {
  readonly reading: SegmentReading;
  /** Bit g: a cell of group g is in use. */
  readonly groups: number;
  /** First double of the sketch. */
  readonly first: number;
  /** First u32 cell of what to take off the first group; NOTHING_BEFORE where there is nothing. */
  readonly copy: number;
  /** U32 cells between that and what to take off the next group. */
  readonly copyStep: number;
}

const GROUPS = Math.ceil(NARROW_SHAPE.cells / SKETCH_GROUP_CELLS);

/**
 * Sums series of a family with a narrow sketch: since the start, and over the window. Merging is addition, of series and of segments alike.
 *
 * A sketch is added up octave by octave at first, and its cells are read where a quantile lies, which is in a few octaves out of a dozen.
 * So quantiles and cells belong in the reading (`readCommitted`) that the series were added in.
 */
export class WindowSums {
  /** Since the start. */
  readonly lifetime: Counts = { requests: 0, errors: 0, seconds: 0 };
  readonly buckets: Float64Array;
  /** Over the window. */
  readonly window: Counts = { requests: 0, errors: 0, seconds: 0 };
  private readonly sketches: AddedSketch[] = [];
  /** Observations a group, over the window. */
  private readonly groupTotals = new Float64Array(GROUPS);
  /** The window's sketch, of which the groups in `groupsRead` have been read. */
  private readonly windowCells = new Float64Array(GROUPS * SKETCH_GROUP_CELLS);
  private groupsRead = 0;

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
    this.sketches.length = 0;
    this.groupTotals.fill(0);
    this.groupsRead = 0;
  }

  addSeries(reading: SegmentReading, series: SeriesInWindow): void {
    const { block, isError, start } = series;
    const { aggregates } = reading;
    const { buckets, lifetime, window } = this;
    let requests = 0;
    for (let bucket = 0; bucket < buckets.length; bucket++) {
      const count = aggregates[block + BLOCK_COUNTS + bucket] as number;
      requests += count;
      buckets[bucket] = (buckets[bucket] as number) + count;
    }
    const seconds = aggregates[block + BLOCK_SUM] as number;
    lifetime.requests += requests;
    if (isError) lifetime.errors += requests;
    lifetime.seconds += seconds;
    if (requests === 0 || start.slice === ALL_BEFORE) return;

    const first = block + sketchDouble(buckets.length - 1);
    const place = {
      copies: first + NARROW_SHAPE.cells,
      slices: series.slices,
      groupCells: SKETCH_GROUP_CELLS,
    };
    const isWhole = start.slice === NOTHING_BEFORE;
    const sketch: AddedSketch = {
      reading,
      groups: aggregates[block + sketchGroupsDouble(buckets.length - 1)] as number,
      first,
      copy: isWhole ? NOTHING_BEFORE : groupCopyCell(place, { slice: start.slice, group: 0 }),
      copyStep: series.slices * SKETCH_GROUP_CELLS,
    };
    const observed = this.addTotals(sketch, isWhole ? -1 : groupTotalsCell(place, start.slice));
    if (observed === 0) return;
    this.sketches.push(sketch);
    window.requests += observed;
    if (isError) window.errors += observed;
    const before = isWhole ? 0 : (aggregates[sumCopyDouble(place, start.slice)] as number);
    // A sum of many fractions less one of some of them may end below nothing.
    window.seconds += Math.max(0, seconds - before);
  }

  /** Adds other sums. */
  add(other: WindowSums): void {
    addCounts(this.lifetime, other.lifetime);
    addCounts(this.window, other.window);
    addTo(this.buckets, other.buckets);
    addTo(this.groupTotals, other.groupTotals);
    for (const sketch of other.sketches) this.sketches.push(sketch);
  }

  /**
   * Values below which shares of the window's observations lie, seconds.
   *
   * @param shares Ascending, in [0, 1].
   * @param into   Gets one a share; NaN where the window is empty.
   */
  quantiles(shares: readonly number[], into: Float64Array): void {
    const total = this.window.requests;
    const { groupTotals, windowCells } = this;
    into.fill(Number.NaN);
    if (total === 0) return;
    let next = 0;
    let below = 0;
    for (let group = 0; group < GROUPS && next < shares.length; group++) {
      const inGroup = groupTotals[group] as number;
      if (inGroup === 0 || (shares[next] as number) * total > below + inGroup) {
        below += inGroup;
        continue;
      }
      this.readGroup(group);
      let belowCell = below;
      below += inGroup;
      for (let cell = group * SKETCH_GROUP_CELLS; belowCell < below; cell++) {
        const count = windowCells[cell] as number;
        if (count === 0) continue;
        while (next < shares.length && (shares[next] as number) * total <= belowCell + count) {
          const rank = (shares[next] as number) * total - belowCell;
          into[next++] = valueIn(cell, shareInCell(rank, count));
        }
        belowCell += count;
      }
    }
  }

  /** Highest value of the window, seconds: at most a bucket's width too high; `undefined` where the window is empty. */
  get maximum(): number | undefined {
    const group = this.groupTotals.findLastIndex((total) => total !== 0);
    if (group === -1) return undefined;
    this.readGroup(group);
    let cell = (group + 1) * SKETCH_GROUP_CELLS - 1;
    while (this.windowCells[cell] === 0) cell--;
    return NARROW_SHAPE.valueAt(cell, 1);
  }

  /** The window's sketch, whole. */
  cells(): Float64Array {
    for (let group = 0; group < GROUPS; group++) this.readGroup(group);
    return this.windowCells.slice(0, NARROW_SHAPE.cells);
  }

  /** @param copied U32 cell of what to take off the first group; −1: nothing. @returns Observations in all. */
  private addTotals({ reading, groups, first }: AddedSketch, copied: number): number {
    const { aggregates, cells } = reading;
    const { groupTotals } = this;
    let observed = 0;
    for (let bits = groups; bits !== 0; bits &= bits - 1) {
      const group = 31 - Math.clz32(bits & -bits);
      const shown = groupTotal(aggregates, first, group);
      // Both modulo 2³², and so is the difference (layout/windows.ts).
      const total = copied === -1 ? shown : ((shown | 0) - (cells[copied + group] as number)) >>> 0;
      groupTotals[group] = (groupTotals[group] as number) + total;
      observed += total;
    }
    return observed;
  }

  /** Adds up a group's cells, unless that is done. */
  private readGroup(group: number): void {
    if ((this.groupsRead & (1 << group)) !== 0) return;
    this.groupsRead |= 1 << group;
    const { sketches, windowCells } = this;
    const start = group * SKETCH_GROUP_CELLS;
    const end = Math.min(start + SKETCH_GROUP_CELLS, NARROW_SHAPE.cells);
    for (let cell = start; cell < end; cell++) windowCells[cell] = 0;
    for (let index = 0; index < sketches.length; index++) {
      const sketch = sketches[index] as AddedSketch;
      if ((sketch.groups & (1 << group)) === 0) continue;
      const { copy, copyStep } = sketch;
      if (copy === NOTHING_BEFORE) addShown(windowCells, start, end, sketch);
      else addSince(windowCells, start, end, sketch, copy + group * copyStep - start);
    }
  }
}

/** Observations in a group of a sketch. Four sums, as one would wait for each addition: half the time. */
function groupTotal(aggregates: Float64Array, first: number, group: number): number {
  let cell = first + group * SKETCH_GROUP_CELLS;
  const end = Math.min(cell + SKETCH_GROUP_CELLS, first + NARROW_SHAPE.cells);
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (; cell + 7 < end; cell += 8) {
    a += (aggregates[cell] as number) + (aggregates[cell + 4] as number);
    b += (aggregates[cell + 1] as number) + (aggregates[cell + 5] as number);
    c += (aggregates[cell + 2] as number) + (aggregates[cell + 6] as number);
    d += (aggregates[cell + 3] as number) + (aggregates[cell + 7] as number);
  }
  for (; cell < end; cell++) a += aggregates[cell] as number;
  return a + b + c + d;
}

/** Adds cells of a sketch. */
function addShown(sums: Float64Array, from: number, to: number, sketch: AddedSketch): void {
  const { first } = sketch;
  const { aggregates } = sketch.reading;
  for (let cell = from; cell < to; cell++) {
    sums[cell] = (sums[cell] as number) + (aggregates[first + cell] as number);
  }
}

/**
 * Adds cells of a sketch, less their copies: both modulo 2³², and so is the difference (layout/windows.ts).
 *
 * @param copies Where the copy of cell 0 would be, if those of all cells stood in a row.
 */
function addSince(
  sums: Float64Array,
  from: number,
  to: number,
  sketch: AddedSketch,
  copies: number,
): void {
  const { first } = sketch;
  const { aggregates, cells } = sketch.reading;
  for (let cell = from; cell < to; cell++) {
    const since = ((aggregates[first + cell] as number) | 0) - (cells[copies + cell] as number);
    sums[cell] = (sums[cell] as number) + (since >>> 0);
  }
}

interface Counts {
  requests: number;
  errors: number;
  seconds: number;
}

function addCounts(counts: Counts, added: Counts): void {
  counts.requests += added.requests;
  counts.errors += added.errors;
  counts.seconds += added.seconds;
}

function addTo(sums: Float64Array, added: Float64Array): void {
  for (let index = 0; index < sums.length; index++) {
    sums[index] = (sums[index] as number) + (added[index] as number);
  }
}

/** NARROW_SHAPE.valueAt, for which a snapshot of a hundred routes asks four hundred times: bounds from a table, and a power of one base. */
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

assertLayout(GROUPS <= 32, 'a group has a bit');
