import {
  TOTAL_AGGREGATED,
  TOTAL_BATCHES,
  TOTAL_CURSOR,
  TOTAL_DRAIN_MS,
  TOTAL_UNATTRIBUTED,
} from '../layout/aggregates.js';
import {
  COMMIT_STATE,
  CONSUMER_CURSOR,
  LOG_COUNT,
  POLL_COUNT,
  PRODUCER_CURSOR,
} from '../layout/control-block.js';
import { batchRecords } from '../layout/redo-log.js';
import type { Segment } from '../layout/segment.js';
import { createAccumulate } from './accumulate.js';
import { BatchDeltas } from './batch-deltas.js';
import { enterBatch, type Lease, leaveBatch } from './lease.js';
import { applyLog } from './redo.js';
import { createStage } from './stage.js';

/**
 * The consuming end of a segment's ring: turns records into aggregates, exactly once (layout/redo-log.ts has the protocol).
 *
 * Whoever holds the lease runs it, on any thread.
 */
export class Drain {
  private readonly segment: Segment;
  private readonly lease: Lease;
  private readonly deltas: BatchDeltas;
  private readonly accumulate: (tail: number, count: number) => number;
  private readonly stage: () => number;
  private readonly batchRecords: number;

  constructor(segment: Segment, lease: Lease) {
    this.segment = segment;
    this.lease = lease;
    this.deltas = new BatchDeltas(segment.sizes);
    this.accumulate = createAccumulate(segment, this.deltas);
    this.stage = createStage(segment, this.deltas);
    this.batchRecords = batchRecords(segment.sizes.capacityRecords);
  }

  /**
   * Drains one batch of at most `maxRecords`.
   *
   * @returns Records drained, 0 when there were none, or `undefined` when the lease is lost: then this object must not be used again.
   */
  drainBatch(maxRecords: number = this.batchRecords): number | undefined {
    const { control, aggregates } = this.segment;
    Atomics.add(control, POLL_COUNT, 1);
    if (!enterBatch(this.segment, this.lease)) return undefined;
    const startedMs = performance.now();
    const tail = (aggregates[TOTAL_CURSOR] as number) | 0;
    const backlog = (Atomics.load(control, PRODUCER_CURSOR) - tail) | 0;
    const wanted = Math.min(backlog, maxRecords, this.batchRecords);
    if (wanted <= 0) {
      leaveBatch(this.segment, this.lease);
      return 0;
    }
    const count = this.accumulate(tail, wanted);
    const { unattributed } = this.deltas;
    const entries = this.stage();
    this.stageTotals(entries, { cursor: (tail + count) | 0, count, unattributed, startedMs });
    // The commit: from here on the batch is true, whoever applies it.
    Atomics.add(control, COMMIT_STATE, 1);
    applyLog(this.segment);
    leaveBatch(this.segment, this.lease);
    return count;
  }

  /** Drains until everything published before the call is aggregated. @returns `false` when the lease is lost. */
  drainAll(): boolean {
    const { control } = this.segment;
    const target = Atomics.load(control, PRODUCER_CURSOR);
    // Bounded by the cursor of now: a producer that never pauses must not keep the caller here.
    while (((target - Atomics.load(control, CONSUMER_CURSOR)) | 0) > 0) {
      if (this.drainBatch() === undefined) return false;
    }
    return true;
  }

  private stageTotals(
    entries: number,
    batch: { cursor: number; count: number; unattributed: number; startedMs: number },
  ): void {
    const { control, aggregates, logCells, logValues } = this.segment;
    let entry = entries;
    const become = (total: number, value: number): void => {
      logCells[entry] = total;
      logValues[entry++] = value;
    };
    const add = (total: number, amount: number): void =>
      become(total, (aggregates[total] as number) + amount);
    become(TOTAL_CURSOR, batch.cursor);
    add(TOTAL_AGGREGATED, batch.count);
    add(TOTAL_UNATTRIBUTED, batch.unattributed);
    add(TOTAL_BATCHES, 1);
    add(TOTAL_DRAIN_MS, performance.now() - batch.startedMs);
    control[LOG_COUNT] = entry;
  }
}
