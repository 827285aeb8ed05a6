import * as catalog from './catalog.js';
import { FAMILY_COUNT } from './control-block.js';
import type { Segment } from './segment.js';

/** A family as any thread reads it from the catalog. */
export interface CatalogFamily {
  readonly id: number;
  readonly kind: catalog.FamilyKind;
  readonly role: catalog.FamilyRole;
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Of a histogram: finite and ascending. */
  readonly bounds: readonly number[];
  /** Of a summary: the shares whose quantiles it shows. */
  readonly quantiles: readonly number[];
  /** Cells of each series' sketch; 0: none. */
  readonly sketchCells: number;
  /** Whether it is a native histogram in formats that have them. */
  readonly isNative: boolean;
  readonly openMetricsType: catalog.OpenMetricsType;
  /** Its window block and how many slices that has; `undefined` for a family without a window. */
  readonly window: { readonly block: number; readonly slices: number } | undefined;
  /** Its reservoir, and what that keeps of each slice; `undefined` for a family without one. */
  readonly reservoir: { readonly block: number; readonly sampleCount: number } | undefined;
  /** The family whose series and blocks it shows: its own, or its source's. */
  readonly seriesFamily: number;
}

/** Families published so far. */
export function familyCount(segment: Segment): number {
  return Atomics.load(segment.control, FAMILY_COUNT);
}

/** Reads a family whose id is below `familyCount()`. */
export function readFamily(segment: Segment, id: number): CatalogFamily {
  const { families, catalogDoubles } = segment;
  const entry = id * catalog.FAMILY_ENTRY_CELLS;
  const field = (cell: number): number => families[entry + cell] as number;
  const text = (cell: number): string => readText(segment, field(cell), field(cell + 1));
  const kind = field(catalog.FAMILY_KIND) as catalog.FamilyKind;
  const isSummary = kind === catalog.FamilyKind.summary;
  const start = field(catalog.FAMILY_BOUNDS) / 8;
  const bounds = Array.from(
    catalogDoubles.subarray(start, start + field(catalog.FAMILY_BOUNDS_COUNT)),
  );
  const source = field(catalog.FAMILY_SOURCE);
  const sketchCells = field(catalog.FAMILY_SKETCH_CELLS);
  return {
    id,
    kind,
    role: field(catalog.FAMILY_ROLE) as catalog.FamilyRole,
    name: text(catalog.FAMILY_NAME),
    help: text(catalog.FAMILY_HELP),
    labelNames: JSON.parse(text(catalog.FAMILY_LABEL_NAMES)) as string[],
    bounds: isSummary ? [] : bounds,
    quantiles: isSummary ? bounds : [],
    sketchCells,
    window:
      field(catalog.FAMILY_WINDOW) === 0
        ? undefined
        : { block: field(catalog.FAMILY_WINDOW), slices: field(catalog.FAMILY_SLICES) },
    reservoir:
      field(catalog.FAMILY_RESERVOIR) === 0
        ? undefined
        : {
            block: field(catalog.FAMILY_RESERVOIR),
            sampleCount: field(catalog.FAMILY_SAMPLE_COUNT),
          },
    isNative: kind === catalog.FamilyKind.histogram && sketchCells !== 0,
    openMetricsType: field(catalog.FAMILY_OPEN_METRICS_TYPE) as catalog.OpenMetricsType,
    seriesFamily: source === 0 ? id : source - 1,
  };
}

/** The family that plays a role, if it has been defined. */
export function findFamily(segment: Segment, role: catalog.FamilyRole): CatalogFamily | undefined {
  const count = familyCount(segment);
  for (let id = 0; id < count; id++) {
    if (segment.families[id * catalog.FAMILY_ENTRY_CELLS + catalog.FAMILY_ROLE] === role)
      return readFamily(segment, id);
  }
  return undefined;
}

/** Ids of a family's series, in order of creation. */
export function seriesOf(
  segment: Segment,
  family: number,
  allocate: (count: number) => Int32Array = (count) => new Int32Array(count),
): Int32Array {
  const { families, series } = segment;
  const ids = allocate(seriesCountOf(segment, family));
  let next = Atomics.load(
    families,
    family * catalog.FAMILY_ENTRY_CELLS + catalog.FAMILY_FIRST_SERIES,
  );
  let length = 0;
  // Series come and go while this walks; one that has gone still leads on.
  for (; next !== 0 && length < ids.length; length++) {
    ids[length] = next - 1;
    next = Atomics.load(series, (next - 1) * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_NEXT);
  }
  // As a rule all of them: to make a part of an array takes longer than to walk along a few series.
  return length === ids.length ? ids : ids.subarray(0, length);
}

/** Number of series of a family. */
export function seriesCountOf(segment: Segment, family: number): number {
  return Atomics.load(
    segment.families,
    family * catalog.FAMILY_ENTRY_CELLS + catalog.FAMILY_SERIES_COUNT,
  );
}

/** How often a series has left a family: what was learnt of its series before is out of date when this has moved. */
export function removalsOf(segment: Segment, family: number): number {
  return Atomics.load(
    segment.families,
    family * catalog.FAMILY_ENTRY_CELLS + catalog.FAMILY_REMOVALS,
  );
}

/** Label set of a series in exposition form, without braces. */
export function seriesLabels(segment: Segment, seriesId: number): string {
  const entry = seriesId * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_LABELS;
  return readText(segment, segment.series[entry] as number, segment.series[entry + 1] as number);
}

/** First double of a series' block. */
export function seriesBlock(segment: Segment, seriesId: number): number {
  return segment.series[seriesId * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_BLOCK] as number;
}

/** When a series began: Unix time, ms. */
export function seriesCreatedMs(segment: Segment, seriesId: number): number {
  const entry = seriesId * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_CREATED_MS;
  return segment.seriesDoubles[entry / 2] as number;
}

/** As many ids as options allow. */
const IDS_MAX = 2 ** 20;
const CREATED_MAX = 2 ** 32;

/**
 * A number that no other series has, also none that had the id before: ids of removed series are given to others. A whole one below 2⁵³, of the id and
 * of when the series began, modulo 49 days.
 */
export function seriesIdentity(segment: Segment, seriesId: number): number {
  const created = seriesCreatedMs(segment, seriesId) % CREATED_MAX;
  return seriesId + IDS_MAX * (created < 0 ? created + CREATED_MAX : created);
}

function readText(segment: Segment, offset: number, bytes: number): string {
  // A copy, because a Buffer's decoder takes shared memory for memory that does not change under it.
  return Buffer.from(segment.catalogBytes.slice(offset, offset + bytes)).toString('utf8');
}
