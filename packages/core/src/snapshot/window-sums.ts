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
import {
  countCopyDouble,
  groupCopyCell,
  QUARTERS_PER_GROUP,
  quarterCopiesCell,
  sumCopyDouble,
} from '../layout/windows.js';
import {
  AddedSketches,
  GROUPS,
  NO_COPIES,
  QUARTER_CELLS,
  QUARTERS,
  type QuantileSearch,
  type SketchPlace,
} from './added-sketches.js';

/** Where series are read, and where their window begins. */
export interface SeriesWindow {
  readonly reading: SegmentReading;
  readonly start: WindowStart;
  readonly slices: number;
}

/** A series to be added. */
export interface AddedSeries {
  readonly block: number;
  readonly isError: boolean;
}

export interface Counts {
  requests: number;
  errors: number;
  seconds: number;
}

/** Sums of series: since the start, and over the window. */
export interface Sums {
  readonly lifetime: Counts;
  readonly window: Counts;
}

/**
 * Sums series of a family with a narrow sketch: all that are added, and those that are added at a time, as a route's are. Merging is addition,
 * of series and of segments alike. Quantiles and cells belong in the reading (`readCommitted`) that the series were added in.
 */
export class WindowSums implements Sums {
  readonly lifetime = noCounts();
  readonly buckets: Float64Array;
  readonly window = noCounts();
  /** Of what was added last. */
  readonly part: Sums = { lifetime: noCounts(), window: noCounts() };
  /** One a reading and a window, as a rule one in all. */
  private readonly sketches: AddedSketches[] = [];
  /** Of those, the one of the series that are being added; `undefined` where their window is empty. */
  private added: AddedSketches | undefined;
  /** What to read of the series that are being added, and where in their blocks: NO_COPY where nothing is to be taken off. */
  private aggregates: Float64Array = new Float64Array();
  private countCopy = NO_COPY;
  private sumCopy = NO_COPY;
  /** Bit g: one of the sketches uses group g. */
  private groups = 0;
  /** The same of what was added last, and the first of its sketches. */
  private partGroups = 0;
  private partFirst = 0;
  private readonly search: QuantileSearch = {
    shares: [],
    into: new Float64Array(),
    total: 0,
    first: 0,
    groups: 0,
  };

  constructor(boundsCount: number) {
    this.buckets = new Float64Array(boundsCount + 1);
  }

  reset(): void {
    setCounts(this.lifetime, 0, 0, 0);
    setCounts(this.window, 0, 0, 0);
    zero(this.buckets);
    for (const sketches of this.sketches) sketches.reset();
    this.added = undefined;
    this.groups = 0;
  }

  /** Lets go of the memory that was read. What was added up of it stays; its quantiles are not to be had any more. */
  letGo(): void {
    this.sketches.length = 0;
    this.added = undefined;
    this.aggregates = new Float64Array();
  }

  /** The series that are added next are of this reading and window. */
  begin({ reading, start, slices }: SeriesWindow): void {
    const { slice } = start;
    this.aggregates = reading.aggregates;
    this.added = undefined;
    this.countCopy = NO_COPY;
    this.sumCopy = NO_COPY;
    if (slice === ALL_BEFORE) return;
    const sketch = sketchDouble(this.buckets.length - 1);
    if (slice === NOTHING_BEFORE) {
      const place = { sketch, copies: 0, copyStep: NO_COPIES, quarterCopies: 0 };
      this.added = this.sketchesOf(reading, place);
      return;
    }
    const place = {
      copies: sketch + NARROW_SHAPE.cells,
      slices,
      groupCells: SKETCH_GROUP_CELLS,
    };
    this.countCopy = countCopyDouble(place, slice);
    this.sumCopy = sumCopyDouble(place, slice);
    this.added = this.sketchesOf(reading, {
      sketch,
      copies: groupCopyCell(place, { slice, group: 0 }),
      copyStep: slices * SKETCH_GROUP_CELLS,
      quarterCopies: quarterCopiesCell(place, slice),
    });
  }

  /** Adds series. They are the part from then on. */
  add(series: readonly AddedSeries[]): void {
    const { aggregates, buckets, added, countCopy, sumCopy, lifetime, window, part } = this;
    const groupsDouble = sketchGroupsDouble(buckets.length - 1);
    let all = 0;
    let allErrors = 0;
    let allSeconds = 0;
    let inWindow = 0;
    let errors = 0;
    let seconds = 0;
    let groups = 0;
    this.partFirst = added === undefined ? 0 : added.count;
    for (let index = 0; index < series.length; index++) {
      const { block, isError } = series[index] as AddedSeries;
      let observed = 0;
      for (let bucket = 0; bucket < buckets.length; bucket++) {
        const count = aggregates[block + BLOCK_COUNTS + bucket] as number;
        observed += count;
        buckets[bucket] = (buckets[bucket] as number) + count;
      }
      let sum = aggregates[block + BLOCK_SUM] as number;
      all += observed;
      if (isError) allErrors += observed;
      allSeconds += sum;
      if (added === undefined) continue;
      if (countCopy !== NO_COPY) {
        observed -= aggregates[block + countCopy] as number;
        // A sum of many fractions less one of some of them may end below nothing.
        sum = Math.max(0, sum - (aggregates[block + sumCopy] as number));
      }
      if (observed === 0) continue;
      inWindow += observed;
      if (isError) errors += observed;
      seconds += sum;
      const inUse = aggregates[block + groupsDouble] as number;
      added.add(block, inUse);
      groups |= inUse;
    }
    this.partGroups = groups;
    this.groups |= groups;
    setCounts(part.lifetime, all, allErrors, allSeconds);
    setCounts(part.window, inWindow, errors, seconds);
    addCounts(lifetime, part.lifetime);
    addCounts(window, part.window);
  }

  /** Adds other sums. Before series can be added after that, there has to be another `begin`. */
  addSums(other: WindowSums): void {
    this.added = undefined;
    addCounts(this.lifetime, other.lifetime);
    addCounts(this.window, other.window);
    for (let bucket = 0; bucket < this.buckets.length; bucket++)
      this.buckets[bucket] = (this.buckets[bucket] as number) + (other.buckets[bucket] as number);
    this.groups |= other.groups;
    for (const added of other.sketches)
      if (added.count !== 0) this.sketchesOf(added.reading, added.place).addAll(added);
  }

  /**
   * Values below which shares of the window's observations lie, seconds.
   *
   * @param shares Ascending, in [0, 1].
   * @param into   Gets one a share; NaN where the window is empty.
   */
  quantiles(shares: readonly number[], into: Float64Array): void {
    const { search } = this;
    const [sketches] = this.sketches;
    if (sketches === undefined || this.window.requests === 0 || shares.length === 0) {
      into.fill(Number.NaN);
      return;
    }
    search.shares = shares;
    search.into = into;
    search.total = this.window.requests;
    search.first = 0;
    search.groups = this.groups;
    if (this.sketches.length === 1) sketches.find(search);
    else sketchOf(this.allCells()).find(search);
  }

  /** The same of the part. Once for each, and before those of all, for which what has been counted is not counted again. */
  partQuantiles(shares: readonly number[], into: Float64Array): void {
    const { search, added } = this;
    const total = this.part.window.requests;
    if (added === undefined || total === 0 || shares.length === 0) {
      into.fill(Number.NaN);
      return;
    }
    search.shares = shares;
    search.into = into;
    search.total = total;
    search.first = this.partFirst;
    search.groups = this.partGroups;
    added.find(search);
  }

  /** Highest value of the window, seconds: at most a bucket's width too high; `undefined` where the window is empty. */
  get maximum(): number | undefined {
    const { groups } = this;
    const cell = this.sketches.reduce((high, list) => Math.max(high, list.highest(groups)), -1);
    return cell === -1 ? undefined : NARROW_SHAPE.valueAt(cell, 1);
  }

  /** The window's sketch, whole. */
  cells(): Float64Array {
    return this.allCells().slice(0, NARROW_SHAPE.cells);
  }

  /** The same, and what its last group has beyond it. */
  private allCells(): Float64Array {
    const cells = new Float64Array(GROUPS * SKETCH_GROUP_CELLS);
    const inQuarter = new Float64Array(QUARTER_CELLS);
    for (const sketches of this.sketches) {
      for (let quarter = 0; quarter < QUARTERS; quarter++) {
        if ((this.groups & (1 << (quarter / QUARTERS_PER_GROUP))) === 0) continue;
        sketches.readQuarter(quarter, 0, inQuarter);
        for (const [index, count] of inQuarter.entries()) {
          const cell = quarter * QUARTER_CELLS + index;
          cells[cell] = (cells[cell] as number) + count;
        }
      }
    }
    return cells;
  }

  private sketchesOf(reading: SegmentReading, place: SketchPlace): AddedSketches {
    for (const sketches of this.sketches) if (sketches.accepts(reading, place)) return sketches;
    const sketches = new AddedSketches(reading, place);
    this.sketches.push(sketches);
    return sketches;
  }
}

const NO_COPY = -1;

/** One that was added up already. */
function sketchOf(cells: Float64Array): AddedSketches {
  const reading = { aggregates: cells, cells: new Int32Array(cells.buffer) };
  const place = { sketch: 0, copies: 0, copyStep: NO_COPIES, quarterCopies: 0 };
  const sketches = new AddedSketches(reading, place);
  sketches.add(0, -1);
  return sketches;
}

/** In arrays so short, `fill` takes longer. */
function zero(sums: Float64Array): void {
  for (let index = 0; index < sums.length; index++) sums[index] = 0;
}

function noCounts(): Counts {
  return { requests: 0, errors: 0, seconds: 0 };
}

function setCounts(counts: Counts, requests: number, errors: number, seconds: number): void {
  counts.requests = requests;
  counts.errors = errors;
  counts.seconds = seconds;
}

function addCounts(counts: Counts, added: Counts): void {
  counts.requests += added.requests;
  counts.errors += added.errors;
  counts.seconds += added.seconds;
}
