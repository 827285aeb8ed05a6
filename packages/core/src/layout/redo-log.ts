import { TOTALS_DOUBLES } from './aggregates.js';
import { assertLayout } from './assert-layout.js';

/**
 * Redo log: what one batch makes of the aggregates, as absolute new values. It makes a batch count whole or not at all, and once,
 * whatever instruction the consumer's thread dies at.
 *
 *   region     type  an entry
 *   ─────────  ────  ────────────────────────────────
 *   logCells   u32   double of the aggregates
 *   logValues  f64   what it becomes
 *
 *   step  consumer                                     a crash after it leaves
 *   ────  ───────────────────────────────────────────  ──────────────────────────────────────────────────────────
 *      1  stage entries and logCount (plain stores)    commitState even: the staged entries mean nothing
 *      2  commitState += 1, odd (Atomics rmw)          THE BATCH, WHOLE: the successor applies the entries
 *      3  apply the entries to the aggregates          the same: applying absolute values twice changes nothing
 *      4  consumerCursor = cursor (Atomics.store)      the same
 *      5  commitState += 1, even (Atomics rmw)         the batch applied
 *
 * The new cursor, the count of aggregated records and the other totals are entries like any other, so they become true with the batch.
 *
 * A reader on any thread notes commitState, reads, then does a rmw on it that changes nothing. If the state was even and still is the
 * same, nothing it read was being written. If it was odd and still is the same, the aggregates may be half applied, but the log
 * lies still: the reader puts the entries over what it read (aggregate/committed-read.ts). Both are rmw because, under the
 * memory model, the reader's plain reads happen before the consumer's next stores only if the consumer's rmw reads what the
 * reader's wrote; a load in its place could be ordered before the reads it should confirm.
 */

/**
 * A record changes a sum, a count, a cell of the sketch, and at its series' first one the sketch's groups; where there is a reservoir also a
 * sample of that, which is two doubles.
 */
const ENTRIES_PER_RECORD = 6;

/** Records of the largest batch: from bench/core/aggregate, 8 192 and more drain equally fast. */
const BATCH_RECORDS_MAX = 32_768;

/**
 * Records that one batch takes at most. Half the ring at most, so that the producer finds free slots while a batch is under way.
 */
export function batchRecords(capacityRecords: number): number {
  return Math.min(BATCH_RECORDS_MAX, capacityRecords / 2);
}

/** Entries that a log needs, so that no batch is too large for it. */
export function logEntries(capacityRecords: number): number {
  return batchRecords(capacityRecords) * ENTRIES_PER_RECORD + TOTALS_DOUBLES;
}

assertLayout(BATCH_RECORDS_MAX < 0x1_0000, 'a u16 counts the records of a batch');
