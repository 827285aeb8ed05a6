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
import { groupCopyCell, groupTotalsCell, sumCopyDouble } from '../layout/windows.js';
import { AddedSketches, GROUPS, NO_COPIES, type QuantileSearch, rankOf } from './added-sketches.js';

/** One series to be added: where its block is, and where its window begins. */
export interface SeriesInWindow {
  readonly block: number;
  readonly isError: boolean;
  readonly start: WindowStart;
  readonly slices: number;
}

/**
 * Sums series of a family with a narrow sketch: since the start, and over the window. Merging is addition, of series and of segments alike.
 *
 * How many observations a sketch holds follows from its counts. Quantiles are looked for from the top: octave by octave, and then in the
 * cells of the few octaves in which one lies, so that what is below the median is not read. So quantiles and cells belong in the reading
 * (`readCommitted`) that the series were added in.
 */
export class WindowSums {
  /** Since the start. */
  readonly lifetime: Counts = { requests: 0, errors: 0, seconds: 0 };
  readonly buckets: Float64Array;
  /** Over the window. */
  readonly window: Counts = { requests: 0, errors: 0, seconds: 0 };
  /** One a reading, as a rule one in all. */
  private readonly sketches: AddedSketches[] = [];
  /** Bit g: one of the sketches uses group g. */
  private groups = 0;
  /** Observations a group, over the window, as far as they have been counted. */
  private readonly groupTotals = new Float64Array(GROUPS);
  /** The window's sketch, of which the groups in `groupsRead` have been read. */
  private readonly windowCells = new Float64Array(GROUPS * SKETCH_GROUP_CELLS);
  private groupsRead = 0;
  /** Where a search for quantiles is. Kept, as a snapshot makes a hundred of them. */
  private readonly search: QuantileSearch = {
    shares: [],
    total: 0,
    into: new Float64Array(),
    first: 0,
    last: 0,
    below: 0,
  };
  /** The window's sketch as one that was added. */
  private readonly windowSketch: AddedSketches;

  constructor(boundsCount: number) {
    this.buckets = new Float64Array(boundsCount + 1);
    const cells = new Int32Array(this.windowCells.buffer);
    this.windowSketch = new AddedSketches({ aggregates: this.windowCells, cells }, NO_COPIES);
    this.windowSketch.add({ groups: -1, first: 0, copy: 0, total: 0, uncounted: 0 });
  }

  reset(): void {
    clear(this.lifetime);
    clear(this.window);
    zero(this.buckets);
    for (const sketches of this.sketches) sketches.count = 0;
    for (let { groups } = this; groups !== 0; ) {
      const group = 31 - Math.clz32(groups);
      groups &= ~(1 << group);
      this.groupTotals[group] = 0;
    }
    this.groups = 0;
    this.groupsRead = 0;
  }

  /** Lets go of the memory that was read. What was added up of it stays; its quantiles are not to be had any more. */
  letGo(): void {
    this.sketches.length = 0;
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
    const groups = aggregates[block + sketchGroupsDouble(buckets.length - 1)] as number;
    const total = isWhole ? 0 : groupTotalsCell(place, start.slice);
    const observed = isWhole ? requests : requestsSince(requests, reading, { groups, total });
    if (observed === 0) return;
    const copyStep = isWhole ? NO_COPIES : series.slices * SKETCH_GROUP_CELLS;
    const copy = isWhole ? 0 : groupCopyCell(place, { slice: start.slice, group: 0 });
    this.sketchesOf(reading, copyStep).add({ groups, first, copy, total, uncounted: groups });
    this.groups |= groups;
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
    this.groups |= other.groups;
    const { groupTotals } = this;
    for (let groups = other.groups; groups !== 0; ) {
      const group = 31 - Math.clz32(groups);
      groups &= ~(1 << group);
      groupTotals[group] = (groupTotals[group] as number) + (other.groupTotals[group] as number);
    }
    for (const added of other.sketches) {
      if (added.count !== 0) this.sketchesLike(added).addAll(added);
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
    if (total === 0) {
      into.fill(Number.NaN);
      return;
    }
    const { search } = this;
    search.shares = shares;
    search.total = total;
    search.into = into;
    search.last = shares.length - 1;
    search.below = total;
    for (let groups = this.groups; groups !== 0 && search.last >= 0; ) {
      const group = 31 - Math.clz32(groups);
      groups &= ~(1 << group);
      search.below -= this.totalOf(group);
      search.first = search.last + 1;
      while (search.first > 0 && rankOf(shares[search.first - 1] as number, total) > search.below)
        search.first--;
      if (search.first > search.last) continue;
      this.sketchesIn(group).findInGroup(group, search);
      search.last = search.first - 1;
    }
  }

  /** Highest value of the window, seconds: at most a bucket's width too high; `undefined` where the window is empty. */
  get maximum(): number | undefined {
    let { groups } = this;
    while (groups !== 0 && this.totalOf(31 - Math.clz32(groups)) === 0)
      groups &= ~(1 << (31 - Math.clz32(groups)));
    if (groups === 0) return undefined;
    const group = 31 - Math.clz32(groups);
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

  /** Observations in a group. It is counted when somebody asks, as quantiles are looked for from the top, and few reach the bottom. */
  private totalOf(group: number): number {
    const { groupTotals, sketches } = this;
    let total = groupTotals[group] as number;
    for (let index = 0; index < sketches.length; index++)
      total += (sketches[index] as AddedSketches).countGroup(group);
    groupTotals[group] = total;
    return total;
  }

  private sketchesOf(reading: SegmentReading, copyStep: number): AddedSketches {
    for (const sketches of this.sketches) if (sketches.accepts(reading, copyStep)) return sketches;
    const sketches = new AddedSketches(reading, copyStep);
    this.sketches.push(sketches);
    return sketches;
  }

  private sketchesLike(added: AddedSketches): AddedSketches {
    for (const sketches of this.sketches) if (sketches.acceptsAll(added)) return sketches;
    const sketches = added.like();
    this.sketches.push(sketches);
    return sketches;
  }

  /** What to look for a group's quantiles in: the sketches themselves, or one of their sums. */
  private sketchesIn(group: number): AddedSketches {
    const [first] = this.sketches;
    if (this.sketches.length === 1 && this.window.requests < WRAP) return first as AddedSketches;
    this.readGroup(group);
    return this.windowSketch;
  }

  /** Adds up a group's cells, unless that is done. */
  private readGroup(group: number): void {
    if ((this.groupsRead & (1 << group)) !== 0) return;
    this.groupsRead |= 1 << group;
    const { windowCells } = this;
    windowCells.fill(0, group * SKETCH_GROUP_CELLS, (group + 1) * SKETCH_GROUP_CELLS);
    for (const sketches of this.sketches) sketches.addGroup(group, windowCells);
  }
}

/** Copies are modulo it. */
const WRAP = 2 ** 32;

/** Observations that have come since the copies: both modulo 2³², and so is the difference (layout/windows.ts). */
function requestsSince(
  requests: number,
  { cells }: SegmentReading,
  { groups, total }: { readonly groups: number; readonly total: number },
): number {
  let copied = 0;
  for (let bits = groups; bits !== 0; bits &= bits - 1)
    copied = (copied + (cells[total + 31 - Math.clz32(bits & -bits)] as number)) | 0;
  return ((requests | 0) - copied) >>> 0;
}

interface Counts {
  requests: number;
  errors: number;
  seconds: number;
}

/** In arrays so short, `fill` takes longer. */
function zero(sums: Float64Array): void {
  for (let index = 0; index < sums.length; index++) sums[index] = 0;
}

function clear(counts: Counts): void {
  counts.requests = 0;
  counts.errors = 0;
  counts.seconds = 0;
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
