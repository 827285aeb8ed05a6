import { sketchDouble, WIDE_SKETCH_GROUP_CELLS } from '../layout/aggregates.js';
import { assertLayout } from '../layout/assert-layout.js';
import * as catalog from '../layout/catalog.js';
import { logEntries } from '../layout/redo-log.js';
import type { Segment, SegmentSizes } from '../layout/segment.js';
import { WIDE_SKETCH_CELLS, WIDE_SKETCH_GROUPS } from './wide-sketch.js';

/** Series that one batch may touch; with more the batch ends early. */
const SLOTS_MAX = 16_384;
/**
 * u16 counts that the batch's series share, 2 MiB: 1 190 series with a sketch, 1 300 with a wide one whose values span three of its groups, or
 * tens of thousands without.
 */
const COUNTS_MAX = 1_048_576;

/** How the accumulating loop treats a family. */
export const Mode = { sum: 0, table: 1, sketch: 2, search: 3, live: 4, wide: 5 } as const;

/** What the batch must know of a family: 10 cells each, in this order. */
export const FAMILY_BOUNDS = 0;
export const FAMILY_TABLE = FAMILY_BOUNDS + 1;
export const FAMILY_LAST_KEY = FAMILY_TABLE + 1;
export const FAMILY_SHIFT = FAMILY_LAST_KEY + 1;
export const FAMILY_MINIMUM = FAMILY_SHIFT + 1;
/** Where the sketch's counts begin, relative to the series'; 0: no sketch. Of a wide one, its groups' places (beginGroup). */
export const FAMILY_SKETCH = FAMILY_MINIMUM + 1;
export const FAMILY_MODE = FAMILY_SKETCH + 1;
/** First cell of the sketch, relative to the block. */
export const FAMILY_SKETCH_AT = FAMILY_MODE + 1;
export const FAMILY_BOUNDS_COUNT = FAMILY_SKETCH_AT + 1;
/** Counts of a series; 0 for counters, of which only the sum is kept. */
export const FAMILY_COUNTS = FAMILY_BOUNDS_COUNT + 1;
const FAMILY_CELLS = FAMILY_COUNTS + 1;

/** What `begin` says when the batch can take no further series. */
export const NO_SLOT = 0;
/** What `begin` says to an id that is no series, or one that takes no records: a damaged record. */
export const NO_SERIES = -1;

/**
 * What one batch adds to each series, before any of it is staged.
 *
 * Compact u16 counts stay in the cache where the aggregates of 200 sketches do not, and a cell that many records of a batch fall
 * into becomes one entry of the redo log.
 *
 * All arrays are of fixed size and empty between batches: nothing here survives a thread's death, or needs to.
 */
export class BatchDeltas {
  /** Series → slot of this batch; 0: none yet. */
  readonly slotOfSeries: Uint16Array;
  readonly slotSeries: Int32Array;
  readonly slotBlock: Int32Array;
  readonly slotFamily: Int32Array;
  readonly slotCounts: Int32Array;
  readonly sums: Float64Array;
  readonly groups: Int32Array;
  readonly counts = new Uint16Array(COUNTS_MAX);
  readonly families: Int32Array;
  /** Entry of the redo log → the count it will add. */
  readonly entryCount: Uint32Array;
  /** Log entries of this batch so far; the loop keeps them while it runs. */
  entries = 0;
  /** Slots in use, 1 … slots. */
  slots = 0;
  /** Records of this batch that named no series (damage). */
  unattributed = 0;
  private readonly maxSlots: number;
  private readonly known: Uint8Array;
  private countsEnd = 0;
  /** Wide sketches' groups take their counts from the end. */
  private groupsStart = COUNTS_MAX;

  constructor(sizes: SegmentSizes) {
    const { maxSeries, maxFamilies } = sizes;
    this.maxSlots = Math.min(maxSeries, SLOTS_MAX);
    this.slotOfSeries = new Uint16Array(maxSeries);
    this.slotSeries = new Int32Array(this.maxSlots + 1);
    this.slotBlock = new Int32Array(this.maxSlots + 1);
    this.slotFamily = new Int32Array(this.maxSlots + 1);
    this.slotCounts = new Int32Array(this.maxSlots + 1);
    this.sums = new Float64Array(this.maxSlots + 1);
    this.groups = new Int32Array(this.maxSlots + 1);
    this.families = new Int32Array(maxFamilies * FAMILY_CELLS);
    this.entryCount = new Uint32Array(logEntries(sizes.capacityRecords));
    this.known = new Uint8Array(maxFamilies);
  }

  /**
   * Gives a series its slot in this batch.
   *
   * @returns The slot, NO_SLOT or NO_SERIES.
   */
  begin(segment: Segment, id: number): number {
    const { series, families, sizes } = segment;
    const entry = id * catalog.SERIES_ENTRY_CELLS;
    const block = id >>> 0 < sizes.maxSeries ? (series[entry + catalog.SERIES_BLOCK] as number) : 0;
    if (block === 0) {
      this.unattributed++;
      return NO_SERIES;
    }
    if (this.slots === this.maxSlots) return NO_SLOT;
    const family = series[entry + catalog.SERIES_FAMILY] as number;
    const params = family * FAMILY_CELLS;
    if (this.known[family] === 0) this.learn(families, family);
    // The producer writes a live block, and nobody else may.
    if (this.families[params + FAMILY_MODE] === Mode.live) {
      this.unattributed++;
      return NO_SERIES;
    }
    const countCells = this.families[params + FAMILY_COUNTS] as number;
    if (this.countsEnd + countCells > this.groupsStart) return NO_SLOT;
    const slot = ++this.slots;
    this.slotSeries[slot] = id;
    this.slotBlock[slot] = block;
    this.slotFamily[slot] = params;
    this.slotCounts[slot] = this.countsEnd;
    this.countsEnd += countCells;
    this.slotOfSeries[id] = slot;
    return slot;
  }

  /**
   * Gives a group of a wide sketch its counts in this batch: a series uses a few of its groups, and counts for all of them would make room
   * for 200 series only.
   *
   * @param place Count that notes where they are.
   * @returns     Their number, of which the first count is 256 times as large; 0 when the batch has no room.
   */
  beginGroup(place: number): number {
    const start = this.groupsStart - WIDE_SKETCH_GROUP_CELLS;
    if (start < this.countsEnd) return 0;
    this.groupsStart = start;
    const group = start / WIDE_SKETCH_GROUP_CELLS;
    this.counts[place] = group;
    return group;
  }

  /** Counts one observation, and notes the log entry if it is the cell's first of the batch. */
  count(segment: Segment, counted: number, cell: number): void {
    const before = this.counts[counted] as number;
    this.counts[counted] = before + 1;
    if (before !== 0) return;
    segment.logCells[this.entries] = cell;
    this.entryCount[this.entries++] = counted;
  }

  /** Ends the batch; the counts and sums are zero again already. */
  forget(): void {
    this.slots = 0;
    this.countsEnd = 0;
    this.groupsStart = COUNTS_MAX;
    this.entries = 0;
    this.unattributed = 0;
  }

  private learn(families: Int32Array, family: number): void {
    const entry = family * catalog.FAMILY_ENTRY_CELLS;
    const params = family * FAMILY_CELLS;
    const field = (cell: number): number => families[entry + cell] as number;
    const kind = field(catalog.FAMILY_KIND);
    // What a summary has there is not bounds.
    const boundsCount =
      kind === catalog.FamilyKind.summary ? 0 : field(catalog.FAMILY_BOUNDS_COUNT);
    const sketchCells = field(catalog.FAMILY_SKETCH_CELLS);
    const tableCells = field(catalog.FAMILY_TABLE_CELLS);
    const classicCounts = isObserved(kind) ? boundsCount + 1 : 0;
    const sketchCounts = sketchCells === WIDE_SKETCH_CELLS ? WIDE_SKETCH_GROUPS : sketchCells;
    this.families[params + FAMILY_BOUNDS] = field(catalog.FAMILY_BOUNDS) / 8;
    this.families[params + FAMILY_TABLE] = field(catalog.FAMILY_TABLE) / 2;
    this.families[params + FAMILY_LAST_KEY] = tableCells - 1;
    this.families[params + FAMILY_SHIFT] = field(catalog.FAMILY_TABLE_SHIFT);
    this.families[params + FAMILY_MINIMUM] = field(catalog.FAMILY_TABLE_MINIMUM);
    this.families[params + FAMILY_SKETCH] = sketchCells === 0 ? 0 : classicCounts;
    this.families[params + FAMILY_BOUNDS_COUNT] = boundsCount;
    this.families[params + FAMILY_SKETCH_AT] = sketchDouble(boundsCount);
    this.families[params + FAMILY_COUNTS] = classicCounts + sketchCounts;
    this.families[params + FAMILY_MODE] = modeOf({ kind, sketchCells, tableCells });
    this.known[family] = 1;
  }
}

function modeOf(family: { kind: number; sketchCells: number; tableCells: number }): number {
  if (family.kind === catalog.FamilyKind.liveGauge) return Mode.live;
  if (!isObserved(family.kind)) return Mode.sum;
  if (family.sketchCells === WIDE_SKETCH_CELLS) return Mode.wide;
  if (family.tableCells === 0) return Mode.search;
  return family.sketchCells === 0 ? Mode.table : Mode.sketch;
}

/** Whether a record is an observation, and no amount. */
function isObserved(kind: number): boolean {
  return kind === catalog.FamilyKind.histogram || kind === catalog.FamilyKind.summary;
}

assertLayout(COUNTS_MAX % WIDE_SKETCH_GROUP_CELLS === 0, 'groups of counts begin at whole numbers');
assertLayout(COUNTS_MAX / WIDE_SKETCH_GROUP_CELLS < 0x1_0000, 'a u16 notes a group of counts');
