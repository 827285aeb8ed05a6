import * as catalog from '../layout/catalog.js';
import { CATALOG_END } from '../layout/control-block.js';
import {
  EXEMPLAR_SLOT_BYTES,
  exemplarSlots,
  exemplarTableBytes,
  TABLE_SLOT_COUNT,
  TABLE_SLOTS,
} from '../layout/exemplars.js';
import type { Segment } from '../layout/segment.js';
import { type EncodedExemplar, writeExemplar } from '../record/exemplar-slot.js';

/** Exemplars get none of the catalog's second half: names and label sets, without which nothing is counted, keep that. */
const CATALOG_SHARE = 0.5;

const ALIGNMENT = 8;

/**
 * Where exemplars lie: tables and slots among the catalog's bytes (layout/exemplars.ts), taken at the first exemplar of a series and of a
 * bucket, and given back with the series. The producing thread's own.
 */
export class ExemplarMemory {
  private readonly segment: Segment;
  private readonly freeSlots: number[] = [];
  /** Bytes of a table → tables of that length. */
  private readonly freeTables = new Map<number, number[]>();

  constructor(segment: Segment) {
    this.segment = segment;
  }

  /** Makes it the exemplar of a series' bucket, 0 for a counter. @returns `false` when there is no room, and it is left out. */
  put(seriesId: number, bucket: number, exemplar: EncodedExemplar): boolean {
    const { segment } = this;
    const table = this.tableOf(seriesId);
    if (table === undefined) return false;
    const cell = table / 4 + TABLE_SLOTS + bucket;
    const slot = segment.catalogCells[cell] as number;
    if (slot !== 0) {
      writeExemplar(segment, slot, exemplar);
      return true;
    }
    const added = this.freeSlots.pop() ?? this.reserve(EXEMPLAR_SLOT_BYTES);
    if (added === undefined) return false;
    writeExemplar(segment, added, exemplar);
    // Stored last: what a table leads to has been written.
    Atomics.store(segment.catalogCells, cell, added);
    return true;
  }

  /** Takes the memory of a series back whose entry goes to another one: a reader that has met it begins again (layout/catalog.ts). */
  release(seriesId: number): void {
    const { series, catalogCells } = this.segment;
    const entry = seriesId * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_EXEMPLARS;
    const table = series[entry] as number;
    if (table === 0) return;
    series[entry] = 0;
    const slots = catalogCells[table / 4 + TABLE_SLOT_COUNT] as number;
    const first = table / 4 + TABLE_SLOTS;
    for (let cell = first; cell < first + slots; cell++) {
      const slot = catalogCells[cell] as number;
      if (slot !== 0) this.freeSlots.push(slot);
      catalogCells[cell] = 0;
    }
    const bytes = exemplarTableBytes(slots);
    const alike = this.freeTables.get(bytes);
    if (alike === undefined) this.freeTables.set(bytes, [table]);
    else alike.push(table);
  }

  private tableOf(seriesId: number): number | undefined {
    const { series } = this.segment;
    const entry = seriesId * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_EXEMPLARS;
    const table = series[entry] as number;
    if (table !== 0) return table;
    const slots = this.slotsOf(seriesId);
    const bytes = exemplarTableBytes(slots);
    // Either way its slots are zeroes: `release` leaves them so.
    const added = this.freeTables.get(bytes)?.pop() ?? this.reserve(bytes);
    if (added === undefined) return undefined;
    this.segment.catalogCells[added / 4 + TABLE_SLOT_COUNT] = slots;
    Atomics.store(series, entry, added);
    return added;
  }

  private slotsOf(seriesId: number): number {
    const { series, families } = this.segment;
    const family = series[seriesId * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_FAMILY] as number;
    const entry = family * catalog.FAMILY_ENTRY_CELLS;
    return exemplarSlots(families[entry + catalog.FAMILY_BOUNDS_COUNT] as number);
  }

  private reserve(bytes: number): number | undefined {
    const { control, sizes } = this.segment;
    const offset = Math.ceil((control[CATALOG_END] as number) / ALIGNMENT) * ALIGNMENT;
    if (offset + bytes > sizes.catalogBytes * CATALOG_SHARE) return undefined;
    control[CATALOG_END] = offset + bytes;
    return offset;
  }
}
