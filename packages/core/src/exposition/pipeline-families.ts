import type { LoopReading } from '../snapshot/loop-reading.js';
import type { PipelineTotals } from '../snapshot/pipeline-totals.js';
import type { ByteWriter } from './byte-writer.js';
import { LOOP_FAMILIES } from './loop-families.js';

const NEWLINE = 0x0a;

/** What such families are made of. */
export interface Books {
  readonly totals: PipelineTotals;
  readonly loop: LoopReading;
}

/** A family of offloop's own: one sample without labels, or one a value of its only label. */
export interface PipelineFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly label?: { readonly name: string; readonly values: readonly string[] };
  /** @param labelIndex Which of the label's values; 0 where there is no label. */
  readonly value: (books: Books, labelIndex: number) => number;
}

/** The samples of such a family. */
export function samplesOf(
  family: PipelineFamily,
  books: Books,
): { readonly labels: readonly (readonly [string, string])[]; readonly value: number }[] {
  const { label } = family;
  if (label === undefined) return [{ labels: [], value: family.value(books, 0) }];
  return label.values.map((value, index) => ({
    labels: [[label.name, value]],
    value: family.value(books, index),
  }));
}

/** The same as lines of a text format. Neither names nor values need an escape. */
export function writePipelineSamples(
  writer: ByteWriter,
  family: PipelineFamily,
  books: Books,
): void {
  for (const { labels, value } of samplesOf(family, books)) {
    const text = labels.map(([name, of]) => `${name}="${of}"`).join();
    writer.text(text === '' ? `${family.name} ` : `${family.name}{${text}} `);
    writer.number(value);
    writer.byte(NEWLINE);
  }
}

/** The pipeline measures itself; docs/metrics.md has a row for each, and a test keeps them equal. */
export const PIPELINE_FAMILIES: readonly PipelineFamily[] = [
  {
    name: 'offloop_records_offered_total',
    type: 'counter',
    help: 'Records that instruments tried to write: recorded plus dropped.',
    value: ({ totals }) => totals.offeredRecords,
  },
  {
    name: 'offloop_records_recorded_total',
    type: 'counter',
    help: 'Records written to the ring: aggregated plus backlog.',
    value: ({ totals }) => totals.recordedRecords,
  },
  {
    name: 'offloop_records_dropped_total',
    type: 'counter',
    help: 'Records refused because the ring was full.',
    value: ({ totals }) => totals.droppedRecords,
  },
  {
    name: 'offloop_records_aggregated_total',
    type: 'counter',
    help: 'Records drained from the ring into aggregates.',
    value: ({ totals }) => totals.aggregatedRecords,
  },
  {
    name: 'offloop_records_unattributed_total',
    type: 'counter',
    help: 'Aggregated records that named no series; above 0 means damaged memory.',
    value: ({ totals }) => totals.unattributedRecords,
  },
  {
    name: 'offloop_backlog_records',
    type: 'gauge',
    help: 'Records in the ring that are not aggregated yet.',
    value: ({ totals }) => totals.backlogRecords,
  },
  {
    name: 'offloop_ring_capacity_records',
    type: 'gauge',
    help: 'Records that the ring holds.',
    value: ({ totals }) => totals.capacityRecords,
  },
  {
    name: 'offloop_batches_total',
    type: 'counter',
    help: 'Batches drained.',
    value: ({ totals }) => totals.batches,
  },
  {
    name: 'offloop_drain_seconds_total',
    type: 'counter',
    help: 'Time spent draining, in seconds.',
    value: ({ totals }) => totals.drainMs / 1000,
  },
  {
    name: 'offloop_scrapes_total',
    type: 'counter',
    help: 'Pages rendered before this one.',
    value: ({ totals }) => totals.scrapes,
  },
  {
    name: 'offloop_render_seconds_total',
    type: 'counter',
    help: 'Time spent rendering those pages, in seconds.',
    value: ({ totals }) => totals.renderMs / 1000,
  },
  {
    name: 'offloop_series',
    type: 'gauge',
    help: 'Series in use.',
    value: ({ totals }) => totals.seriesUsed,
  },
  {
    name: 'offloop_series_limit',
    type: 'gauge',
    help: 'Series that memory is laid out for.',
    value: ({ totals }) => totals.maxSeries,
  },
  {
    name: 'offloop_series_refused_total',
    type: 'counter',
    help: 'Look-ups of a label set that were folded into an overflow series.',
    value: ({ totals }) => totals.seriesRefused,
  },
  {
    name: 'offloop_thread_restarts_total',
    type: 'counter',
    help: 'Pool threads that died or hung and were replaced.',
    value: ({ totals }) => totals.threadRestarts,
  },
  {
    name: 'offloop_collect_errors_total',
    type: 'counter',
    help: 'Times that a page shows a metric as it was, because its collect() failed.',
    value: ({ totals }) => totals.collectErrors,
  },
  {
    name: 'offloop_segment_bytes',
    type: 'gauge',
    help: 'Address space of the shared memory; untouched pages of it take no memory.',
    value: ({ totals }) => totals.segmentBytes,
  },
  ...LOOP_FAMILIES,
];
