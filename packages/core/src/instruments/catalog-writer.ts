import { boundTableOf, sketchBoundTableOf } from '../aggregate/bound-table.js';
import { SKETCH_CELLS } from '../aggregate/sketch.js';
import { sketchShapeOf } from '../aggregate/sketch-shape.js';
import { OffloopError } from '../errors.js';
import {
  COUNTER_BLOCK_DOUBLES,
  histogramBlockDoubles,
  LIVE_BLOCK_DOUBLES,
} from '../layout/aggregates.js';
import * as catalog from '../layout/catalog.js';
import { seriesOf } from '../layout/catalog-reader.js';
import {
  AGGREGATES_END,
  CATALOG_END,
  CLOCK_TICK,
  FAMILY_COUNT,
  REMOVED_COUNT,
  SERIES_COUNT,
} from '../layout/control-block.js';
import { RESERVOIR_START, reservoirSliceDoubles } from '../layout/reservoirs.js';
import type { Segment } from '../layout/segment.js';
import { WINDOW_SINCE, windowBlockDoubles, windowCopiesDoubles } from '../layout/windows.js';
import { ExemplarMemory } from './exemplar-memory.js';
import type { FamilyHoldings } from './family.js';
import { type LabelPlace, LabelPlaces } from './label-places.js';
import { type Removed, RemovedSeries } from './removed-series.js';

/** Room for labels is rounded up to it: a place that is used again seldom has to be left for a larger one. */
const LABELS_ROOM_BYTES = 16;

/** What a family shows of the recent past: counters, and histograms and summaries with a sketch. */
export interface FamilyWindow {
  readonly slices: number;
  /** Ticks; may be changed. */
  readonly sliceTicks: number;
  /** Observations that a reservoir keeps of each slice. Default: there is no reservoir. */
  readonly sampleCount?: number;
}

/** A family as the catalog stores it. */
export interface FamilyEntry {
  readonly kind: catalog.FamilyKind;
  readonly role: catalog.FamilyRole;
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Histograms: ascending finite bounds, without +Infinity. */
  readonly bounds: readonly number[];
  /** Summaries: the shares whose quantiles they show, in the page's order. */
  readonly quantiles: readonly number[];
  /** Cells of the sketch, which tell its shape (aggregate/sketch-shape.ts); 0: none. */
  readonly sketchCells: number;
  /** Default: what its kind says. */
  readonly openMetricsType?: catalog.OpenMetricsType;
  /** Default: it has no window. */
  readonly window?: FamilyWindow | undefined;
  /** Observation counters: the histogram they show. */
  readonly source: number | undefined;
}

/**
 * The writing end of a segment's catalog. The producing thread owns it; nothing here is on the request path.
 */
export class CatalogWriter {
  readonly exemplars: ExemplarMemory;
  private readonly segment: Segment;
  /** Family → last series of its chain. */
  private readonly lastSeries: Int32Array;
  private readonly removed: RemovedSeries;
  private readonly labelPlaces = new LabelPlaces();
  /** Families that nobody can reach any more, by what they are. */
  private readonly abandoned = new Map<string, number[]>();

  constructor(segment: Segment) {
    this.segment = segment;
    this.removed = new RemovedSeries(segment);
    this.exemplars = new ExemplarMemory(segment);
    this.lastSeries = new Int32Array(segment.sizes.maxFamilies).fill(-1);
  }

  /**
   * Appends a family, or takes an abandoned one that is the same in every respect.
   *
   * @returns Its id.
   * @throws {OffloopError} `OFFLOOP_ERR_FAMILIES_FULL`, `OFFLOOP_ERR_CATALOG_FULL`.
   */
  addFamily(family: FamilyEntry): number {
    const again = this.abandoned.get(keyOf(family))?.pop();
    if (again !== undefined) {
      this.segment.families[again * catalog.FAMILY_ENTRY_CELLS + catalog.FAMILY_ROLE] = family.role;
      if (family.window !== undefined) this.setSliceTicks(again, family.window.sliceTicks);
      return again;
    }
    const { control, families, sizes, catalogDoubles, catalogHalves } = this.segment;
    const id = control[FAMILY_COUNT] as number;
    if (id >= sizes.maxFamilies) {
      throw new OffloopError(
        'OFFLOOP_ERR_FAMILIES_FULL',
        `memory.maxFamilies allows ${sizes.maxFamilies} metrics, got one more: ${family.name}`,
      );
    }
    const table =
      family.sketchCells === SKETCH_CELLS
        ? sketchBoundTableOf(family.bounds)
        : boundTableOf(family.bounds);
    // A family has either.
    const doubles = [...family.bounds, ...family.quantiles];
    const texts = [family.name, family.help, JSON.stringify(family.labelNames)].map((text) =>
      Buffer.from(text),
    );
    // 8 bytes of padding before each aligned part.
    const bytes =
      texts.reduce((sum, text) => sum + text.length, 0) +
      (doubles.length + 1) * 8 +
      table.cells.byteLength +
      16;
    if ((control[CATALOG_END] as number) + bytes > sizes.catalogBytes) {
      throw new OffloopError(
        'OFFLOOP_ERR_CATALOG_FULL',
        `memory.catalogBytes allows ${sizes.catalogBytes} bytes, of which ${control[CATALOG_END]} are used; ${family.name} needs ${bytes} more`,
      );
    }
    const entry = id * catalog.FAMILY_ENTRY_CELLS;
    this.layWindowOut(entry, family);
    for (const [index, text] of texts.entries()) {
      const cell =
        entry +
        ([catalog.FAMILY_NAME, catalog.FAMILY_HELP, catalog.FAMILY_LABEL_NAMES][index] as number);
      families[cell] = this.appendBytes(text);
      families[cell + 1] = text.length;
    }
    const bounds = this.reserveBytes((doubles.length + 1) * 8, 8);
    catalogDoubles.set(doubles, bounds / 8);
    catalogDoubles[bounds / 8 + doubles.length] = Number.POSITIVE_INFINITY;
    const tableOffset = this.reserveBytes(table.cells.byteLength, 2);
    catalogHalves.set(table.cells, tableOffset / 2);

    families[entry + catalog.FAMILY_KIND] = family.kind;
    families[entry + catalog.FAMILY_ROLE] = family.role;
    families[entry + catalog.FAMILY_BOUNDS] = bounds;
    families[entry + catalog.FAMILY_BOUNDS_COUNT] = doubles.length;
    families[entry + catalog.FAMILY_TABLE] = tableOffset;
    families[entry + catalog.FAMILY_TABLE_CELLS] = table.cells.length;
    families[entry + catalog.FAMILY_TABLE_SHIFT] = table.shift;
    families[entry + catalog.FAMILY_TABLE_MINIMUM] = table.minimum;
    families[entry + catalog.FAMILY_SKETCH_CELLS] = family.sketchCells;
    families[entry + catalog.FAMILY_SOURCE] = family.source === undefined ? 0 : family.source + 1;
    families[entry + catalog.FAMILY_BLOCK_DOUBLES] = blockDoubles(family);
    families[entry + catalog.FAMILY_OPEN_METRICS_TYPE] =
      family.openMetricsType ?? catalog.OpenMetricsType.byKind;
    // Published last: a reader that sees the count sees the entry.
    Atomics.store(control, FAMILY_COUNT, id + 1);
    return id;
  }

  /** Lets nobody find these families by their roles any more: others are to have them. */
  forgetRoles(from: number): void {
    const { control, families } = this.segment;
    for (let id = from; id < (control[FAMILY_COUNT] as number); id++)
      families[id * catalog.FAMILY_ENTRY_CELLS + catalog.FAMILY_ROLE] = catalog.FamilyRole.none;
  }

  /** Changes the length of a window's slices, from the next one on. */
  setSliceTicks(family: number, ticks: number): void {
    const { families, control } = this.segment;
    const entry = family * catalog.FAMILY_ENTRY_CELLS;
    const before = Atomics.load(families, entry + catalog.FAMILY_SLICE_TICKS);
    // First, so that who sees the length sees since when it holds.
    if (ticks < before)
      Atomics.store(families, entry + catalog.FAMILY_SHORTENED, control[CLOCK_TICK] as number);
    Atomics.store(families, entry + catalog.FAMILY_SLICE_TICKS, ticks);
  }

  private layWindowOut(entry: number, { window, name }: FamilyEntry): void {
    if (window === undefined) return;
    const { control, families, aggregates, sizes } = this.segment;
    const block = control[AGGREGATES_END] as number;
    const { slices, sampleCount = 0 } = window;
    const reservoir = block + windowBlockDoubles(slices);
    const end = reservoir + (sampleCount === 0 ? 0 : slices * reservoirSliceDoubles(sampleCount));
    if (end > sizes.aggregateCells) {
      throw new OffloopError(
        'OFFLOOP_ERR_CATALOG_FULL',
        `memory.aggregateBytes must leave room for the window of each metric that has one, got none for ${name}`,
      );
    }
    control[AGGREGATES_END] = end;
    aggregates[block + WINDOW_SINCE] = control[CLOCK_TICK] as number;
    families[entry + catalog.FAMILY_WINDOW] = block;
    families[entry + catalog.FAMILY_SLICES] = slices;
    families[entry + catalog.FAMILY_SLICE_TICKS] = window.sliceTicks;
    if (sampleCount === 0) return;
    families[entry + catalog.FAMILY_RESERVOIR] = reservoir;
    families[entry + catalog.FAMILY_SAMPLE_COUNT] = sampleCount;
    // The first slice begins with the family.
    aggregates[reservoir + RESERVOIR_START] = aggregates[block + WINDOW_SINCE] as number;
  }

  /**
   * Lets go of a family that nobody will use again, and of its series: another that is the same may have its entry.
   *
   * @param holdings What is given back, and empty afterwards.
   * @param sequence Of the next record: those before it may name the series.
   */
  abandonFamily(family: FamilyEntry, holdings: FamilyHoldings, sequence: number): void {
    const { id, spareSeries } = holdings;
    if (id === -1) return;
    holdings.id = -1;
    holdings.spareSeries = -1;
    const ids = new Set(family.source === undefined ? seriesOf(this.segment, id) : []);
    if (spareSeries !== -1) ids.add(spareSeries);
    for (const series of ids) this.removeSeries(series, sequence);
    const key = keyOf(family);
    const alike = this.abandoned.get(key);
    if (alike === undefined) this.abandoned.set(key, [id]);
    else alike.push(id);
  }

  /**
   * Makes a series, of new memory or of a removed one's, which no page shows before it is linked.
   *
   * @param labels Exposition form without braces, '' for a series without labels.
   * @returns Its id, or `undefined` when entries, catalog or aggregates are full: the caller folds it into an overflow series.
   */
  addSeries(family: number, labels: string): number | undefined {
    const { control } = this.segment;
    const shape = this.blockShape(family);
    const bytes = Buffer.from(labels);
    const liveCount = (control[SERIES_COUNT] as number) - Atomics.load(control, REMOVED_COUNT);
    const reused = this.removed.take(shape, { isUrgent: false, liveCount });
    if (reused !== undefined) return this.reuseEntry(reused, family, bytes);
    const appended = this.appendEntry(family, shape, bytes);
    if (appended !== undefined) return appended;
    const last = this.removed.take(shape, { isUrgent: true, liveCount });
    return last === undefined ? undefined : this.reuseEntry(last, family, bytes);
  }

  /** Puts a series at the end of its family's chain: from here on pages show it. */
  link(id: number): void {
    const { families, series } = this.segment;
    const entry = id * catalog.SERIES_ENTRY_CELLS;
    const family = series[entry + catalog.SERIES_FAMILY] as number;
    const familyEntry = family * catalog.FAMILY_ENTRY_CELLS;
    const last = this.lastSeries[family] as number;
    series[entry + catalog.SERIES_PREVIOUS] = last + 1;
    if (last === -1) Atomics.store(families, familyEntry + catalog.FAMILY_FIRST_SERIES, id + 1);
    else Atomics.store(series, last * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_NEXT, id + 1);
    this.lastSeries[family] = id;
    Atomics.add(families, familyEntry + catalog.FAMILY_SERIES_COUNT, 1);
  }

  /**
   * Takes a series out of its family: no page that begins later shows it. Its memory goes to others once the ring holds no record of it.
   *
   * @param sequence Of the next record: those before it may name the series, and none after it may.
   */
  removeSeries(id: number, sequence: number): void {
    const { control, series } = this.segment;
    const entry = id * catalog.SERIES_ENTRY_CELLS;
    const family = series[entry + catalog.SERIES_FAMILY] as number;
    this.unlink(id, family);
    Atomics.add(control, REMOVED_COUNT, 1);
    this.removed.add({
      ...this.blockShape(family),
      id,
      block: series[entry + catalog.SERIES_BLOCK] as number,
      sequence,
    });
  }

  /** To be called now and then: {@link RemovedSeries.look}. */
  lookAtRemoved(): void {
    this.removed.look();
  }

  private unlink(id: number, family: number): void {
    const { families, series } = this.segment;
    const entry = id * catalog.SERIES_ENTRY_CELLS;
    const familyEntry = family * catalog.FAMILY_ENTRY_CELLS;
    const next = series[entry + catalog.SERIES_NEXT] as number;
    const previous = series[entry + catalog.SERIES_PREVIOUS] as number;
    const isFirst = families[familyEntry + catalog.FAMILY_FIRST_SERIES] === id + 1;
    // A spare series that nobody has asked for yet stands in no chain.
    if (!isFirst && previous === 0) return;
    if (isFirst) Atomics.store(families, familyEntry + catalog.FAMILY_FIRST_SERIES, next);
    else
      Atomics.store(
        series,
        (previous - 1) * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_NEXT,
        next,
      );
    if (next === 0) this.lastSeries[family] = previous - 1;
    else series[(next - 1) * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_PREVIOUS] = previous;
    Atomics.sub(families, familyEntry + catalog.FAMILY_SERIES_COUNT, 1);
    Atomics.add(families, familyEntry + catalog.FAMILY_REMOVALS, 1);
  }

  private blockShape(family: number): { doubles: number; isLive: boolean } {
    const { families } = this.segment;
    const familyEntry = family * catalog.FAMILY_ENTRY_CELLS;
    return {
      doubles: families[familyEntry + catalog.FAMILY_BLOCK_DOUBLES] as number,
      isLive: families[familyEntry + catalog.FAMILY_KIND] === catalog.FamilyKind.liveGauge,
    };
  }

  private appendEntry(
    family: number,
    { doubles, isLive }: { readonly doubles: number; readonly isLive: boolean },
    labels: Uint8Array,
  ): number | undefined {
    const { control, series, sizes } = this.segment;
    const id = control[SERIES_COUNT] as number;
    // Live blocks are as long as the lines that they must not share, so a multiple of that keeps both neighbours away.
    const block = alignedTo(isLive ? LIVE_BLOCK_DOUBLES : 1, control[AGGREGATES_END] as number);
    if (
      id >= sizes.maxSeries ||
      block + doubles > sizes.aggregateCells ||
      !this.hasRoomFor(labels.length)
    ) {
      return undefined;
    }
    control[AGGREGATES_END] = block + doubles;
    series[id * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_BLOCK] = block;
    this.writeEntry(id, family, labels);
    Atomics.store(control, SERIES_COUNT, id + 1);
    return id;
  }

  private reuseEntry(removed: Removed, family: number, labels: Uint8Array): number | undefined {
    const { control, series } = this.segment;
    const { id } = removed;
    const entry = id * catalog.SERIES_ENTRY_CELLS;
    const room = series[entry + catalog.SERIES_LABELS_ROOM] as number;
    if (room < labels.length && !this.hasRoomFor(labels.length)) {
      this.removed.putBack(removed);
      return undefined;
    }
    // While the entry still says whose they are.
    this.exemplars.release(id);
    series[entry + catalog.SERIES_NEXT] = 0;
    series[entry + catalog.SERIES_PREVIOUS] = 0;
    this.writeEntry(id, family, labels);
    Atomics.sub(control, REMOVED_COUNT, 1);
    return id;
  }

  /** All of an entry but its block and its place in a chain. */
  private writeEntry(id: number, family: number, labels: Uint8Array): void {
    const { series, seriesDoubles, catalogBytes } = this.segment;
    const entry = id * catalog.SERIES_ENTRY_CELLS;
    const room = series[entry + catalog.SERIES_LABELS_ROOM] as number;
    if (room > 0)
      this.labelPlaces.add({ offset: series[entry + catalog.SERIES_LABELS] as number, room });
    const place = this.labelPlaces.take(labels.length) ?? this.newLabelPlace(labels.length);
    series[entry + catalog.SERIES_LABELS] = place.offset;
    series[entry + catalog.SERIES_LABELS_ROOM] = place.room;
    catalogBytes.set(labels, series[entry + catalog.SERIES_LABELS] as number);
    series[entry + catalog.SERIES_LABELS + 1] = labels.length;
    series[entry + catalog.SERIES_FAMILY] = family;
    seriesDoubles[(entry + catalog.SERIES_CREATED_MS) / 2] = Date.now();
  }

  private newLabelPlace(labelBytes: number): LabelPlace {
    const room = alignedTo(LABELS_ROOM_BYTES, labelBytes);
    return { offset: this.reserveBytes(room, 1), room };
  }

  private hasRoomFor(labelBytes: number): boolean {
    if (this.labelPlaces.has(labelBytes)) return true;
    const { control, sizes } = this.segment;
    const room = alignedTo(LABELS_ROOM_BYTES, labelBytes);
    return (control[CATALOG_END] as number) + room <= sizes.catalogBytes;
  }

  private appendBytes(bytes: Uint8Array): number {
    const offset = this.reserveBytes(bytes.length, 1);
    this.segment.catalogBytes.set(bytes, offset);
    return offset;
  }

  private reserveBytes(bytes: number, alignment: number): number {
    const { control } = this.segment;
    const offset = alignedTo(alignment, control[CATALOG_END] as number);
    control[CATALOG_END] = offset + bytes;
    return offset;
  }
}

function alignedTo(alignment: number, offset: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

function keyOf(family: FamilyEntry): string {
  return JSON.stringify(Object.entries(family).sort());
}

function blockDoubles(family: FamilyEntry): number {
  switch (family.kind) {
    case catalog.FamilyKind.counter:
      // A copy of the sum for each slice of its window, where it has one.
      return COUNTER_BLOCK_DOUBLES + (family.window?.slices ?? 0);
    case catalog.FamilyKind.histogram:
    case catalog.FamilyKind.summary:
      return (
        histogramBlockDoubles(family.bounds.length, family.sketchCells) + copiesDoubles(family)
      );
    case catalog.FamilyKind.liveGauge:
      return LIVE_BLOCK_DOUBLES;
    case catalog.FamilyKind.observationCounter:
      return 0;
  }
}

function copiesDoubles({ window, sketchCells }: FamilyEntry): number {
  const shape = sketchShapeOf(sketchCells);
  if (window === undefined || shape === undefined) return 0;
  const groups = Math.ceil(shape.cells / shape.groupCells);
  return windowCopiesDoubles(window.slices, groups, shape.groupCells);
}
