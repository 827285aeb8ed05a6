import { assertLayout } from './assert-layout.js';

/**
 * Exemplars: the observation that a bucket met last, of those that came with labels such as a trace's id. They lie among the catalog's
 * bytes, taken from there at the first one and written by the producer alone.
 *
 * A series' entry leads to its table (catalog.ts, `exemplars`), of u32 cells:
 *
 *   cell   field      unit    notes
 *   ─────  ─────────  ──────  ──────────────────────────────────────────────────────────────────────────
 *       0  slotCount  —       one a classic bucket, the one of +Inf included, or one for a counter
 *   1 … n  slots      offset  Atomics; 0 while the bucket has none
 *
 * Slot, 256 bytes, all of one size, so that any bucket can have the slot that another one gave back:
 *
 *   byte  field        type  unit      store        notes
 *   ────  ───────────  ────  ────────  ───────────  ─────────────────────────────────────────────────────────────
 *      0  sequence     i32   —         Atomics rmw  odd: being written
 *      4  labelBytes   u32   bytes     plain        0 … 232
 *      8  value        f64   —         plain        the observed value, or the amount that was added to a counter
 *     16  timestampMs  f64   ms        plain        Unix time
 *     24  labels       u8    UTF-8     plain        name, 0xFF, value, 0xFF, and so on: UTF-8 has no byte 0xFF
 *
 * Visible when: a table's cell holds the slot's offset, which is stored after the slot was written the first time. A slot in use is written
 * over in place: a reader notes the sequence, reads, and does a rmw on it that changes nothing, as for a live value. An even sequence that
 * is the same means that the exemplar was whole.
 *
 * Given to another series when: its series' entry is (catalog.ts), so a reader that has met it begins again. A table's memory is never
 * anything but a table of that length, and a slot's a slot: what such a reader finds before it does so may be another's, and is whole.
 */
export const TABLE_SLOT_COUNT = 0;
export const TABLE_SLOTS = TABLE_SLOT_COUNT + 1;

export const SLOT_SEQUENCE = 0;
export const SLOT_LABEL_BYTES = SLOT_SEQUENCE + 4;
export const SLOT_VALUE = SLOT_LABEL_BYTES + 4;
export const SLOT_TIMESTAMP_MS = SLOT_VALUE + 8;
export const SLOT_LABELS = SLOT_TIMESTAMP_MS + 8;
export const EXEMPLAR_SLOT_BYTES = 256;

/** Labels beyond it have no room: the exemplar is left out. 128 characters of ASCII in up to 50 labels fit. */
export const EXEMPLAR_LABEL_BYTES_MAX = EXEMPLAR_SLOT_BYTES - SLOT_LABELS;

/** Ends each name and each value. */
export const LABEL_END = 0xff;

/** Bytes of a table of so many slots: a multiple of 8, as slots and tables share the space. */
export function exemplarTableBytes(slotCount: number): number {
  return Math.ceil((TABLE_SLOTS + slotCount) / 2) * 8;
}

/** Slots of a series: one a classic bucket and +Inf, or one for a counter, which has no bounds. */
export function exemplarSlots(boundsCount: number): number {
  return boundsCount + 1;
}

assertLayout(SLOT_VALUE % 8 === 0 && SLOT_TIMESTAMP_MS % 8 === 0, 'a slot’s doubles are aligned');
assertLayout(EXEMPLAR_SLOT_BYTES % 8 === 0, 'slots side by side are aligned');
assertLayout(EXEMPLAR_LABEL_BYTES_MAX === 232, 'labels have 232 bytes');
