import { Drain } from '@offloop/core/internal/aggregate/drain.js';
import { type Lease, takeLease } from '@offloop/core/internal/aggregate/lease.js';
import { SKETCH_CELLS } from '@offloop/core/internal/aggregate/sketch.js';
import { WIDE_SKETCH_CELLS } from '@offloop/core/internal/aggregate/wide-sketch.js';
import {
  CatalogWriter,
  type FamilyWindow,
} from '@offloop/core/internal/instruments/catalog-writer.js';
import * as layout from '@offloop/core/internal/layout/aggregates.js';
import { FamilyKind, FamilyRole } from '@offloop/core/internal/layout/catalog.js';
import { seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import { CONSUMER_CURSOR, PRODUCER_CURSOR } from '@offloop/core/internal/layout/control-block.js';
import { Segment, type SegmentSizes } from '@offloop/core/internal/layout/segment.js';
import { createRecorder, type Recorder } from '@offloop/core/internal/record/recorder.js';
import {
  type PipelineTotals,
  readPipelineTotals,
} from '@offloop/core/internal/snapshot/pipeline-totals.js';

export const SMALL: SegmentSizes = {
  capacityRecords: 256,
  maxFamilies: 16,
  maxSeries: 64,
  catalogBytes: 65_536,
  aggregateCells: 65_536,
};

/** Which sketch a family has: none, the narrow one, or the wide one. */
export type Sketched = boolean | 'wide';

function sketchCellsOf(sketch: Sketched): number {
  if (sketch === 'wide') return WIDE_SKETCH_CELLS;
  return sketch ? SKETCH_CELLS : 0;
}

/** A histogram's block as a test compares it. */
export interface HistogramContents {
  readonly sum: number;
  readonly counts: readonly number[];
  readonly sketch: readonly number[];
  /** Bit g: the sketch's group g is in use. 0 without a sketch. */
  readonly groups: number;
}

/** A segment with both its ends on this thread, without instruments or an engine around them. */
export class SegmentRig {
  readonly segment: Segment;
  readonly catalog: CatalogWriter;
  readonly recorder: Recorder;
  readonly lease: Lease;
  readonly drain: Drain;
  #families = 0;

  /** @param options.startAt Sequence of the first record, to be near a wrap. */
  constructor(options: { sizes?: Partial<SegmentSizes>; startAt?: number } = {}) {
    this.segment = Segment.create({ ...SMALL, ...options.sizes });
    const { control, aggregates } = this.segment;
    const startAt = (options.startAt ?? 0) | 0;
    control[PRODUCER_CURSOR] = startAt;
    control[CONSUMER_CURSOR] = startAt;
    aggregates[layout.TOTAL_CURSOR] = startAt;
    this.catalog = new CatalogWriter(this.segment);
    this.recorder = createRecorder(this.segment);
    const lease = takeLease(this.segment, false);
    if (lease === undefined) throw new Error('a new segment has no consumer');
    this.lease = lease;
    this.drain = new Drain(this.segment, lease);
  }

  addFamily(
    family: {
      kind?: FamilyKind;
      role?: FamilyRole;
      name?: string;
      labelNames?: readonly string[];
      bounds?: readonly number[];
      hasSketch?: Sketched;
      quantiles?: readonly number[];
      window?: FamilyWindow;
      source?: number;
    } = {},
  ): number {
    return this.catalog.addFamily({
      kind: family.kind ?? FamilyKind.counter,
      role: family.role ?? FamilyRole.none,
      name: family.name ?? `family_${this.#families++}`,
      help: 'A family.',
      labelNames: family.labelNames ?? [],
      bounds: family.bounds ?? [],
      quantiles: family.quantiles ?? [],
      sketchCells: sketchCellsOf(family.hasSketch ?? false),
      window: family.window,
      source: family.source,
    });
  }

  addHistogram(bounds: readonly number[], hasSketch: Sketched = false): number {
    return this.addFamily({ kind: FamilyKind.histogram, bounds, hasSketch });
  }

  /** A summary, which has the wide sketch. */
  addSummary(quantiles: readonly number[] = [0.5, 0.99]): number {
    return this.addFamily({ kind: FamilyKind.summary, quantiles, hasSketch: 'wide' });
  }

  /** A linked series. */
  addSeries(family: number, labels = ''): number {
    const id = this.catalog.addSeries(family, labels);
    if (id === undefined) throw new Error('the segment of the test is too small');
    this.catalog.link(id);
    return id;
  }

  /** Publishes and drains everything. */
  drainAll(): void {
    this.recorder.publish();
    if (!this.drain.drainAll()) throw new Error('the lease is lost');
  }

  counter(seriesId: number): number {
    return this.segment.aggregates[seriesBlock(this.segment, seriesId)] as number;
  }

  /** A histogram's block; a summary's with a `boundsCount` of 0. */
  histogram(seriesId: number, boundsCount: number, hasSketch: Sketched = false): HistogramContents {
    const cells = sketchCellsOf(hasSketch);
    const block = seriesBlock(this.segment, seriesId);
    const doubles = (start: number, count: number) =>
      Array.from(this.segment.aggregates.subarray(block + start, block + start + count));
    return {
      sum: this.segment.aggregates[block + layout.BLOCK_SUM] as number,
      counts: doubles(layout.BLOCK_COUNTS, boundsCount + 1),
      groups: cells === 0 ? 0 : (doubles(layout.sketchGroupsDouble(boundsCount), 1)[0] as number),
      sketch: doubles(layout.sketchDouble(boundsCount), cells),
    };
  }

  totals(): PipelineTotals {
    return readPipelineTotals(this.segment, this.segment.aggregates);
  }
}
