import { assertLayout } from './assert-layout.js';

/**
 * Record: one observation, 16 bytes, written once by the producer and read once by the consumer.
 *
 *   byte  cell  type  field     unit          range        notes
 *   ────  ────  ────  ────────  ────────────  ───────────  ─────────────────────────────────────────
 *      0     0  u32   seriesId  —             0 … max-1    its kind says what the value means
 *      4     1  u32   tick      100 ms        1 … 2³¹-1    the producer's clock as it was last looked at (layout/windows.ts)
 *      8     2  f64   value     base unit     any double   seconds for durations; the amount of an inc()
 *
 * Visible when: PRODUCER_CURSOR has moved past its sequence. Cells are plain stores until then.
 * Reusable when: CONSUMER_CURSOR has moved past its sequence.
 */
export const RECORD_BYTES = 16;
export const SERIES_ID_CELL = 0;
export const TICK_CELL = SERIES_ID_CELL + 1;
const VALUE_CELL = TICK_CELL + 1;

/** A record spans 2 ** RECORD_CELLS_SHIFT u32 cells and 2 ** RECORD_VALUES_SHIFT doubles. */
export const RECORD_CELLS_SHIFT = 2;
export const RECORD_VALUES_SHIFT = 1;
/** Index of the value among a record's doubles. */
export const VALUE_DOUBLE = VALUE_CELL >> 1;

assertLayout((VALUE_CELL + 2) * 4 === RECORD_BYTES, 'a record is 16 bytes');
assertLayout(4 << RECORD_CELLS_SHIFT === RECORD_BYTES, 'the cell shift spans a record');
assertLayout(8 << RECORD_VALUES_SHIFT === RECORD_BYTES, 'the value shift spans a record');

/** Where the two halves of a double lie among its two u32 cells, on this machine. */
export const HIGH_WORD: 0 | 1 = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;
export const LOW_WORD: 0 | 1 = HIGH_WORD === 1 ? 0 : 1;
