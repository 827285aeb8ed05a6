import { AGGREGATES_END, COMMIT_STATE, LOG_COUNT, REUSE_COUNT } from '../layout/control-block.js';
import type { Segment } from '../layout/segment.js';

/** Looks at the state before the slower way is taken: applying a usual batch ends within them. */
const QUICK_ATTEMPTS = 50;
/** Readings in all. A reading fails only if a batch was committed or applied during it, so this is never used up in practice. */
const ATTEMPTS_MAX = 1_000;

/**
 * Reads aggregates as of one batch, on any thread (layout/redo-log.ts has the protocol).
 *
 * `read` gets the aggregates, or a copy of them, and is called again if a batch got in between: it must only note what it finds.
 * Nothing waits: while a batch is being applied, or lies half applied because its thread is dead, the reading is of a copy over which
 * the batch's log is put.
 *
 * @returns `false` when every attempt was overtaken by a batch; then the last reading may mix two batches.
 */
export function readCommitted(segment: Segment, read: (aggregates: Float64Array) => void): boolean {
  const { control, aggregates } = segment;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const state = Atomics.load(control, COMMIT_STATE);
    if ((state & 1) === 0) {
      read(aggregates);
      if (isStill(control, state)) return true;
    } else if (attempt >= QUICK_ATTEMPTS) {
      const copy = aggregates.slice(0, control[AGGREGATES_END] as number);
      putLogOver(segment, copy);
      if (isStill(control, state)) {
        read(copy);
        return true;
      }
    }
  }
  read(aggregates);
  return false;
}

/** Readings that may meet a series' memory being given to another. It happens for many at a time, and seldom. */
const REUSES_MAX = 100;

/**
 * Reads what lies in the blocks of series, on a thread that does not give them away itself: again where one of them may have been given to another series
 * meanwhile (layout/catalog.ts has the protocol).
 *
 * @param read Begins with what the catalog says. After a hundred disturbed readings, the last one counts.
 */
export function readUndisturbed<Result>({ control }: Segment, read: () => Result): Result {
  for (let attempt = 1; ; attempt++) {
    const reuses = Atomics.load(control, REUSE_COUNT);
    const result = read();
    // A rmw for the same reason as below.
    if (Atomics.add(control, REUSE_COUNT, 0) === reuses || attempt === REUSES_MAX) return result;
  }
}

/** A rmw that changes nothing: see layout/redo-log.ts for why it is not a load. */
function isStill(control: Int32Array, state: number): boolean {
  return Atomics.add(control, COMMIT_STATE, 0) === state;
}

function putLogOver(segment: Segment, copy: Float64Array): void {
  const { control, logCells, logValues } = segment;
  const count = Math.min(control[LOG_COUNT] as number, logCells.length);
  // A cell past the copy can only come from a log that is being rewritten, which the caller then notices.
  for (let index = 0; index < count; index++) {
    copy[logCells[index] as number] = logValues[index] as number;
  }
}
