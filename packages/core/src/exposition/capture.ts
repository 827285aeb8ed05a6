import { readCommitted } from '../aggregate/committed-read.js';
import { readingOf, type SegmentReading } from '../aggregate/segment-reading.js';
import { windowStart } from '../aggregate/window-reading.js';
import { OffloopError } from '../errors.js';
import { BLOCK_COUNTS } from '../layout/aggregates.js';
import {
  FamilyKind,
  SERIES_CREATED_MS,
  SERIES_ENTRY_CELLS,
  SERIES_EXEMPLARS,
  SERIES_LABELS,
} from '../layout/catalog.js';
import {
  type CatalogFamily,
  familyCount,
  readFamily,
  seriesBlock,
  seriesCountOf,
  seriesOf,
} from '../layout/catalog-reader.js';
import { CLOCK_TICK, REUSE_COUNT } from '../layout/control-block.js';
import { TABLE_SLOT_COUNT, TABLE_SLOTS } from '../layout/exemplars.js';
import type { Segment } from '../layout/segment.js';
import { type Exemplar, readExemplar } from '../record/exemplar-slot.js';
import { readLiveValue } from '../record/live-value.js';
import { type LoopReading, readLoop } from '../snapshot/loop-reading.js';
import { type PipelineTotals, readPipelineTotals } from '../snapshot/pipeline-totals.js';
import { aligned, CaptureMemory } from './capture-memory.js';
import { type CapturedSketches, SketchCollector } from './captured-sketches.js';
import type { DefaultLabelsOf } from './default-labels.js';
import type { ForeignFamily } from './foreign-family.js';

/** The values of one family, as of the page's batch. */
export interface CapturedFamily {
  readonly family: CatalogFamily;
  readonly seriesIds: Int32Array;
  readonly labels: CapturedLabels;
  /** When each series began: Unix time, ms. */
  readonly createdMs: Float64Array;
  /** `width` doubles a series: the start of its block, or a live gauge's value. */
  readonly values: Float64Array;
  readonly width: number;
  /** Of a summary, and of a histogram with sketches where the capture was asked for them. */
  readonly sketches?: CapturedSketches;
  /**
   * The exemplar of a series' classic bucket, 0 for a counter; by their indexes, and `undefined` where there is none. Captured only where it
   * was asked for and the family has one.
   */
  readonly exemplars?: (seriesIndex: number, bucketIndex: number) => Exemplar | undefined;
  /** Labels that the page adds to a series. Default: none. */
  readonly defaultLabels?: DefaultLabelsOf;
}

/** Labels of a family's series in exposition form, without braces: bytes from `starts[i]` to `ends[i]`. */
export interface CapturedLabels {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Everything a page shows, as of one batch: rendering may take its time, and no draining thread can tear it. */
export interface Capture {
  readonly families: readonly CapturedFamily[];
  readonly totals: PipelineTotals;
  readonly loop: LoopReading;
  /** Those that came with the request; they follow the segment's. Default: none. */
  readonly foreign?: readonly ForeignFamily[];
}

/** What a capture holds beside the values that every format shows. */
export interface CaptureNeeds {
  /** Default `false`. */
  readonly sketches?: boolean;
  /** Default `false`. */
  readonly exemplars?: boolean;
}

/** A reading begins again when series were reused or a batch was applied meanwhile; each is rarer than a reading is long. */
const ATTEMPTS_MAX = 100;

/**
 * Captures families in the order asked for.
 *
 * @param familyIds       Ids of the segment's catalog; unknown ones are left out.
 * @param needs.sketches  Whether the sketches of histograms are wanted, which take their time to read. A summary's always are.
 * @param needs.exemplars Whether exemplars are wanted, which take theirs.
 * @param memory          For the arrays, which are good until its next capture. Default: new memory, which is theirs.
 * @throws {OffloopError} `OFFLOOP_ERR_OVERTAKEN` when memory changed under every attempt.
 */
export function capture(
  segment: Segment,
  familyIds: readonly number[],
  needs: CaptureNeeds = {},
  memory: CaptureMemory = new CaptureMemory(),
): Capture {
  const { control } = segment;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const reuses = Atomics.load(control, REUSE_COUNT);
    const captured = captureOnce(segment, { familyIds, needs, memory });
    // A rmw that changes nothing: layout/catalog.ts.
    if (captured !== undefined && Atomics.add(control, REUSE_COUNT, 0) === reuses) return captured;
  }
  throw new OffloopError(
    'OFFLOOP_ERR_OVERTAKEN',
    `capture: memory must lie still for one of ${ATTEMPTS_MAX} readings, and changed under each; series are removed and added too fast`,
  );
}

function captureOnce(
  segment: Segment,
  of: {
    readonly familyIds: readonly number[];
    readonly needs: CaptureNeeds;
    readonly memory: CaptureMemory;
  },
): Capture | undefined {
  const { familyIds, needs, memory } = of;
  const known = familyCount(segment);
  // A family and the one that shows its counts list the same series, also when one is added meanwhile.
  const seriesByFamily = new Map<number, CapturedSeries>();
  const shown = familyIds
    .filter((id) => id >= 0 && id < known)
    .map((id) => readFamily(segment, id));
  memory.begin(bytesOf(segment, shown));
  for (const { seriesFamily } of shown) {
    if (seriesByFamily.has(seriesFamily)) continue;
    seriesByFamily.set(seriesFamily, captureSeries(segment, seriesFamily, memory));
  }
  const labelBytes = captureLabels(segment, [...seriesByFamily.values()], memory);
  const families = shown.map((family) => {
    const { places, ...series } = seriesByFamily.get(family.seriesFamily) as CapturedSeries;
    const width = widthOf(segment, family);
    const seriesCount = series.seriesIds.length;
    const sketches =
      needs.sketches || family.kind === FamilyKind.summary
        ? SketchCollector.of(family, seriesCount)
        : undefined;
    const exemplars = needs.exemplars ? captureExemplars(segment, family, series) : undefined;
    return {
      family,
      ...series,
      ...(exemplars === undefined ? {} : { exemplars }),
      labels: { bytes: labelBytes, ...places },
      width,
      values: memory.doubles(seriesCount * width),
      ...(sketches && { sketches }),
    };
  });
  let books: Pick<Capture, 'totals' | 'loop'> | undefined;
  const nowTick = Atomics.load(segment.control, CLOCK_TICK);
  const isWhole = readCommitted(segment, (aggregates) => {
    const reading = readingOf(segment, aggregates);
    for (const captured of families) {
      const { family, sketches } = captured;
      // A summary with a window shows the quantiles of that; a native histogram counts from its start.
      if (family.kind === FamilyKind.summary)
        sketches?.begin(windowStart(segment, family, { aggregates, nowTick }));
      copyBlocks(segment, reading, captured);
    }
    books = {
      totals: readPipelineTotals(segment, aggregates),
      loop: readLoop(segment, { aggregates, nowTick }),
    };
  });
  return isWhole && books ? { families, ...books } : undefined;
}

/** What the arrays of a capture take, as of now. */
function bytesOf(segment: Segment, shown: readonly CatalogFamily[]): number {
  const counted = new Set<number>();
  let bytes = 0;
  for (const family of shown) {
    const count = seriesCountOf(segment, family.seriesFamily);
    bytes += aligned(count * widthOf(segment, family) * 8);
    if (counted.has(family.seriesFamily)) continue;
    counted.add(family.seriesFamily);
    // Ids, where labels begin and end, and when series began.
    bytes += 3 * aligned(count * 4) + aligned(count * 8);
  }
  return bytes;
}

/** The series of a family, and where their labels lie. */
interface CapturedSeries extends Pick<CapturedFamily, 'seriesIds' | 'createdMs'> {
  readonly places: Omit<CapturedLabels, 'bytes'>;
}

function captureSeries(segment: Segment, family: number, memory: CaptureMemory): CapturedSeries {
  const seriesIds = seriesOf(segment, family, (count) => memory.integers(count));
  const starts = memory.integers(seriesIds.length);
  const ends = memory.integers(seriesIds.length);
  const createdMs = memory.doubles(seriesIds.length);
  const { series, seriesDoubles } = segment;
  for (let index = 0; index < seriesIds.length; index++) {
    const entry = (seriesIds[index] as number) * SERIES_ENTRY_CELLS;
    const start = series[entry + SERIES_LABELS] as number;
    starts[index] = start;
    ends[index] = start + (series[entry + SERIES_LABELS + 1] as number);
    createdMs[index] = seriesDoubles[(entry + SERIES_CREATED_MS) / 2] as number;
  }
  return { seriesIds, createdMs, places: { starts, ends } };
}

/** One copy of all that lies between the labels of these series, into which their places then lead: families' labels lie among each other. */
function captureLabels(
  { catalogBytes }: Segment,
  captured: readonly CapturedSeries[],
  memory: CaptureMemory,
): Uint8Array<ArrayBuffer> {
  let first = catalogBytes.length;
  let last = 0;
  for (const { places } of captured) {
    for (let index = 0; index < places.starts.length; index++) {
      first = Math.min(first, places.starts[index] as number);
      last = Math.max(last, places.ends[index] as number);
    }
  }
  first = Math.min(first, last);
  const bytes = memory.labels(last - first);
  bytes.set(catalogBytes.subarray(first, last));
  for (const { starts, ends } of captured.map(({ places }) => places)) {
    for (let index = 0; index < starts.length; index++) {
      starts[index] = (starts[index] as number) - first;
      ends[index] = (ends[index] as number) - first;
    }
  }
  return bytes;
}

function captureExemplars(
  segment: Segment,
  { id, seriesFamily, bounds }: CatalogFamily,
  { seriesIds }: Pick<CapturedFamily, 'seriesIds'>,
): CapturedFamily['exemplars'] {
  // One that shows another's series has no table's worth of buckets itself.
  if (id !== seriesFamily) return undefined;
  const { series, catalogCells } = segment;
  const stride = bounds.length + 1;
  const found = new Map<number, Exemplar>();
  for (let index = 0; index < seriesIds.length; index++) {
    const entry = (seriesIds[index] as number) * SERIES_ENTRY_CELLS;
    const table = Atomics.load(series, entry + SERIES_EXEMPLARS);
    if (table === 0) continue;
    const slots = catalogCells[table / 4 + TABLE_SLOT_COUNT] as number;
    for (let bucket = 0; bucket < slots; bucket++) {
      const slot = Atomics.load(catalogCells, table / 4 + TABLE_SLOTS + bucket);
      const exemplar = slot === 0 ? undefined : readExemplar(segment, slot);
      if (exemplar !== undefined) found.set(index * stride + bucket, exemplar);
    }
  }
  if (found.size === 0) return undefined;
  return (seriesIndex, bucketIndex) => found.get(seriesIndex * stride + bucketIndex);
}

/** Labels of a captured series in exposition form, without braces. */
export function labelsOf({ labels }: CapturedFamily, index: number): Uint8Array {
  return labels.bytes.subarray(labels.starts[index] as number, labels.ends[index] as number);
}

/** The same as text. */
export function labelsText(captured: CapturedFamily, index: number): string {
  return Buffer.from(labelsOf(captured, index)).toString('utf8');
}

function widthOf(segment: Segment, family: CatalogFamily): number {
  switch (family.kind) {
    case FamilyKind.counter:
    case FamilyKind.liveGauge:
      return 1;
    case FamilyKind.histogram:
    case FamilyKind.summary:
      return family.bounds.length + 2;
    case FamilyKind.observationCounter:
      return readFamily(segment, family.seriesFamily).bounds.length + 2;
  }
}

function copyBlocks(
  segment: Segment,
  reading: SegmentReading,
  captured: CapturedFamily & { readonly sketches?: SketchCollector },
): void {
  const { seriesIds, values, width, family, sketches } = captured;
  const { aggregates } = reading;
  for (let index = 0; index < seriesIds.length; index++) {
    const block = seriesBlock(segment, seriesIds[index] as number);
    if (family.kind === FamilyKind.liveGauge) {
      values[index] = readLiveValue(segment, block);
      continue;
    }
    const start = index * width;
    for (let offset = 0; offset < width; offset++) {
      values[start + offset] = aggregates[block + offset] as number;
    }
    sketches?.add(reading, index, block);
  }
}

/** Value of a captured series that has one: a counter's total, a gauge's level, a histogram's number of observations. */
export function singleValue(captured: CapturedFamily, index: number): number {
  const { values, width, family } = captured;
  if (family.kind !== FamilyKind.observationCounter) return values[index * width] as number;
  let observations = 0;
  for (let offset = BLOCK_COUNTS; offset < width; offset++) {
    observations += values[index * width + offset] as number;
  }
  return observations;
}
