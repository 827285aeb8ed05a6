import { readCommitted } from '../aggregate/committed-read.js';
import {
  TOTAL_AGGREGATED,
  TOTAL_BATCHES,
  TOTAL_CURSOR,
  TOTAL_DRAIN_MS,
  TOTAL_UNATTRIBUTED,
} from '../layout/aggregates.js';
import {
  COLLECT_ERRORS,
  DROPPED,
  PRODUCER_CURSOR,
  REFUSED,
  REMOVED_COUNT,
  RENDER_US,
  SCRAPES,
  SERIES_COUNT,
  THREAD_RESTARTS,
} from '../layout/control-block.js';
import type { Segment } from '../layout/segment.js';
import { readWideCounter } from '../layout/wide-counter.js';

/**
 * The books of the pipeline. They balance in every reading: offered = recorded + dropped, recorded = aggregated + backlog.
 *
 * Seen from a thread that does not produce, up to 63 records that are written and not yet published are in none of them.
 */
export interface PipelineTotals {
  readonly offeredRecords: number;
  readonly recordedRecords: number;
  readonly droppedRecords: number;
  readonly aggregatedRecords: number;
  readonly backlogRecords: number;
  readonly capacityRecords: number;
  /** Aggregated records that named no series. Always 0, unless memory was damaged. */
  readonly unattributedRecords: number;
  readonly drainMs: number;
  readonly batches: number;
  readonly scrapes: number;
  readonly renderMs: number;
  readonly seriesUsed: number;
  readonly maxSeries: number;
  /** Look-ups of a label set that were folded into an overflow series. */
  readonly seriesRefused: number;
  readonly threadRestarts: number;
  /** `collect()` callbacks that failed while a page was scraped. */
  readonly collectErrors: number;
  readonly segmentBytes: number;
}

/** The books as of one batch, on any thread. */
export function totalsOf(segment: Segment): PipelineTotals {
  let totals: PipelineTotals | undefined;
  readCommitted(segment, (aggregates) => {
    totals = readPipelineTotals(segment, aggregates);
  });
  return totals as PipelineTotals;
}

/** Reads the books; `aggregates` comes from `readCommitted`. */
export function readPipelineTotals(segment: Segment, aggregates: Float64Array): PipelineTotals {
  const { control, sizes } = segment;
  const aggregatedRecords = aggregates[TOTAL_AGGREGATED] as number;
  const backlogRecords =
    (Atomics.load(control, PRODUCER_CURSOR) - (aggregates[TOTAL_CURSOR] as number)) | 0;
  const droppedRecords = readWideCounter(control, DROPPED);
  const recordedRecords = aggregatedRecords + backlogRecords;
  return {
    offeredRecords: recordedRecords + droppedRecords,
    recordedRecords,
    droppedRecords,
    aggregatedRecords,
    backlogRecords,
    capacityRecords: sizes.capacityRecords,
    unattributedRecords: aggregates[TOTAL_UNATTRIBUTED] as number,
    drainMs: aggregates[TOTAL_DRAIN_MS] as number,
    batches: aggregates[TOTAL_BATCHES] as number,
    scrapes: readWideCounter(control, SCRAPES),
    renderMs: readWideCounter(control, RENDER_US) / 1000,
    seriesUsed: Atomics.load(control, SERIES_COUNT) - Atomics.load(control, REMOVED_COUNT),
    maxSeries: sizes.maxSeries,
    seriesRefused: readWideCounter(control, REFUSED),
    threadRestarts: Atomics.load(control, THREAD_RESTARTS),
    collectErrors: readWideCounter(control, COLLECT_ERRORS),
    segmentBytes: segment.buffer.byteLength,
  };
}
