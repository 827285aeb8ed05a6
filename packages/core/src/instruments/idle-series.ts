import { BLOCK_COUNTS, BLOCK_SUM } from '../layout/aggregates.js';
import * as catalog from '../layout/catalog.js';
import { CONSUMER_CURSOR } from '../layout/control-block.js';
import { RECORD_CELLS_SHIFT, SERIES_ID_CELL } from '../layout/record.js';
import type { Segment } from '../layout/segment.js';

/** Looks in the time after which a series is idle: it is removed at most a quarter of that time late. */
const LOOKS = 4;

/** What a series showed when it was last looked at and had changed. */
interface Seen {
  readonly activity: number;
  readonly atMs: number;
}

/**
 * Finds the series of one family that nobody writes to any more, from what their blocks show: the request path notes nothing for it.
 * A record that adds nothing, inc(0), is no sign of life. The producing thread's own.
 */
export class IdleSeries {
  private readonly maxIdleMs: number;
  private readonly seen = new Map<number, Seen>();
  private lookedMs = Number.NEGATIVE_INFINITY;

  constructor(maxIdleMs: number) {
    this.maxIdleMs = maxIdleMs;
  }

  /**
   * @param ids      The family's series.
   * @param sequence Of the next record.
   */
  find(
    segment: Segment,
    { ids, sequence }: { readonly ids: Int32Array; readonly sequence: number },
  ): number[] {
    const nowMs = performance.now();
    // A clock that was set back, as fake ones are, must not stop it.
    const sinceMs = Math.abs(nowMs - this.lookedMs);
    if (sinceMs < this.maxIdleMs / LOOKS) return [];
    this.lookedMs = nowMs;
    // In this order: what the aggregates do not show yet still stands in the ring behind this cursor.
    const cursor = Atomics.load(segment.control, CONSUMER_CURSOR);
    const idle = new Set<number>();
    for (const id of ids) {
      const activity = activityOf(segment, id);
      const seen = this.seen.get(id);
      if (seen === undefined || seen.activity !== activity) {
        this.seen.set(id, { activity, atMs: nowMs });
      } else if (nowMs - seen.atMs >= this.maxIdleMs) {
        idle.add(id);
      }
    }
    if (idle.size > 0) leaveOutRecorded(segment, idle, { cursor, sequence });
    return [...idle];
  }

  /** For a series that is removed: its id may come again for another one. */
  forget(id: number): void {
    this.seen.delete(id);
  }
}

/** A number that another record changes. */
function activityOf({ families, series, liveCells, aggregates }: Segment, id: number): number {
  const family = series[id * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_FAMILY] as number;
  const entry = family * catalog.FAMILY_ENTRY_CELLS;
  const block = series[id * catalog.SERIES_ENTRY_CELLS + catalog.SERIES_BLOCK] as number;
  switch (families[entry + catalog.FAMILY_KIND]) {
    case catalog.FamilyKind.liveGauge:
      return liveCells[block * 2] as number;
    case catalog.FamilyKind.summary:
      return aggregates[block + BLOCK_COUNTS] as number;
    case catalog.FamilyKind.histogram: {
      let count = 0;
      const counts = (families[entry + catalog.FAMILY_BOUNDS_COUNT] as number) + 1;
      for (let bucket = 0; bucket < counts; bucket++) {
        count += aggregates[block + BLOCK_COUNTS + bucket] as number;
      }
      return count;
    }
    default:
      return aggregates[block + BLOCK_SUM] as number;
  }
}

/** A series with a record on its way is not idle. */
function leaveOutRecorded(
  { ringCells, sizes }: Segment,
  idle: Set<number>,
  { cursor, sequence }: { readonly cursor: number; readonly sequence: number },
): void {
  const mask = sizes.capacityRecords - 1;
  for (let at = cursor; at !== sequence; at = (at + 1) | 0) {
    idle.delete(ringCells[((at & mask) << RECORD_CELLS_SHIFT) + SERIES_ID_CELL] as number);
  }
}
