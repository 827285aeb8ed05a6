import * as layout from '../layout/aggregates.js';
import { assertLayout } from '../layout/assert-layout.js';
import type { Segment } from '../layout/segment.js';
import {
  type BatchDeltas,
  FAMILY_MODE,
  FAMILY_SKETCH,
  FAMILY_SKETCH_AT,
  Mode,
} from './batch-deltas.js';

/**
 * Stages what a batch adds as entries of the redo log, and empties the deltas.
 *
 * A factory for the reason that accumulate.ts gives.
 *
 * @returns A function that stages the batch and returns the number of entries.
 */
export function createStage(segment: Segment, deltas: BatchDeltas): () => number {
  const { logCells, logValues, aggregates } = segment;
  const {
    slotOfSeries,
    slotSeries,
    slotBlock,
    slotFamily,
    slotCounts,
    sums,
    groups,
    counts,
    families,
    entryCount,
  } = deltas;

  return function stage(): number {
    const SKETCH = 5;
    const MODE = 6;
    const SKETCH_AT = 7;
    const MODE_WIDE = 5;
    let entries = deltas.entries;
    for (let entry = 0; entry < entries; entry++) {
      const counted = entryCount[entry] as number;
      logValues[entry] =
        (aggregates[logCells[entry] as number] as number) + (counts[counted] as number);
      counts[counted] = 0;
    }
    for (let slot = 1; slot <= deltas.slots; slot++) {
      const block = slotBlock[slot] as number;
      slotOfSeries[slotSeries[slot] as number] = 0;
      logCells[entries] = block;
      logValues[entries++] = (aggregates[block] as number) + (sums[slot] as number);
      sums[slot] = 0;
      const used = groups[slot] as number;
      if (used === 0) continue;
      groups[slot] = 0;
      const params = slotFamily[slot] as number;
      if (families[params + MODE] === MODE_WIDE) {
        const places = (slotCounts[slot] as number) + (families[params + SKETCH] as number);
        for (let bits = used; bits !== 0; bits &= bits - 1)
          counts[places + 31 - Math.clz32(bits & -bits)] = 0;
      }
      const groupsCell = block + (families[params + SKETCH_AT] as number) - 1;
      const known = aggregates[groupsCell] as number;
      if ((known | used) === known) continue;
      logCells[entries] = groupsCell;
      logValues[entries++] = known | used;
    }
    deltas.forget();
    return entries;
  };
}

assertLayout(layout.BLOCK_SUM === 0, 'a block begins with its sum');
assertLayout(
  layout.sketchDouble(0) === layout.sketchGroupsDouble(0) + 1,
  'the groups lie before the sketch',
);
assertLayout(
  FAMILY_SKETCH === 5 && FAMILY_MODE === 6 && FAMILY_SKETCH_AT === 7 && Mode.wide === 5,
  'stage reads a family',
);
