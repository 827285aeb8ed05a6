import { assertLayout } from './assert-layout.js';

/**
 * Aggregates: one block of doubles a series, and one of totals. Doubles count exactly to 2⁵³, where u32 cells would wrap after five days
 * at 10 000 observations a second. The consumer writes them, by way of the redo log only (layout/redo-log.ts).
 *
 *   double     field    counter    histogram            histogram with sketch; summary, whose B is 0
 *   ─────────  ───────  ─────────  ───────────────────  ──────────────────────────────────────────────
 *           0  sum      the total  Σ values             Σ values
 *   1 … B + 1  counts   —          one a bound, +Inf    the same
 *       B + 2  groups   —          —                    bit g: a cell of the sketch's group g is in use
 *     B + 3 …  sketch   —          —                    as many counts as the sketch has cells
 *      then …  copies   —          —                    of a family with a window: layout/windows.ts. A counter's begin at 1
 *
 * The observation count of a histogram is nowhere stored: it is the sum of its counts, so it equals the +Inf bucket in every reading.
 *
 * Totals, the first block:
 *
 *   double  field           unit     notes
 *   ──────  ──────────────  ───────  ──────────────────────────────────────────────────────
 *        0  cursor          u32      sequence after the last aggregated record
 *        1  aggregated      records  in all batches so far
 *        2  drainMs         ms       spent draining, in all batches so far
 *        3  unattributed    records  aggregated records that named no series (damage)
 *        4  batches         —
 */
export const BLOCK_SUM = 0;
export const BLOCK_COUNTS = BLOCK_SUM + 1;

export const TOTAL_CURSOR = 0;
export const TOTAL_AGGREGATED = TOTAL_CURSOR + 1;
export const TOTAL_DRAIN_MS = TOTAL_AGGREGATED + 1;
export const TOTAL_UNATTRIBUTED = TOTAL_DRAIN_MS + 1;
export const TOTAL_BATCHES = TOTAL_UNATTRIBUTED + 1;
export const TOTALS_DOUBLES = TOTAL_BATCHES + 1;

/** Series' blocks begin here, two cache lines on. So block 0 can mean "none". */
export const FIRST_BLOCK = 16;

/**
 * Live block: a level that the producer writes in place, never dropped and never late. Padded to two cache lines, as the consumer writes
 * its neighbours.
 *
 *   double  field     type   writer    store        notes
 *   ──────  ────────  ─────  ────────  ───────────  ─────────────────────────────────────────────────────
 *        0  sequence  i32    producer  Atomics rmw  the value at sequence & 1 counts
 *      1–2  values    f64×2  producer  plain        the other one is written, then the sequence moves on
 *        3  count     i32    producer  plain        added to the value: an i32 is never seen half-written
 *
 * A reader notes the sequence, reads, and does a rmw that changes nothing: the same sequence means that the value was whole. A count
 * changes with each request, and needs none of that; it is seen at the latest with the record that is published next.
 */
export const LIVE_VALUES_DOUBLE = 1;
export const LIVE_COUNT_DOUBLE = LIVE_VALUES_DOUBLE + 2;
export const LIVE_BLOCK_DOUBLES = 16;

/** Doubles of a counter's block. */
export const COUNTER_BLOCK_DOUBLES = BLOCK_SUM + 1;

/** Cells of a sketch that share a bit of `groups`: what nothing fell into is neither read nor staged. */
export const SKETCH_GROUP_CELLS = 32;

/** The same of a wide sketch: eight octaves, so that the groups' bits fit into an int32. */
export const WIDE_SKETCH_GROUP_CELLS = 256;

/** Where a histogram with `boundsCount` bounds notes the groups of its sketch in use, relative to the block. */
export function sketchGroupsDouble(boundsCount: number): number {
  return BLOCK_COUNTS + boundsCount + 1;
}

/** First cell of the sketch, relative to the block. */
export function sketchDouble(boundsCount: number): number {
  return sketchGroupsDouble(boundsCount) + 1;
}

/** Doubles of a histogram's block; `sketchCells` is 0 for one without a sketch. */
export function histogramBlockDoubles(boundsCount: number, sketchCells: number): number {
  return sketchCells === 0
    ? sketchGroupsDouble(boundsCount)
    : sketchDouble(boundsCount) + sketchCells;
}

assertLayout(TOTALS_DOUBLES <= FIRST_BLOCK, 'the totals end before the first block');
assertLayout(histogramBlockDoubles(11, 0) === 13, 'a histogram of 11 bounds takes 13 doubles');
