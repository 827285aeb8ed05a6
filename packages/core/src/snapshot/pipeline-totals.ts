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
  /** Records since the start, the dropped ones included. */
  readonly offeredRecords: number;
  /** Records since the start that were written to the ring. */
  readonly recordedRecords: number;
  /** Records since the start that a full ring refused. */
  readonly droppedRecords: number;
  /** Records since the start that are in the numbers. */
  readonly aggregatedRecords: number;
  /** Records that wait in the ring, at most `capacityRecords`. */
  readonly backlogRecords: number;
  /** Records that the ring holds: the option `ring.capacityRecords`. */
  readonly capacityRecords: number;
  /** Aggregated records that named no series. Always 0, unless memory was damaged. */
  readonly unattributedRecords: number;
  /** Time since the start that was spent aggregating, ms, on whichever thread. */
  readonly drainMs: number;
  /** Batches since the start in which that was done. */
  readonly batches: number;
  /** Pages since the start that were handed out. */
  readonly scrapes: number;
  /** Time since the start that was spent rendering them, ms, on whichever thread. */
  readonly renderMs: number;
  /** Series that there are at present, at most `maxSeries`. */
  readonly seriesUsed: number;
  /** Series that there is room for: the option `memory.maxSeries`. */
  readonly maxSeries: number;
  /** Look-ups since the start of a label set that were folded into an overflow series. */
  readonly seriesRefused: number;
  /** Pool threads since the start that were replaced. */
  readonly threadRestarts: number;
  /** `collect()` callbacks since the start that failed while a page was scraped. */
  readonly collectErrors: number;
  /** Address space of the shared memory, bytes, of which only what is used is resident. */
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
