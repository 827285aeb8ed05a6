import {
  BLOCK_SUM,
  COUNTER_BLOCK_DOUBLES,
  sketchDouble,
  sketchGroupsDouble,
} from '../layout/aggregates.js';
import * as catalog from '../layout/catalog.js';
import { familyCount, seriesBlock, seriesOf } from '../layout/catalog-reader.js';
import { COMMIT_STATE, LOG_COUNT, ROTATING } from '../layout/control-block.js';
import type { Segment } from '../layout/segment.js';
import {
  type CopiesPlace,
  countCopyDouble,
  groupCopyCell,
  QUARTERS_PER_GROUP,
  quarterCopiesCell,
  sumCopyDouble,
  WINDOW_SINCE,
  WINDOW_STARTS,
} from '../layout/windows.js';
import { applyLog } from './redo.js';
import type { ReservoirSampler } from './reservoir.js';
import { NARROW_SHAPE, sketchShapeOf } from './sketch-shape.js';

/** A family with a window, as the catalog has it. */
interface WindowedFamily {
  readonly id: number;
  /** Its window block. */
  readonly window: number;
  readonly slices: number;
}

/** No tick is later. */
const NEVER = 0x7fff_ffff;

/**
 * Begins the slices of windows: copies what series show, before the first record of the slice counts (layout/windows.ts has the protocol).
 * Whoever holds the lease runs it, in a batch.
 */
export class Rotation {
  private readonly segment: Segment;
  private readonly sampler: ReservoirSampler;
  private readonly families: WindowedFamily[] = [];
  private familiesSeen = 0;

  constructor(segment: Segment, sampler: ReservoirSampler) {
    this.segment = segment;
    this.sampler = sampler;
  }

  /** Tick of the next record before which a slice begins. Looked at for each batch, as slices may change their length. */
  dueTick(): number {
    this.learnFamilies();
    let due = NEVER;
    for (const family of this.families) due = Math.min(due, this.dueTickOf(family));
    return due;
  }

  /** Begins every slice that a record of this tick is the first of. Doing it again changes nothing. */
  rotate(tick: number): void {
    this.learnFamilies();
    for (const family of this.families) {
      if (this.dueTickOf(family) <= tick) this.begin(family, tick);
    }
  }

  /** Families with a window are few, and none goes. */
  private learnFamilies(): void {
    const { families } = this.segment;
    const count = familyCount(this.segment);
    for (; this.familiesSeen < count; this.familiesSeen++) {
      const entry = this.familiesSeen * catalog.FAMILY_ENTRY_CELLS;
      const window = families[entry + catalog.FAMILY_WINDOW] as number;
      if (window === 0) continue;
      const slices = families[entry + catalog.FAMILY_SLICES] as number;
      this.families.push({ id: this.familiesSeen, window, slices });
    }
  }

  private dueTickOf({ id, window, slices }: WindowedFamily): number {
    const { aggregates } = this.segment;
    let latest = aggregates[window + WINDOW_SINCE] as number;
    for (let slice = 0; slice < slices; slice++) {
      latest = Math.max(latest, aggregates[window + WINDOW_STARTS + slice] as number);
    }
    const length = sliceTicksOf(this.segment, id);
    return sliceStart(latest, length) + length;
  }

  private begin({ id, window, slices }: WindowedFamily, tick: number): void {
    const { segment } = this;
    const { control, aggregates } = segment;
    const starts = window + WINDOW_STARTS;
    let oldest = 0;
    for (let slice = 1; slice < slices; slice++) {
      const start = aggregates[starts + slice] as number;
      if (start < (aggregates[starts + oldest] as number)) oldest = slice;
    }
    if (aggregates[starts + oldest] !== 0) this.commit([[starts + oldest, 0]]);
    Atomics.store(control, ROTATING, 1);
    for (const series of seriesOf(segment, id)) {
      this.copy(seriesBlock(segment, series), id, { slice: oldest, slices });
    }
    Atomics.store(control, ROTATING, 0);
    const start = this.startOf(tick, id);
    this.commit([[starts + oldest, start], ...this.sampler.beginSlice(id, start)]);
  }

  /** Tick from which on a slice holds what is recorded. Its first records were an earlier slice's where slices have become shorter in its midst. */
  private startOf(tick: number, family: number): number {
    const start = sliceStart(tick, sliceTicksOf(this.segment, family));
    return start < shortenedAt(this.segment, family) ? tick : start;
  }

  private copy(
    block: number,
    family: number,
    { slice, slices }: { readonly slice: number; readonly slices: number },
  ): void {
    const { aggregates, liveCells, families } = this.segment;
    const entry = family * catalog.FAMILY_ENTRY_CELLS;
    if (families[entry + catalog.FAMILY_KIND] === catalog.FamilyKind.counter) {
      const copies = block + COUNTER_BLOCK_DOUBLES;
      aggregates[sumCopyDouble({ copies }, slice)] = aggregates[block + BLOCK_SUM] as number;
      return;
    }
    const boundsCount = boundsCountOf(this.segment, family);
    const shape = sketchShapeOf(families[entry + catalog.FAMILY_SKETCH_CELLS] as number);
    if (shape === undefined) return;
    const { cells, groupCells } = shape;
    const sketch = block + sketchDouble(boundsCount);
    const place = { copies: sketch + cells, slices, groupCells };
    aggregates[sumCopyDouble(place, slice)] = aggregates[block + BLOCK_SUM] as number;
    const groups = aggregates[block + sketchGroupsDouble(boundsCount)] as number;
    for (let bits = groups; bits !== 0; bits &= bits - 1) {
      const group = 31 - Math.clz32(bits & -bits);
      const from = group * groupCells;
      const end = Math.min(from + groupCells, cells);
      const to = groupCopyCell(place, { slice, group }) - from;
      // Stored as an int32, which is modulo 2³².
      for (let cell = from; cell < end; cell++)
        liveCells[to + cell] = aggregates[sketch + cell] as number;
    }
    if (shape === NARROW_SHAPE) this.copyTotals(sketch, groups, { place, slice });
  }

  /** Copies of a narrow sketch what its quarters and all of it hold. */
  private copyTotals(
    sketch: number,
    groups: number,
    { place, slice }: { readonly place: CopiesPlace; readonly slice: number },
  ): void {
    const { aggregates, liveCells } = this.segment;
    const { cells, groupCells } = NARROW_SHAPE;
    const quarters = quarterCopiesCell(place, slice);
    const quarterCells = groupCells / QUARTERS_PER_GROUP;
    let observations = 0;
    for (let bits = groups; bits !== 0; bits &= bits - 1) {
      const first = (31 - Math.clz32(bits & -bits)) * QUARTERS_PER_GROUP;
      for (let quarter = first; quarter < first + QUARTERS_PER_GROUP; quarter++) {
        const end = Math.min((quarter + 1) * quarterCells, cells);
        let total = 0;
        for (let cell = quarter * quarterCells; cell < end; cell++)
          total += aggregates[sketch + cell] as number;
        observations += total;
        liveCells[quarters + quarter] = total;
      }
    }
    aggregates[countCopyDouble(place, slice)] = observations;
  }

  /** Entries through the redo log, as a batch without records: which double, and what it becomes. */
  private commit(entries: readonly (readonly [number, number])[]): void {
    const { control, logCells, logValues } = this.segment;
    for (const [index, [double, value]] of entries.entries()) {
      logCells[index] = double;
      logValues[index] = value;
    }
    control[LOG_COUNT] = entries.length;
    Atomics.add(control, COMMIT_STATE, 1);
    applyLog(this.segment);
  }
}

/** Tick at which the slice of a tick begins. */
export function sliceStart(tick: number, sliceTicks: number): number {
  return tick - ((tick - 1) % sliceTicks);
}

/** Tick at which a family's slices last became shorter. */
export function shortenedAt({ families }: Segment, family: number): number {
  return Atomics.load(families, family * catalog.FAMILY_ENTRY_CELLS + catalog.FAMILY_SHORTENED);
}

/** Ticks of a family's slices at present. */
export function sliceTicksOf({ families }: Segment, family: number): number {
  return Atomics.load(families, family * catalog.FAMILY_ENTRY_CELLS + catalog.FAMILY_SLICE_TICKS);
}

/** Classic buckets' bounds among the doubles of a block: a summary has none. */
function boundsCountOf({ families }: Segment, family: number): number {
  const entry = family * catalog.FAMILY_ENTRY_CELLS;
  return families[entry + catalog.FAMILY_KIND] === catalog.FamilyKind.histogram
    ? (families[entry + catalog.FAMILY_BOUNDS_COUNT] as number)
    : 0;
}
