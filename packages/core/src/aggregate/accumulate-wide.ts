import { BLOCK_COUNTS, WIDE_SKETCH_GROUP_CELLS } from '../layout/aggregates.js';
import { assertLayout } from '../layout/assert-layout.js';
import * as record from '../layout/record.js';
import type { Segment } from '../layout/segment.js';
import {
  type BatchDeltas,
  FAMILY_BOUNDS,
  FAMILY_BOUNDS_COUNT,
  FAMILY_LAST_KEY,
  FAMILY_MINIMUM,
  FAMILY_MODE,
  FAMILY_SHIFT,
  FAMILY_SKETCH,
  FAMILY_SKETCH_AT,
  FAMILY_TABLE,
  Mode,
} from './batch-deltas.js';
import { firstNotBelow } from './first-not-below.js';
import * as sketch from './sketch.js';
import * as wide from './wide-sketch.js';

/**
 * The drain's loop for families with a wide sketch, beside the one of all others (accumulate.ts), which it would slow. A factory for the
 * reason given there.
 *
 * @returns A function that adds records from `index` to `count` to the batch's deltas, as long as they are of such families and their series
 *   have slots. It returns the index of the first that it did not add: `index` itself only when the deltas are full.
 */
export function createAccumulateWide(
  segment: Segment,
  deltas: BatchDeltas,
): (tail: number, index: number, count: number) => number {
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
  const highWord = 2 + record.HIGH_WORD;
  const lowWord = 2 + record.LOW_WORD;
  const mask = segment.sizes.capacityRecords - 1;
  const maxSeries = segment.sizes.maxSeries;

  return function accumulateWide(tail: number, from: number, count: number): number {
    // Literals, as in accumulate.ts.
    const MINIMUM_EXPONENT = -30;
    const MAXIMUM_EXPONENT = 50;
    const ZERO_CELL = 2561;
    const MODE_WIDE = 5;
    const COUNTS = 1;

    let family = -1;
    let bounds = 0;
    let boundsCount = 0;
    let table = 0;
    let lastKey = 0;
    let shift = 0;
    let minimum = 0;
    let places = 0;
    let sketchAt = 0;

    let { entries } = deltas;
    let index = from;
    for (; index < count; index++) {
      const at = (tail + index) & mask;
      const recordCell = at << 2;
      const id = ringCells[recordCell] as number;
      const slot = id >>> 0 < maxSeries ? (slotOfSeries[id] as number) : 0;
      if (slot === 0) break;
      const params = slotFamily[slot] as number;
      if (params !== family) {
        if (families[params + FAMILY_MODE] !== MODE_WIDE) break;
        family = params;
        bounds = families[params + FAMILY_BOUNDS] as number;
        boundsCount = families[params + FAMILY_BOUNDS_COUNT] as number;
        table = families[params + FAMILY_TABLE] as number;
        lastKey = families[params + FAMILY_LAST_KEY] as number;
        shift = families[params + FAMILY_SHIFT] as number;
        minimum = families[params + FAMILY_MINIMUM] as number;
        places = families[params + FAMILY_SKETCH] as number;
        sketchAt = families[params + FAMILY_SKETCH_AT] as number;
      }
      // wideSketchCell() of aggregate/wide-sketch.ts, written out.
      const high = ringCells[recordCell + highWord] as number;
      const exponent = ((high >> 20) & 2047) - 1023;
      let cell = ZERO_CELL;
      if (exponent >= MINIMUM_EXPONENT) {
        const low = (ringCells[recordCell + lowWord] as number) >>> 0;
        let key: number;
        if (exponent < MAXIMUM_EXPONENT) {
          key = firstBound[(high >> 8) & 4095] as number;
          const mantissa = high & 0xf_ffff;
          const bound = boundHigh[key] as number;
          if (mantissa >= bound && (mantissa > bound || low > (boundLow[key] as number))) key++;
          key += (exponent - MINIMUM_EXPONENT) << 5;
        } else {
          const isLast = exponent === MAXIMUM_EXPONENT && (high & 0xf_ffff) === 0 && low === 0;
          key = isLast ? ZERO_CELL - 1 : ZERO_CELL;
        }
        cell += high < 0 ? -key : key;
      }
      const first = slotCounts[slot] as number;
      const place = first + places + (cell >> 8);
      let group = counts[place] as number;
      if (group === 0) {
        group = deltas.beginGroup(place);
        if (group === 0) break;
        groups[slot] = (groups[slot] as number) | (1 << (cell >> 8));
      }
      const block = slotBlock[slot] as number;
      const inSketch = (group << 8) + (cell & 255);
      const beforeInSketch = counts[inSketch] as number;
      counts[inSketch] = beforeInSketch + 1;
      // Written each time and kept only the first, as in accumulate.ts.
      logCells[entries] = block + sketchAt + cell;
      entryCount[entries] = inSketch;
      entries += beforeInSketch === 0 ? 1 : 0;

      const value = ringValues[(at << 1) + 1] as number;
      sums[slot] = (sums[slot] as number) + value;
      let bucket = 0;
      if (lastKey >= 0) {
        let key = (high >> shift) - minimum;
        if (key < 0) key = 0;
        else if (key > lastKey) key = lastKey;
        bucket = catalogHalves[table + key] as number;
        if (value > (catalogDoubles[bounds + bucket] as number)) bucket++;
      } else if (boundsCount > 0) {
        bucket = firstNotBelow({
          bounds: catalogDoubles,
          start: bounds,
          count: boundsCount,
          value,
        });
      }
      const counted = first + bucket;
      const before = counts[counted] as number;
      counts[counted] = before + 1;
      logCells[entries] = block + COUNTS + bucket;
      entryCount[entries] = counted;
      entries += before === 0 ? 1 : 0;
    }
    deltas.entries = entries;
    return index;
  };
}

assertLayout(
  record.SERIES_ID_CELL === 0 &&
    record.VALUE_DOUBLE === 1 &&
    record.RECORD_CELLS_SHIFT === 2 &&
    record.RECORD_VALUES_SHIFT === 1,
  'accumulateWide reads the record',
);
assertLayout(
  wide.WIDE_MINIMUM_EXPONENT === -30 &&
    wide.WIDE_MAXIMUM_EXPONENT === 50 &&
    wide.WIDE_ZERO_CELL === 2561 &&
    2 ** sketch.SKETCH_SCHEMA === 32,
  'accumulateWide covers the range of the wide sketch',
);
assertLayout(WIDE_SKETCH_GROUP_CELLS === 2 ** 8, 'accumulateWide finds the group');
assertLayout(Mode.wide === 5, 'accumulateWide knows its mode');
assertLayout(BLOCK_COUNTS === 1, 'accumulateWide addresses a block');
