import { TOTAL_CURSOR } from '@offloop/core/internal/layout/aggregates.js';
import {
  COMMIT_STATE,
  CONSUMER_CURSOR,
  LEASE,
  LOG_COUNT,
} from '@offloop/core/internal/layout/control-block.js';
import { SegmentRig } from '../segment-rig.js';

/**
 * A segment as a thread leaves it that dies in its second batch, and what it held before that batch and holds after it.
 *
 * @param at.isCommitted Whether the batch was committed.
 * @param at.applied     Entries of its log that were applied.
 */
export function crashDuringBatch(at: { isCommitted: boolean; applied: number }) {
  const rig = new SegmentRig({ startAt: 2 ** 31 - 6 });
  const series = rig.addSeries(rig.addFamily());
  const histogram = rig.addSeries(rig.addHistogram([1, 2], true));
  const wide = rig.addSeries(rig.addHistogram([1, 2], 'wide'));
  const summary = rig.addSeries(rig.addSummary());
  const record = (): void => {
    rig.recorder.record(series, 3);
    for (const value of [0.5, 1.5, 2.5]) rig.recorder.record(histogram, value);
    for (const id of [wide, summary])
      for (const value of [-1e6, -1, 0, 1, 1.001, 1e6]) rig.recorder.record(id, value);
  };
  record();
  rig.drainAll();
  const { control, aggregates, logCells, logValues } = rig.segment;
  const memory = () => {
    const { drainMs: _, ...totals } = rig.totals();
    return { totals, blocks: Array.from(aggregates.subarray(16)) };
  };
  const lease = control[LEASE] as number;
  const state = control[COMMIT_STATE] as number;
  const saved = aggregates.slice();
  record();
  rig.recorder.publish();
  const before = memory();
  rig.drainAll();
  const after = memory();

  // Back in time: the log still holds the batch.
  const entries = control[LOG_COUNT] as number;
  aggregates.set(saved);
  control[CONSUMER_CURSOR] = saved[TOTAL_CURSOR] as number;
  control[LEASE] = lease | 1;
  control[COMMIT_STATE] = at.isCommitted ? state + 1 : state;
  for (let index = 0; index < at.applied; index++) {
    aggregates[logCells[index] as number] = logValues[index] as number;
  }
  return { rig, series, histogram, wide, summary, entries, before, after };
}
