import { assertLayout } from '../layout/assert-layout.js';
import {
  CLOCK_TICK,
  CONSUMER_CURSOR,
  DROPPED,
  POLL_COUNT,
  PRODUCER_CURSOR,
} from '../layout/control-block.js';
import * as layout from '../layout/record.js';
import type { Segment } from '../layout/segment.js';
import { addToWideCounter } from '../layout/wide-counter.js';
import { TICK_MS } from '../layout/windows.js';

/**
 * The producing end of a segment's ring. One thread owns it.
 *
 * Publishing is batched: every 64 records, or at the first record after the consumer has looked at the ring (its poll count moved),
 * so a stream of records is never staler than one poll. The tail of a burst waits for the next record, `publish()` or a flush.
 */
export interface Recorder {
  /**
   * Writes one record. Never throws, waits, allocates or awaits.
   *
   * @param seriesId From the catalog of the same segment.
   * @param value    In the family's base unit; finite.
   * @returns `false` when the ring is full or closed: the record is dropped, and counted.
   */
  readonly record: (seriesId: number, value: number) => boolean;
  /**
   * Notes what time it is: later records carry it, and windows turn by it. Called by whoever has looked at the clock anyway, and before each
   * record of a family with a window. A clock that goes back, as fake ones do, stands still meanwhile.
   *
   * @param nowMs Milliseconds of the producing thread's own `performance.now()`, whose zero may be anywhere.
   */
  readonly stamp: (nowMs: number) => void;
  /** `stamp`, `record` and `publish` in one: for what ends at a known moment and is to be seen at once. */
  readonly recordAt: (seriesId: number, value: number, nowMs: number) => boolean;
  /** Ticks of that clock so far, from 1 on (layout/windows.ts). */
  readonly tick: () => number;
  /** Makes every record written so far visible to the consumer. */
  readonly publish: () => void;
  /** The same, and tells readers on other threads what time it is. */
  readonly publishNow: () => void;
  /** Records that the consumer has not freed yet, those not yet published included. */
  readonly backlog: () => number;
  /** Sequence of the next record: int32, wraps. */
  readonly sequence: () => number;
  /** Publishes what was written; every later record is dropped and counted. */
  readonly close: () => void;
  /** Asked for room when the ring is full: the inline engine drains here. `null` drops at once. */
  readonly relieveWith: (relieve: (() => void) | null) => void;
}

/**
 * A factory of closures, and not a class: V8 compiles the arrays that a function's first closure captures as constants, which
 * halves the cost of a record (bench/core/record).
 */
export function createRecorder(segment: Segment): Recorder {
  const { control, ringCells, ringValues } = segment;
  const capacity = segment.sizes.capacityRecords;
  const mask = capacity - 1;
  // Sequences are int32 and wrap: they are compared for equality and subtracted, never ordered.
  let sequence = Atomics.load(control, PRODUCER_CURSOR);
  let limit = (Atomics.load(control, CONSUMER_CURSOR) + capacity) | 0;
  let pollCountSeen = Atomics.load(control, POLL_COUNT);
  // Milliseconds: the clock when it was last looked at, and how far it has come. In an array, as a closure's variable that holds a
  // fraction is a new object each time it changes.
  const clock = new Float64Array([Number.NaN, 0]);
  let tick = 1;
  control[CLOCK_TICK] = tick;
  let closed = false;
  let relieve: (() => void) | null = null;

  function record(seriesId: number, value: number): boolean {
    // Literals here and below, as in aggregate/accumulate.ts: a module's constant is looked up. From bench/core/record: publishing each record
    // by Atomics.store costs three times as much as every 64th.
    const POLL_COUNT_CELL = 97;
    const PUBLISH_EVERY_MASK = 63;
    if (sequence === limit && !makeRoom()) return false;
    const slot = sequence & mask;
    ringCells[slot << 2] = seriesId;
    ringCells[(slot << 2) + 1] = tick;
    ringValues[(slot << 1) + 1] = value;
    sequence = (sequence + 1) | 0;
    // A plain load of the poll count: a stale one only delays publishing until the 64th record.
    if ((sequence & PUBLISH_EVERY_MASK) === 0 || control[POLL_COUNT_CELL] !== pollCountSeen)
      publish();
    return true;
  }

  function publish(): void {
    const PRODUCER_CURSOR_CELL = 32;
    const POLL_COUNT_CELL = 97;
    // Stored after the records: a consumer that sees this cursor sees every cell before it.
    Atomics.store(control, PRODUCER_CURSOR_CELL, sequence);
    pollCountSeen = control[POLL_COUNT_CELL] as number;
  }

  function stamp(nowMs: number): void {
    const CLOCK_TICK_CELL = 36;
    const MS_PER_TICK = 100;
    const step = nowMs - (clock[0] as number);
    if (step > 0) {
      clock[1] = (clock[1] as number) + step;
      tick = ((clock[1] as number) / MS_PER_TICK + 1) | 0;
      control[CLOCK_TICK_CELL] = tick;
    }
    clock[0] = nowMs;
  }

  function recordAt(seriesId: number, value: number, nowMs: number): boolean {
    stamp(nowMs);
    const isRecorded = record(seriesId, value);
    publish();
    return isRecorded;
  }

  function makeRoom(): boolean {
    if (!closed) {
      loadLimit();
      if (sequence !== limit) return true;
      if (relieve !== null) {
        publish();
        relieve();
        loadLimit();
        if (sequence !== limit) return true;
      }
    }
    addToWideCounter(control, DROPPED, 1);
    return false;
  }

  function loadLimit(): void {
    limit = (Atomics.load(control, CONSUMER_CURSOR) + capacity) | 0;
  }

  return {
    record,
    publish,
    publishNow: () => {
      stamp(performance.now());
      publish();
    },
    stamp,
    recordAt,
    tick: () => tick,
    sequence: () => sequence,
    backlog: () => (sequence - Atomics.load(control, CONSUMER_CURSOR)) | 0,
    close: () => {
      publish();
      closed = true;
      limit = sequence;
    },
    relieveWith: (next) => {
      relieve = next;
    },
  };
}

assertLayout(POLL_COUNT === 97, 'record reads the poll count');
assertLayout(PRODUCER_CURSOR === 32 && CLOCK_TICK === 36, 'publish and stamp write their cells');
assertLayout(TICK_MS === 100, 'stamp turns milliseconds into ticks');
assertLayout(
  layout.SERIES_ID_CELL === 0 &&
    layout.TICK_CELL === 1 &&
    layout.VALUE_DOUBLE === 1 &&
    layout.RECORD_CELLS_SHIFT === 2 &&
    layout.RECORD_VALUES_SHIFT === 1,
  'record writes the record',
);
