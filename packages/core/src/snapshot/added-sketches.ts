import type { SegmentReading } from '../aggregate/segment-reading.js';
import { NARROW_SHAPE, shareInCell } from '../aggregate/sketch-shape.js';
import { SKETCH_GROUP_CELLS } from '../layout/aggregates.js';
import { assertLayout } from '../layout/assert-layout.js';

/** Groups of a narrow sketch. */
export const GROUPS = Math.ceil(NARROW_SHAPE.cells / SKETCH_GROUP_CELLS);

/** Instead of a step between copies: nothing is to be taken off. */
export const NO_COPIES = 0;

/** Where a sketch is, and what to take off. */
export interface SketchPlace {
  /** Bit g: a cell of group g is in use. */
  readonly groups: number;
  /** First double of the sketch. */
  readonly first: number;
  /** First u32 cell of what to take off the first group's cells. Any number where there are no copies. */
  readonly copy: number;
  /** U32 cell of what to take off the first group's total; those of the other groups follow. The same holds. */
  readonly total: number;
  /** Bit g: the total of group g has yet to be counted. */
  readonly uncounted: number;
}

/** A search for quantiles that goes from group to group, downwards. */
export interface QuantileSearch {
  /** Ascending, in [0, 1]. */
  shares: readonly number[];
  /** Observations in all. */
  total: number;
  /** Gets the value of each share, seconds. */
  into: Float64Array;
  /** Of the shares whose values lie in the group, the lowest and the highest. */
  first: number;
  last: number;
  /** Observations below the group. */
  below: number;
}

/** How many observations lie at or below the value of a share: some, also for share 0. */
export function rankOf(share: number, total: number): number {
  return Math.max(share * total, Number.MIN_VALUE);
}

/** Most sums are of one route, which has a series a status. */
const FIRST_CAPACITY = 8;

/**
 * Narrow sketches of one segment that are read alike: the same cells of each are added up. Places stand in typed arrays, as a snapshot of a
 * hundred routes goes through them four hundred times.
 */
export class AddedSketches {
  private reading: SegmentReading;
  /** U32 cells from what to take off a group to what to take off the next. */
  private copyStep: number;
  count = 0;
  private groups = new Int32Array(FIRST_CAPACITY);
  private firsts = new Int32Array(FIRST_CAPACITY);
  private copies = new Int32Array(FIRST_CAPACITY);
  private totals = new Int32Array(FIRST_CAPACITY);
  private uncounted = new Int32Array(FIRST_CAPACITY);
  /** Of those sketches that use the group being read: where its cells begin, and what to take off them. */
  private shown = new Int32Array(FIRST_CAPACITY);
  private taken = new Int32Array(FIRST_CAPACITY);

  constructor(reading: SegmentReading, copyStep: number) {
    this.reading = reading;
    this.copyStep = copyStep;
  }

  /** Whether sketches of this reading belong here. Without any, it becomes what they need. */
  accepts(reading: SegmentReading, copyStep: number): boolean {
    if (this.count === 0) {
      this.reading = reading;
      this.copyStep = copyStep;
    }
    return this.reading.aggregates === reading.aggregates && this.copyStep === copyStep;
  }

  /** Whether those of others belong here. */
  acceptsAll({ reading, copyStep }: AddedSketches): boolean {
    return this.accepts(reading, copyStep);
  }

  add({ groups, first, copy, total, uncounted }: SketchPlace): void {
    if (this.count === this.groups.length) this.grow();
    const index = this.count++;
    this.groups[index] = groups;
    this.firsts[index] = first;
    this.copies[index] = copy;
    this.totals[index] = total;
    this.uncounted[index] = uncounted;
  }

  addAll({ count, groups, firsts, copies, totals, uncounted }: AddedSketches): void {
    while (this.count + count > this.groups.length) this.grow();
    for (let from = 0; from < count; from++) {
      const to = this.count++;
      this.groups[to] = groups[from] as number;
      this.firsts[to] = firsts[from] as number;
      this.copies[to] = copies[from] as number;
      this.totals[to] = totals[from] as number;
      this.uncounted[to] = uncounted[from] as number;
    }
  }

  /** A list of its own for the same reading, empty. */
  like(): AddedSketches {
    return new AddedSketches(this.reading, this.copyStep);
  }

  /** @returns Observations in a group of those sketches of which they have not been counted yet. */
  countGroup(group: number): number {
    const { reading, copyStep, firsts, totals, uncounted } = this;
    const bit = 1 << group;
    let observed = 0;
    for (let index = 0; index < this.count; index++) {
      const bits = uncounted[index] as number;
      if ((bits & bit) === 0) continue;
      uncounted[index] = bits & ~bit;
      const shown = groupTotal(reading.aggregates, firsts[index] as number, group);
      if (copyStep === NO_COPIES) observed += shown;
      // Both modulo 2³², and so is the difference (layout/windows.ts).
      else
        observed +=
          ((shown | 0) - (reading.cells[(totals[index] as number) + group] as number)) >>> 0;
    }
    return observed;
  }

  /** Adds a group's cells to those of a sketch. */
  addGroup(group: number, sums: Float64Array): void {
    const { copyStep, shown, taken, reading } = this;
    const from = group * SKETCH_GROUP_CELLS;
    const to = Math.min(from + SKETCH_GROUP_CELLS, NARROW_SHAPE.cells);
    const count = this.gather(group);
    for (let index = 0; index < count; index++) {
      const first = (shown[index] as number) - from;
      if (copyStep === NO_COPIES) addShown(reading, { sums, from, to, first });
      else addSince(reading, { sums, from, to, first, copies: (taken[index] as number) - from });
    }
  }

  /**
   * Finds the quantiles that lie in a group.
   *
   * Four cells at a time are added up in locals, sketch after sketch, and the search ends where the last quantile lies: adding the cells up
   * in an array to look for them there took longer, over all routes together more than twice as long.
   */
  findInGroup(group: number, search: QuantileSearch): void {
    const { shares, total, into, first, last, below } = search;
    const { shown, taken } = this;
    const { aggregates, cells } = this.reading;
    const isWhole = this.copyStep === NO_COPIES;
    const count = this.gather(group);
    const cell = group * SKETCH_GROUP_CELLS;
    let next = first;
    let rank = rankOf(shares[next] as number, total);
    let b0 = below;
    for (let offset = 0; offset < SKETCH_GROUP_CELLS; offset += QUAD) {
      let n0 = 0;
      let n1 = 0;
      let n2 = 0;
      let n3 = 0;
      let t0 = 0;
      let t1 = 0;
      let t2 = 0;
      let t3 = 0;
      for (let index = 0; index < count; index++) {
        const at = (shown[index] as number) + offset;
        n0 += aggregates[at] as number;
        n1 += aggregates[at + 1] as number;
        n2 += aggregates[at + 2] as number;
        n3 += aggregates[at + 3] as number;
        if (isWhole) continue;
        const from = (taken[index] as number) + offset;
        t0 = (t0 + (cells[from] as number)) | 0;
        t1 = (t1 + (cells[from + 1] as number)) | 0;
        t2 = (t2 + (cells[from + 2] as number)) | 0;
        t3 = (t3 + (cells[from + 3] as number)) | 0;
      }
      if (cell + offset + QUAD > NARROW_SHAPE.cells) {
        // What follows the sketch is not its own.
        n2 = 0;
        n3 = 0;
        t2 = 0;
        t3 = 0;
      }
      // Both modulo 2³², and so is the difference (layout/windows.ts). Most fours are passed by, and one conversion does for that.
      let inQuad = n0 + n1 + n2 + n3;
      if (!isWhole) inQuad = ((inQuad | 0) - (t0 + t1 + t2 + t3)) >>> 0;
      if (rank > b0 + inQuad) {
        b0 += inQuad;
        continue;
      }
      if (!isWhole) {
        n0 = ((n0 | 0) - t0) >>> 0;
        n1 = ((n1 | 0) - t1) >>> 0;
        n2 = ((n2 | 0) - t2) >>> 0;
        n3 = ((n3 | 0) - t3) >>> 0;
      }
      const b1 = b0 + n0;
      const b2 = b1 + n1;
      const b3 = b2 + n2;
      const b4 = b3 + n3;
      while (rank <= b4) {
        if (rank <= b1) into[next] = valueIn(cell + offset, shareInCell(rank - b0, n0));
        else if (rank <= b2) into[next] = valueIn(cell + offset + 1, shareInCell(rank - b1, n1));
        else if (rank <= b3) into[next] = valueIn(cell + offset + 2, shareInCell(rank - b2, n2));
        else into[next] = valueIn(cell + offset + 3, shareInCell(rank - b3, n3));
        if (next === last) return;
        rank = rankOf(shares[++next] as number, total);
      }
      b0 = b4;
    }
  }

  /** @returns Sketches that use the group: what nothing fell into is not read. */
  private gather(group: number): number {
    const { groups, firsts, copies, shown, taken, copyStep } = this;
    let gathered = 0;
    for (let index = 0; index < this.count; index++) {
      if (((groups[index] as number) & (1 << group)) === 0) continue;
      shown[gathered] = (firsts[index] as number) + group * SKETCH_GROUP_CELLS;
      taken[gathered++] = (copies[index] as number) + group * copyStep;
    }
    return gathered;
  }

  private grow(): void {
    const larger = (cells: Int32Array) => {
      const grown = new Int32Array(cells.length * 2);
      grown.set(cells);
      return grown;
    };
    this.groups = larger(this.groups);
    this.firsts = larger(this.firsts);
    this.copies = larger(this.copies);
    this.totals = larger(this.totals);
    this.uncounted = larger(this.uncounted);
    this.shown = larger(this.shown);
    this.taken = larger(this.taken);
  }
}

/** Cells that are added up at a time. */
const QUAD = 4;

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

/** Cells of a sketch, and what to add them to. */
interface CellRange {
  readonly sums: Float64Array;
  readonly from: number;
  readonly to: number;
  /** Where the sketch's cell 0 is. */
  readonly first: number;
}

function addShown({ aggregates }: SegmentReading, { sums, from, to, first }: CellRange): void {
  for (let cell = from; cell < to; cell++) {
    sums[cell] = (sums[cell] as number) + (aggregates[first + cell] as number);
  }
}

/**
 * The same, less their copies: both modulo 2³², and so is the difference (layout/windows.ts). `copies` is where the copy of cell 0 would
 * be, if those of all cells stood in a row.
 */
function addSince(
  { aggregates, cells }: SegmentReading,
  { sums, from, to, first, copies }: CellRange & { readonly copies: number },
): void {
  for (let cell = from; cell < to; cell++) {
    const since = ((aggregates[first + cell] as number) | 0) - (cells[copies + cell] as number);
    sums[cell] = (sums[cell] as number) + (since >>> 0);
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
assertLayout(SKETCH_GROUP_CELLS % QUAD === 0, 'a group is read four cells at a time');
assertLayout(NARROW_SHAPE.cells % QUAD === 2, 'of the last four cells, two are the sketch’s');
