import type { Segment } from '../layout/segment.js';

/** What a segment's memory is read by, as of one batch. */
export interface SegmentReading {
  readonly aggregates: Float64Array;
  /** The same memory as u32 cells, whose sign bit is a digit. */
  readonly cells: Int32Array;
}

/** Views of the aggregates that `readCommitted` hands out: the segment's own, or a copy. */
export function readingOf(segment: Segment, aggregates: Float64Array): SegmentReading {
  const cells =
    aggregates === segment.aggregates
      ? segment.liveCells
      : new Int32Array(aggregates.buffer, aggregates.byteOffset, aggregates.length * 2);
  return { aggregates, cells };
}
