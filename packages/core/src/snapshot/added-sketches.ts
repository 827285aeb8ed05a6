import type { SegmentReading } from '../aggregate/segment-reading.js';
import { NARROW_SHAPE } from '../aggregate/sketch-shape.js';
import { SKETCH_GROUP_CELLS } from '../layout/aggregates.js';
import { assertLayout } from '../layout/assert-layout.js';
import { QUARTERS_PER_GROUP } from '../layout/windows.js';
import { rankOf, valueOfRank } from './sketch-values.js';

/** Groups of a narrow sketch. */
export const GROUPS = Math.ceil(NARROW_SHAPE.cells / SKETCH_GROUP_CELLS);

/** Cells of a quarter of a group. */
export const QUARTER_CELLS = SKETCH_GROUP_CELLS / QUARTERS_PER_GROUP;

/** Quarters that have cells: of the last group, one. */
export const QUARTERS = Math.ceil(NARROW_SHAPE.cells / QUARTER_CELLS);

/** Instead of a step between copies: nothing is to be taken off. */
export const NO_COPIES = 0;

/** Where blocks have their sketches, and what to take off these: the same way from each block. */
export interface SketchPlace {
  /** Doubles from the block to its sketch. */
  readonly sketch: number;
  /** U32 cells from the block to what to take off the first group's cells. All three are 0 where there are no copies. */
  readonly copies: number;
  /** U32 cells from what to take off a group to what to take off the next. */
  readonly copyStep: number;
  /** U32 cells from the block to what to take off the first quarter; those of the others follow. */
  readonly quarterCopies: number;
}

/** What is looked for in sketches that were added. */
export interface QuantileSearch {
  /** Ascending, in [0, 1]; one at least. */
  shares: readonly number[];
  /** Gets the value of each share, seconds. */
  into: Float64Array;
  /** Observations of the sketches that are looked into; one at least. */
  total: number;
  /** The first of them, and the groups that they use, a bit each. */
  first: number;
  groups: number;
}

/** Most sums are of a few series. */
const FIRST_CAPACITY = 8;

/**
 * Narrow sketches of one segment that are read alike: the same cells of each are added up. They stand in typed arrays, as a snapshot of a
 * hundred routes goes through them a thousand times.
 *
 * How many observations a sketch holds follows from its counts. Quantiles are looked for from the top: group by group, which are counted a
 * quarter at a time, and then in the cells of the few quarters in which one lies, so that what is below the lowest is not read.
 */
export class AddedSketches {
  reading: SegmentReading;
  place: SketchPlace;
  count = 0;
  private blocks = new Int32Array(FIRST_CAPACITY);
  /** Bit g: a cell of group g is in use. What nothing fell into is not read. */
  private groups = new Int32Array(FIRST_CAPACITY);
  /** The lowest group that has been counted. They are counted downwards. */
  private counted = new Int32Array(FIRST_CAPACITY);
  /** Observations a quarter, of all sketches, as far as they have been counted. */
  private readonly totals = new Float64Array(GROUPS * QUARTERS_PER_GROUP);
  /** What was counted last: of a group a quarter each, of a quarter a cell each. */
  private readonly quarters = new Float64Array(QUARTERS_PER_GROUP);
  private readonly cells = new Float64Array(QUARTER_CELLS);

  constructor(reading: SegmentReading, place: SketchPlace) {
    this.reading = reading;
    this.place = place;
  }

  reset(): void {
    this.count = 0;
    this.totals.fill(0);
  }

  /**
   * Whether sketches of this reading and place belong here. Without any, it becomes what they need. Sums have families of the same bounds
   * only, so that what else there is in the places is the same.
   */
  accepts(reading: SegmentReading, place: SketchPlace): boolean {
    if (this.count === 0) {
      this.reading = reading;
      this.place = place;
    }
    return (
      this.reading.aggregates === reading.aggregates &&
      this.place.copyStep === place.copyStep &&
      this.place.copies === place.copies
    );
  }

  add(block: number, groups: number): void {
    if (this.count === this.blocks.length) this.grow();
    const index = this.count++;
    this.blocks[index] = block;
    this.groups[index] = groups;
    this.counted[index] = GROUPS;
  }

  addAll({ count, blocks, groups }: AddedSketches): void {
    for (let index = 0; index < count; index++)
      this.add(blocks[index] as number, groups[index] as number);
  }

  /**
   * Finds quantiles of the sketches from `first` on. What has been counted of some of them is not counted again for those of all. So some
   * are searched once, and all as often as one likes.
   */
  find(search: QuantileSearch): void {
    const { first, groups } = search;
    const isOne = first === this.count - 1 && this.counted[first] === GROUPS;
    // Of the last group, not all cells are the sketch’s.
    if (isOne && (groups & (1 << (GROUPS - 1))) === 0) this.findInOne(search);
    else this.findInSeveral(search);
  }

  /** The same in the last sketch alone, as most routes have one status: without what it takes to add up several, in six tenths of the time. */
  private findInOne({ shares, total, into, first, groups }: QuantileSearch): void {
    const { totals } = this;
    const { sketch, copies, copyStep, quarterCopies } = this.place;
    const { aggregates, cells } = this.reading;
    const taken = copyStep === NO_COPIES ? NOTHING : cells;
    const wrap = copyStep === NO_COPIES ? Number.POSITIVE_INFINITY : WRAP;
    const block = this.blocks[first] as number;
    const blockCell = copyStep === NO_COPIES ? 0 : 2 * block;
    let last = shares.length - 1;
    let rank = rankOf(shares[last] as number, total);
    let above = total;
    for (let bits = groups; bits !== 0; ) {
      const group = 31 - Math.clz32(bits);
      bits &= ~(1 << group);
      const at = block + sketch + group * SKETCH_GROUP_CELLS;
      const copy = blockCell + quarterCopies + group * QUARTERS_PER_GROUP;
      const n0 = since(eightFrom(aggregates, at), taken[copy] as number, wrap);
      const n1 = since(eightFrom(aggregates, at + 8), taken[copy + 1] as number, wrap);
      const n2 = since(eightFrom(aggregates, at + 16), taken[copy + 2] as number, wrap);
      const n3 = since(eightFrom(aggregates, at + 24), taken[copy + 3] as number, wrap);
      const lowest = group * QUARTERS_PER_GROUP;
      totals[lowest] = (totals[lowest] as number) + n0;
      totals[lowest + 1] = (totals[lowest + 1] as number) + n1;
      totals[lowest + 2] = (totals[lowest + 2] as number) + n2;
      totals[lowest + 3] = (totals[lowest + 3] as number) + n3;
      this.counted[first] = group;
      const end = above - (n0 + n1 + (n2 + n3));
      const from = blockCell + copies + group * copyStep;
      // Few groups have one.
      for (let quarter = 3; rank > end; quarter--) {
        const below = above - (quarter === 3 ? n3 : quarter === 2 ? n2 : quarter === 1 ? n1 : n0);
        for (let cell = (quarter + 1) * QUARTER_CELLS - 1; rank > below; cell--) {
          const count = since(aggregates[at + cell] as number, taken[from + cell] as number, wrap);
          above -= count;
          while (rank > above) {
            into[last] = valueOfRank(group * SKETCH_GROUP_CELLS + cell, rank - above, count);
            if (last === 0) return;
            rank = rankOf(shares[--last] as number, total);
          }
          if (cell === quarter * QUARTER_CELLS) break;
        }
        above = below;
        if (quarter === 0) break;
      }
      above = end;
    }
  }

  private findInSeveral(search: QuantileSearch): void {
    const { shares, total, first } = search;
    const { quarters, totals } = this;
    const isOfAll = first === 0;
    let last = shares.length - 1;
    let rank = rankOf(shares[last] as number, total);
    let above = total;
    for (let bits = search.groups; bits !== 0; ) {
      const group = 31 - Math.clz32(bits);
      bits &= ~(1 << group);
      this.countGroup(group, first);
      const lowest = group * QUARTERS_PER_GROUP;
      let n0 = quarters[0] as number;
      let n1 = quarters[1] as number;
      let n2 = quarters[2] as number;
      let n3 = quarters[3] as number;
      const t0 = (totals[lowest] as number) + n0;
      const t1 = (totals[lowest + 1] as number) + n1;
      const t2 = (totals[lowest + 2] as number) + n2;
      const t3 = (totals[lowest + 3] as number) + n3;
      totals[lowest] = t0;
      totals[lowest + 1] = t1;
      totals[lowest + 2] = t2;
      totals[lowest + 3] = t3;
      if (isOfAll) {
        n0 = t0;
        n1 = t1;
        n2 = t2;
        n3 = t3;
      }
      const end = above - (n0 + n1 + (n2 + n3));
      // Few groups have one.
      for (let quarter = 3; rank > end; quarter--) {
        const below = above - (quarter === 3 ? n3 : quarter === 2 ? n2 : quarter === 1 ? n1 : n0);
        if (rank > below) {
          last = this.findInQuarter(lowest + quarter, search, { last, above, below });
          if (last < 0) return;
          rank = rankOf(shares[last] as number, total);
        }
        above = below;
        if (quarter === 0) break;
      }
      above = end;
    }
  }

  /**
   * Adds up a quarter of the sketches from `first` on.
   *
   * @param quarter Below QUARTERS.
   * @param sums Gets what lies in each of its eight cells.
   */
  readQuarter(quarter: number, first: number, sums: Float64Array): void {
    const { blocks, groups, count } = this;
    const { sketch, copies, copyStep } = this.place;
    const { aggregates, cells } = this.reading;
    const taken = copyStep === NO_COPIES ? NOTHING : cells;
    const wrap = copyStep === NO_COPIES ? Number.POSITIVE_INFINITY : WRAP;
    const blockCells = copyStep === NO_COPIES ? 0 : 2;
    const group = (quarter / QUARTERS_PER_GROUP) | 0;
    const bit = 1 << group;
    const cell = sketch + quarter * QUARTER_CELLS;
    const copy = copies + group * (copyStep - SKETCH_GROUP_CELLS) + quarter * QUARTER_CELLS;
    const isLast = group === GROUPS - 1;
    // In locals: adding them up in the array takes twice as long.
    let n0 = 0;
    let n1 = 0;
    let n2 = 0;
    let n3 = 0;
    let n4 = 0;
    let n5 = 0;
    let n6 = 0;
    let n7 = 0;
    for (let index = first; index < count; index++) {
      if (((groups[index] as number) & bit) === 0) continue;
      const block = blocks[index] as number;
      const at = block + cell;
      const from = blockCells * block + copy;
      n0 += since(aggregates[at] as number, taken[from] as number, wrap);
      n1 += since(aggregates[at + 1] as number, taken[from + 1] as number, wrap);
      // What follows the sketch is not its own.
      if (isLast) continue;
      n2 += since(aggregates[at + 2] as number, taken[from + 2] as number, wrap);
      n3 += since(aggregates[at + 3] as number, taken[from + 3] as number, wrap);
      n4 += since(aggregates[at + 4] as number, taken[from + 4] as number, wrap);
      n5 += since(aggregates[at + 5] as number, taken[from + 5] as number, wrap);
      n6 += since(aggregates[at + 6] as number, taken[from + 6] as number, wrap);
      n7 += since(aggregates[at + 7] as number, taken[from + 7] as number, wrap);
    }
    sums[0] = n0;
    sums[1] = n1;
    sums[2] = n2;
    sums[3] = n3;
    sums[4] = n4;
    sums[5] = n5;
    sums[6] = n6;
    sums[7] = n7;
  }

  /** @returns The highest cell in which something lies; −1: there is none. */
  highest(groups: number): number {
    const { cells } = this;
    for (let quarter = QUARTERS - 1; quarter >= 0; quarter--) {
      if ((groups & (1 << (quarter / QUARTERS_PER_GROUP))) === 0) continue;
      this.readQuarter(quarter, 0, cells);
      for (let cell = QUARTER_CELLS - 1; cell >= 0; cell--)
        if (cells[cell] !== 0) return quarter * QUARTER_CELLS + cell;
    }
    return -1;
  }

  /** Finds in a quarter the quantiles from that of index `last` downwards. @returns The first that lies below. */
  private findInQuarter(
    quarter: number,
    { shares, total, into, first }: QuantileSearch,
    of: { readonly last: number; readonly above: number; readonly below: number },
  ): number {
    const { cells } = this;
    this.readQuarter(quarter, first, cells);
    let { last, above } = of;
    let rank = rankOf(shares[last] as number, total);
    for (let cell = QUARTER_CELLS - 1; cell >= 0 && rank > of.below; cell--) {
      const count = cells[cell] as number;
      above -= count;
      while (rank > above) {
        into[last] = valueOfRank(quarter * QUARTER_CELLS + cell, rank - above, count);
        if (last === 0) return -1;
        rank = rankOf(shares[--last] as number, total);
      }
    }
    return last;
  }

  /** Counts a group of the sketches from `first` on in which it has not been counted yet. The groups above it have to have been counted. */
  private countGroup(group: number, first: number): void {
    const { blocks, groups, counted, quarters, count } = this;
    const { sketch, copyStep, quarterCopies } = this.place;
    const { aggregates, cells } = this.reading;
    const taken = copyStep === NO_COPIES ? NOTHING : cells;
    const wrap = copyStep === NO_COPIES ? Number.POSITIVE_INFINITY : WRAP;
    const blockCells = copyStep === NO_COPIES ? 0 : 2;
    const bit = 1 << group;
    const cell = sketch + group * SKETCH_GROUP_CELLS;
    const copy = quarterCopies + group * QUARTERS_PER_GROUP;
    const isLast = group === GROUPS - 1;
    let n0 = 0;
    let n1 = 0;
    let n2 = 0;
    let n3 = 0;
    for (let index = first; index < count; index++) {
      if ((counted[index] as number) <= group) continue;
      counted[index] = group;
      if (((groups[index] as number) & bit) === 0) continue;
      const block = blocks[index] as number;
      const at = block + cell;
      const from = blockCells * block + copy;
      if (isLast) {
        const shown = (aggregates[at] as number) + (aggregates[at + 1] as number);
        n0 += since(shown, taken[from] as number, wrap);
        continue;
      }
      n0 += since(eightFrom(aggregates, at), taken[from] as number, wrap);
      n1 += since(eightFrom(aggregates, at + 8), taken[from + 1] as number, wrap);
      n2 += since(eightFrom(aggregates, at + 16), taken[from + 2] as number, wrap);
      n3 += since(eightFrom(aggregates, at + 24), taken[from + 3] as number, wrap);
    }
    quarters[0] = n0;
    quarters[1] = n1;
    quarters[2] = n2;
    quarters[3] = n3;
  }

  private grow(): void {
    const larger = (cells: Int32Array) => {
      const grown = new Int32Array(cells.length * 2);
      grown.set(cells);
      return grown;
    };
    this.blocks = larger(this.blocks);
    this.groups = larger(this.groups);
    this.counted = larger(this.counted);
  }
}

/** Copies are modulo it. */
const WRAP = 2 ** 32;

/** In place of copies where there are none: one way to read for both takes less time than two. */
const NOTHING = new Int32Array(GROUPS * QUARTERS_PER_GROUP);

/**
 * What has come since a copy was made. The difference is more than what copies are modulo of only where the copy has wrapped: no window
 * holds so many observations of one series (layout/windows.ts).
 */
function since(shown: number, copy: number, wrap: number): number {
  const difference = shown - (copy >>> 0);
  return difference < wrap ? difference : difference % wrap;
}

function eightFrom(doubles: Float64Array, at: number): number {
  const first = (doubles[at] as number) + (doubles[at + 1] as number);
  const second = (doubles[at + 2] as number) + (doubles[at + 3] as number);
  const third = (doubles[at + 4] as number) + (doubles[at + 5] as number);
  const fourth = (doubles[at + 6] as number) + (doubles[at + 7] as number);
  return first + second + (third + fourth);
}

assertLayout(GROUPS <= 32, 'a group has a bit');
assertLayout(QUARTERS_PER_GROUP === 4 && QUARTER_CELLS === 8, 'a quarter is eight cells');
assertLayout(
  NARROW_SHAPE.cells % SKETCH_GROUP_CELLS === 2,
  'of the last group, two cells are the sketch’s',
);
