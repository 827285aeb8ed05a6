import { boundTableOf, sketchBoundTableOf } from '../aggregate/bound-table.js';
import { SKETCH_CELLS } from '../aggregate/sketch.js';
import { OffloopError } from '../errors.js';
import {
  COUNTER_BLOCK_DOUBLES,
  histogramBlockDoubles,
  LIVE_BLOCK_DOUBLES,
} from '../layout/aggregates.js';
import * as catalog from '../layout/catalog.js';
import {
  AGGREGATES_END,
  CATALOG_END,
  FAMILY_COUNT,
  SERIES_COUNT,
} from '../layout/control-block.js';
import type { Segment } from '../layout/segment.js';

/** A family as the catalog stores it. */
export interface FamilyEntry {
  readonly kind: catalog.FamilyKind;
  readonly role: catalog.FamilyRole;
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Histograms: ascending finite bounds, without +Infinity. */
  readonly bounds: readonly number[];
  readonly hasSketch: boolean;
  /** Observation counters: the histogram they show. */
  readonly source: number | undefined;
}

/**
 * The writing end of a segment's catalog. The producing thread owns it; nothing here is on the request path.
 */
export class CatalogWriter {
  private readonly segment: Segment;
  /** Family → last series of its chain. */
  private readonly lastSeries: Int32Array;

  constructor(segment: Segment) {
    this.segment = segment;
    this.lastSeries = new Int32Array(segment.sizes.maxFamilies).fill(-1);
  }

  /**
   * Appends a family.
   *
   * @returns Its id.
   * @throws {OffloopError} `OFFLOOP_ERR_FAMILIES_FULL`, `OFFLOOP_ERR_CATALOG_FULL`.
   */
  addFamily(family: FamilyEntry): number {
    const { control, families, sizes, catalogDoubles, catalogHalves } = this.segment;
    const id = control[FAMILY_COUNT] as number;
    if (id >= sizes.maxFamilies) {
      throw new OffloopError(
        'OFFLOOP_ERR_FAMILIES_FULL',
        `memory.maxFamilies allows ${sizes.maxFamilies} metrics, got one more: ${family.name}`,
      );
    }
    const table = family.hasSketch
      ? sketchBoundTableOf(family.bounds)
      : boundTableOf(family.bounds);
    const texts = [family.name, family.help, JSON.stringify(family.labelNames)].map((text) =>
      Buffer.from(text),
    );
    // 8 bytes of padding before each aligned part.
    const bytes =
      texts.reduce((sum, text) => sum + text.length, 0) +
      (family.bounds.length + 1) * 8 +
      table.cells.byteLength +
      16;
    if ((control[CATALOG_END] as number) + bytes > sizes.catalogBytes) {
      throw new OffloopError(
        'OFFLOOP_ERR_CATALOG_FULL',
        `memory.catalogBytes allows ${sizes.catalogBytes} bytes, of which ${control[CATALOG_END]} are used; ${family.name} needs ${bytes} more`,
      );
    }
    const entry = id * catalog.FAMILY_ENTRY_CELLS;
    for (const [index, text] of texts.entries()) {
      const cell =
        entry +
        ([catalog.FAMILY_NAME, catalog.FAMILY_HELP, catalog.FAMILY_LABEL_NAMES][index] as number);
      families[cell] = this.appendBytes(text);
      families[cell + 1] = text.length;
    }
    const bounds = this.reserveBytes((family.bounds.length + 1) * 8, 8);
    catalogDoubles.set(family.bounds, bounds / 8);
    catalogDoubles[bounds / 8 + family.bounds.length] = Number.POSITIVE_INFINITY;
    const tableOffset = this.reserveBytes(table.cells.byteLength, 2);
    catalogHalves.set(table.cells, tableOffset / 2);

    families[entry + catalog.FAMILY_KIND] = family.kind;
    families[entry + catalog.FAMILY_ROLE] = family.role;
    families[entry + catalog.FAMILY_BOUNDS] = bounds;
    families[entry + catalog.FAMILY_BOUNDS_COUNT] = family.bounds.length;
    families[entry + catalog.FAMILY_TABLE] = tableOffset;
    families[entry + catalog.FAMILY_TABLE_CELLS] = table.cells.length;
    families[entry + catalog.FAMILY_TABLE_SHIFT] = table.shift;
    families[entry + catalog.FAMILY_TABLE_MINIMUM] = table.minimum;
    families[entry + catalog.FAMILY_SKETCH_CELLS] = family.hasSketch ? SKETCH_CELLS : 0;
    families[entry + catalog.FAMILY_SOURCE] = family.source === undefined ? 0 : family.source + 1;
    families[entry + catalog.FAMILY_BLOCK_DOUBLES] = blockDoubles(family);
    // Published last: a reader that sees the count sees the entry.
    Atomics.store(control, FAMILY_COUNT, id + 1);
    return id;
  }

  /**
   * Appends a series, which no page shows before it is linked.
   *
   * @param labels Exposition form without braces, '' for a series without labels.
   * @returns Its id, or `undefined` when entries, catalog or aggregates are full: the caller folds it into an overflow series.
   */
  addSeries(family: number, labels: string): number | undefined {
    const { control, families, series, sizes } = this.segment;
    const familyEntry = family * catalog.FAMILY_ENTRY_CELLS;
    const doubles = families[familyEntry + catalog.FAMILY_BLOCK_DOUBLES] as number;
    const id = control[SERIES_COUNT] as number;
    const bytes = Buffer.from(labels);
    const isLive = families[familyEntry + catalog.FAMILY_KIND] === catalog.FamilyKind.liveGauge;
    // Live blocks are as long as the lines that they must not share, so a multiple of that keeps both neighbours away.
    const block = alignedTo(isLive ? LIVE_BLOCK_DOUBLES : 1, control[AGGREGATES_END] as number);
    if (
      id >= sizes.maxSeries ||
      block + doubles > sizes.aggregateCells ||
      (control[CATALOG_END] as number) + bytes.length > sizes.catalogBytes
    ) {
      return undefined;
    }
    control[AGGREGATES_END] = block + doubles;
    const entry = id * catalog.SERIES_ENTRY_CELLS;
    series[entry + catalog.SERIES_FAMILY] = family;
    series[entry + catalog.SERIES_LABELS] = this.appendBytes(bytes);
    series[entry + catalog.SERIES_LABELS + 1] = bytes.length;
    series[entry + catalog.SERIES_BLOCK] = block;
    Atomics.store(control, SERIES_COUNT, id + 1);
    return id;
  }

  /** Puts a series at the end of its family's chain: from here on pages show it. */
  link(id: number): void {
    const { families, series } = this.segment;
    const family = series[id * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_FAMILY] as number;
    const familyEntry = family * catalog.FAMILY_ENTRY_CELLS;
    const last = this.lastSeries[family] as number;
    if (last === -1) Atomics.store(families, familyEntry + catalog.FAMILY_FIRST_SERIES, id + 1);
    else Atomics.store(series, last * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_NEXT, id + 1);
    this.lastSeries[family] = id;
    Atomics.add(families, familyEntry + catalog.FAMILY_SERIES_COUNT, 1);
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

function blockDoubles(family: FamilyEntry): number {
  switch (family.kind) {
    case catalog.FamilyKind.counter:
      return COUNTER_BLOCK_DOUBLES;
    case catalog.FamilyKind.histogram:
      return histogramBlockDoubles(family.bounds.length, family.hasSketch ? SKETCH_CELLS : 0);
    case catalog.FamilyKind.liveGauge:
      return LIVE_BLOCK_DOUBLES;
    case catalog.FamilyKind.observationCounter:
      return 0;
  }
}
