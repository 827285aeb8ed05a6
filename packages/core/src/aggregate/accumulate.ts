import { BLOCK_COUNTS, SKETCH_GROUP_CELLS } from '../layout/aggregates.js';
import { assertLayout } from '../layout/assert-layout.js';
import * as record from '../layout/record.js';
import type { Segment } from '../layout/segment.js';
import { createAccumulateWide } from './accumulate-wide.js';
import {
  type BatchDeltas,
  FAMILY_BOUNDS,
  FAMILY_BOUNDS_COUNT,
  FAMILY_MODE,
  FAMILY_SKETCH,
  FAMILY_SKETCH_AT,
  Mode,
  NO_SERIES,
  NO_SLOT,
} from './batch-deltas.js';
import { firstNotBelow } from './first-not-below.js';
import * as sketch from './sketch.js';

/**
 * The drain's inner loop: adds `count` records from sequence `tail` on to the batch's deltas.
 *
 * A factory, and not a method: for the first closure of a function V8 compiles the arrays that it closes over as constants. Read
 * from fields or parameters, each access checks the array's map and loads its length and both halves of its address again, and the
 * loop takes three times as long (bench/core/aggregate). A pool thread makes one.
 *
 * @returns A function that returns the records consumed: fewer than `count` when the deltas are full, which ends the batch early.
 */
export function createAccumulate(
  segment: Segment,
  deltas: BatchDeltas,
): (tail: number, count: number) => number {
  const { ringCells, ringValues, catalogDoubles, catalogHalves, logCells } = segment;
  const {
    slotOfSeries,
    sums,
    groups,
    counts,
    slotFamily,
    slotBlock,
    slotCounts,
    families,
    entryCount,
  } = deltas;
  const { firstBound, boundHigh, boundLow } = sketch;
  const accumulateWide = createAccumulateWide(segment, deltas);
  const highWord = 2 + record.HIGH_WORD;
  const lowWord = 2 + record.LOW_WORD;
  const mask = segment.sizes.capacityRecords - 1;
  const maxSeries = segment.sizes.maxSeries;

  return function accumulate(tail: number, count: number): number {
    // Literals and not the layout's own names, which V8 would load from their cells each time; the assertions below keep them equal.
    const SERIES_ID = 0;
    const VALUE = 1;
    const MINIMUM_EXPONENT = -20;
    const MAXIMUM_EXPONENT = 6;
    const OVERFLOW_CELL = 833;
    const MODE_SUM = 0;
    const MODE_SKETCH = 2;
    const MODE_WIDE = 5;
    const COUNTS = 1;

    let family = -1;
    let bounds = 0;
    let table = 0;
    let lastKey = 0;
    let shift = 0;
    let minimum = 0;
    let mode: number = MODE_SUM;
    let sketchCounts = 0;
    let sketchAt = 0;

    let entries = 0;
    let index = 0;
    for (;;) {
      // Without calls or loops inside; what needs one leaves the loop.
      for (; index < count; index++) {
        const at = (tail + index) & mask;
        const cell = at << 2;
        const id = ringCells[cell + SERIES_ID] as number;
        const slot = id >>> 0 < maxSeries ? (slotOfSeries[id] as number) : 0;
        if (slot === 0) break;
        const params = slotFamily[slot] as number;
        if (params !== family) {
          family = params;
          bounds = families[params] as number;
          table = families[params + 1] as number;
          lastKey = families[params + 2] as number;
          shift = families[params + 3] as number;
          minimum = families[params + 4] as number;
          sketchCounts = families[params + 5] as number;
          mode = families[params + 6] as number;
          sketchAt = families[params + 7] as number;
        }
        if (mode > MODE_SKETCH) break;
        const value = ringValues[(at << 1) + VALUE] as number;
        sums[slot] = (sums[slot] as number) + value;
        if (mode === MODE_SUM) continue;

        const first = slotCounts[slot] as number;
        const block = slotBlock[slot] as number;
        const high = ringCells[cell + highWord] as number;
        let key: number;
        if (mode === MODE_SKETCH) {
          // sketchCell() of aggregate/sketch.ts, written out.
          const exponent = (high >> 20) - 1023;
          if (exponent < MINIMUM_EXPONENT) {
            key = 0;
          } else {
            const low = (ringCells[cell + lowWord] as number) >>> 0;
            if (exponent >= MAXIMUM_EXPONENT) {
              key =
                high === (MAXIMUM_EXPONENT + 1023) << 20 && low === 0
                  ? OVERFLOW_CELL - 1
                  : OVERFLOW_CELL;
            } else {
              key = firstBound[(high >> 8) & 4095] as number;
              const mantissa = high & 0xf_ffff;
              const bound = boundHigh[key] as number;
              if (mantissa >= bound && (mantissa > bound || low > (boundLow[key] as number))) key++;
              key += (exponent - MINIMUM_EXPONENT) << 5;
            }
          }
          groups[slot] = (groups[slot] as number) | (1 << (key >> 5));
          const counted = first + sketchCounts + key;
          const before = counts[counted] as number;
          counts[counted] = before + 1;
          // Written each time and kept only the first: a branch here is taken at random.
          logCells[entries] = block + sketchAt + key;
          entryCount[entries] = counted;
          entries += before === 0 ? 1 : 0;
        } else {
          key = (high >> shift) - minimum;
          if (key < 0) key = 0;
          else if (key > lastKey) key = lastKey;
        }
        let bucket = catalogHalves[table + key] as number;
        // A table cell holds one bound at most, and past the last bound stands +Infinity.
        if (value > (catalogDoubles[bounds + bucket] as number)) bucket++;
        const counted = first + bucket;
        const before = counts[counted] as number;
        counts[counted] = before + 1;
        logCells[entries] = block + COUNTS + bucket;
        entryCount[entries] = counted;
        entries += before === 0 ? 1 : 0;
      }
      if (index >= count) break;
      const at = (tail + index) & mask;
      const id = ringCells[at << 2] as number;
      const slot = id >>> 0 < maxSeries ? (slotOfSeries[id] as number) : 0;
      if (slot === 0) {
        const begun = deltas.begin(segment, id);
        if (begun === NO_SLOT) break;
        if (begun === NO_SERIES) index++;
      } else {
        deltas.entries = entries;
        let next = index + 1;
        if (mode === MODE_WIDE) next = accumulateWide(tail, index, count);
        else countBySearch(segment, deltas, slot, ringValues[(at << 1) + VALUE] as number);
        entries = deltas.entries;
        if (next === index) break;
        index = next;
      }
    }
    deltas.entries = entries;
    return index;
  };
}

/** A record of a family whose bounds no table serves: at or below zero, or two within a table's cell. */
function countBySearch(segment: Segment, deltas: BatchDeltas, slot: number, value: number): void {
  const params = deltas.slotFamily[slot] as number;
  const block = deltas.slotBlock[slot] as number;
  const first = deltas.slotCounts[slot] as number;
  const sketchCounts = deltas.families[params + FAMILY_SKETCH] as number;
  deltas.sums[slot] = (deltas.sums[slot] as number) + value;
  const bucket = firstNotBelow({
    bounds: segment.catalogDoubles,
    start: deltas.families[params + FAMILY_BOUNDS] as number,
    count: deltas.families[params + FAMILY_BOUNDS_COUNT] as number,
    value,
  });
  deltas.count(segment, first + bucket, block + BLOCK_COUNTS + bucket);
  if (sketchCounts === 0) return;
  const cell = sketch.sketchCellOf(value);
  deltas.groups[slot] = (deltas.groups[slot] as number) | (1 << (cell >> 5));
  const sketchAt = deltas.families[params + FAMILY_SKETCH_AT] as number;
  deltas.count(segment, first + sketchCounts + cell, block + sketchAt + cell);
}

assertLayout(
  record.SERIES_ID_CELL === 0 && record.VALUE_DOUBLE === 1,
  'accumulate reads the record',
);
assertLayout(
  record.RECORD_CELLS_SHIFT === 2 && record.RECORD_VALUES_SHIFT === 1,
  'accumulate steps by records',
);
assertLayout(
  sketch.MINIMUM_EXPONENT === -20 &&
    sketch.MAXIMUM_EXPONENT === 6 &&
    sketch.SKETCH_OVERFLOW_CELL === 833,
  'accumulate covers the range of the sketch',
);
assertLayout(2 ** sketch.SKETCH_SCHEMA === 32 && SKETCH_GROUP_CELLS === 32, 'a group is an octave');
assertLayout(
  Mode.sum === 0 &&
    Mode.table === 1 &&
    Mode.sketch === 2 &&
    Math.min(Mode.search, Mode.live, Mode.wide) > Mode.sketch &&
    Mode.wide === 5,
  'accumulate knows the modes',
);
assertLayout(
  FAMILY_BOUNDS === 0 && FAMILY_SKETCH === 5 && FAMILY_MODE === 6 && FAMILY_SKETCH_AT === 7,
  'accumulate reads a family',
);
assertLayout(BLOCK_COUNTS === 1, 'accumulate addresses a block');
