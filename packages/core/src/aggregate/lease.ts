import { COMMIT_STATE, LEASE, ROTATING } from '../layout/control-block.js';
import type { Segment } from '../layout/segment.js';
import { applyLog } from './redo.js';

/**
 * Lease: the right to consume a segment. One cell, `epoch << 1 | draining`.
 *
 *   change                          who                         how
 *   ──────────────────────────────  ──────────────────────────  ─────────────────────────────────────────────
 *   epoch·0 → epoch·1               holder, before a batch      compareExchange; fails: the lease is lost
 *   epoch·1 → epoch·0               holder, after the commit    store
 *   the same                        holder, to read ahead       the same: a batch in which it commits nothing
 *   the same                        holder, after an exception  store, when the batch is finished that it had committed, if any
 *   epoch·0 → (epoch+1)·0           main, for a successor       compareExchange: a holder that hangs elsewhere cannot
 *                                                               enter a batch any more
 *   epoch·1 → (epoch+1)·0           main, for a successor       store, only when the holder's thread has exited
 *
 * So a thread that is stopped in mid-batch is never written over while it might still run, and one that wakes up late finds its
 * epoch gone.
 */
export interface Lease {
  readonly epoch: number;
}

/**
 * Takes the lease away from whoever holds it, and finishes the batch that a dead holder had committed.
 *
 * @param holderExited Whether the last holder's thread is known to have ended.
 * @returns The new lease, or `undefined` when the holder is in a batch and may still be running.
 */
export function takeLease(segment: Segment, holderExited: boolean): Lease | undefined {
  const { control } = segment;
  const word = Atomics.load(control, LEASE);
  const inBatch = (word & 1) === 1;
  if (inBatch && !holderExited) return undefined;
  const epoch = ((word >> 1) + 1) & 0x3fff_ffff;
  if (Atomics.compareExchange(control, LEASE, word, epoch << 1) !== word) return undefined;
  finishBatch(segment);
  return { epoch };
}

function finishBatch(segment: Segment): void {
  const { control } = segment;
  // A holder that died while it copied for a window: its copies have no start, and its successor makes them anew.
  Atomics.store(control, ROTATING, 0);
  // A holder that died between its commit and the end of applying it: the batch is true, so it is applied here. Dying in this is
  // harmless, as applying it again changes nothing.
  if ((Atomics.load(control, COMMIT_STATE) & 1) === 1) applyLog(segment);
}

/** Enters a batch. `false`: the lease went to somebody else, and the caller must leave the segment alone. */
export function enterBatch(segment: Segment, lease: Lease): boolean {
  const idle = lease.epoch << 1;
  return Atomics.compareExchange(segment.control, LEASE, idle, idle | 1) === idle;
}

/** Leaves a batch, committed or not begun. */
export function leaveBatch(segment: Segment, lease: Lease): void {
  Atomics.store(segment.control, LEASE, lease.epoch << 1);
}

/** Leaves a batch in which something was thrown: finished if it was committed, else as if it had not begun. What it had added up is lost with its Drain. */
export function abandonBatch(segment: Segment, lease: Lease): void {
  if (Atomics.load(segment.control, LEASE) !== ((lease.epoch << 1) | 1)) return;
  finishBatch(segment);
  leaveBatch(segment, lease);
}

/** Whether `lease` is still the one in force. */
export function holdsLease(segment: Segment, lease: Lease): boolean {
  return Atomics.load(segment.control, LEASE) >> 1 === lease.epoch;
}
