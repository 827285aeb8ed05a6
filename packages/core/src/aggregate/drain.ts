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
import { RECORD_CELLS_SHIFT, TICK_CELL } from '../layout/record.js';
import { batchRecords } from '../layout/redo-log.js';
import type { Segment } from '../layout/segment.js';
import { createAccumulate } from './accumulate.js';
import { BatchDeltas } from './batch-deltas.js';
import { enterBatch, type Lease, leaveBatch } from './lease.js';
import { applyLog } from './redo.js';
import { type RandomSource, ReservoirSampler } from './reservoir.js';
import { Rotation } from './rotation.js';
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
  private readonly sampler: ReservoirSampler;
  private readonly rotation: Rotation;
  private readonly batchRecords: number;

  /** @param random Of the reservoirs; for tests. */
  constructor(segment: Segment, lease: Lease, random?: RandomSource) {
    this.segment = segment;
    this.lease = lease;
    this.deltas = new BatchDeltas(segment.sizes);
    this.accumulate = createAccumulate(segment, this.deltas);
    this.stage = createStage(segment, this.deltas);
    this.sampler = new ReservoirSampler(segment, random);
    this.rotation = new Rotation(segment, this.sampler);
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
    const count = this.accumulate(tail, this.untilNextSlice(tail, wanted));
    const { unattributed } = this.deltas;
    const entries = this.sampler.stage({ tail, count, entries: this.stage() });
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

  /**
   * Does what only the lease's holder may, and commits nothing meanwhile.
   *
   * @returns `false` when the lease is lost: then nothing is done.
   */
  whileHolding(work: () => void): boolean {
    if (!enterBatch(this.segment, this.lease)) return false;
    try {
      work();
    } finally {
      leaveBatch(this.segment, this.lease);
    }
    return true;
  }

  /**
   * Begins the slices of windows that the next record is the first of.
   *
   * @returns Of so many records those before another slice begins: all of them as a rule, and at least one.
   */
  private untilNextSlice(tail: number, wanted: number): number {
    const tick = this.tickAt(tail);
    if (this.rotation.dueTick() <= tick) this.rotation.rotate(tick);
    const due = this.rotation.dueTick();
    if (this.tickAt(tail + wanted - 1) < due) return wanted;
    // Ticks only rise, so the border is found without a look at each record.
    let before = 1;
    let after = wanted - 1;
    while (before < after) {
      const middle = (before + after) >> 1;
      if (this.tickAt(tail + middle) < due) before = middle + 1;
      else after = middle;
    }
    return before;
  }

  private tickAt(sequence: number): number {
    const { ringCells, sizes } = this.segment;
    const slot = sequence & (sizes.capacityRecords - 1);
    return ringCells[(slot << RECORD_CELLS_SHIFT) + TICK_CELL] as number;
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
