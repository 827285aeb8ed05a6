import { TOTAL_CURSOR } from '../layout/aggregates.js';
import { COMMIT_STATE, CONSUMER_CURSOR, LOG_COUNT } from '../layout/control-block.js';
import type { Segment } from '../layout/segment.js';

/** Steps 3 to 5 of a committed batch (layout/redo-log.ts). Doing them again changes nothing. */
export function applyLog(segment: Segment): void {
  const { control, logCells, logValues, aggregates } = segment;
  const count = control[LOG_COUNT] as number;
  for (let index = 0; index < count; index++) {
    aggregates[logCells[index] as number] = logValues[index] as number;
  }
  Atomics.store(control, CONSUMER_CURSOR, (aggregates[TOTAL_CURSOR] as number) | 0);
  Atomics.add(control, COMMIT_STATE, 1);
}
