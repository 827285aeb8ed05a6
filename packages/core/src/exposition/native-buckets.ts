import type { CapturedSketches } from './captured-sketches.js';

/**
 * Buckets of a native histogram, positive and negative together: where more are in use, the resolution is halved until they fit. As
 * many as an OpenTelemetry exponential histogram has, and as Prometheus advises.
 */
export const NATIVE_BUCKETS_MAX = 160;

/** The widest buckets that Prometheus takes. */
const SCHEMA_MIN = -4;

/** Buckets in use on one side of zero, by ascending index; `count` of them. */
export interface SparseBuckets {
  readonly indexes: Int32Array;
  readonly counts: Float64Array;
  readonly count: number;
}

interface Side extends SparseBuckets {
  count: number;
}

/**
 * What lies in a series' sketch as a native histogram has it, one series after the other in the same memory.
 *
 * Halving the resolution puts bucket i into (i + 1) >> 1 and only ever happens to more buckets in use, so a series' schema falls and does
 * not rise until the series begins again.
 */
export class NativeBuckets {
  schema = 0;
  zeroCount = 0;
  readonly zeroThreshold: number;
  readonly positive: SparseBuckets;
  readonly negative: SparseBuckets;
  private readonly sketches: CapturedSketches;
  private readonly sides: readonly [Side, Side];

  constructor(sketches: CapturedSketches) {
    this.sketches = sketches;
    const { starts } = sketches;
    this.zeroThreshold = sketches.shape.zeroThreshold;
    let most = 0;
    for (let series = 1; series < starts.length; series++) {
      most = Math.max(most, (starts[series] as number) - (starts[series - 1] as number));
    }
    this.sides = [sideOf(most), sideOf(most)];
    [this.positive, this.negative] = this.sides;
  }

  /** Takes the series at an index. */
  read(series: number): void {
    const { shape, starts, cells, counts } = this.sketches;
    const [positive, negative] = this.sides;
    positive.count = 0;
    negative.count = 0;
    this.zeroCount = 0;
    const start = starts[series] as number;
    const end = starts[series + 1] as number;
    for (let entry = start; entry < end; entry++) {
      const cell = cells[entry] as number;
      const sign = shape.signOf(cell);
      if (sign === 0) this.zeroCount += counts[entry] as number;
      else if (sign > 0) append(positive, shape.indexOf(cell), counts[entry] as number);
    }
    // Cells ascend in value, so that the indexes of negative ones descend.
    for (let entry = end - 1; entry >= start; entry--) {
      const cell = cells[entry] as number;
      if (shape.signOf(cell) < 0) append(negative, shape.indexOf(cell), counts[entry] as number);
    }
    let halvings = 0;
    while (
      countAfter(positive, halvings) + countAfter(negative, halvings) > NATIVE_BUCKETS_MAX &&
      shape.schema - halvings > SCHEMA_MIN
    ) {
      halvings++;
    }
    this.schema = shape.schema - halvings;
    merge(positive, halvings);
    merge(negative, halvings);
  }
}

function sideOf(size: number): Side {
  return { indexes: new Int32Array(size), counts: new Float64Array(size), count: 0 };
}

function append(side: Side, index: number, count: number): void {
  side.indexes[side.count] = index;
  side.counts[side.count] = count;
  side.count++;
}

/** Index of the bucket that holds bucket `index` after so many halvings: (i + 1) >> 1 as often, at once. */
function halved(index: number, halvings: number): number {
  return (index + (1 << halvings) - 1) >> halvings;
}

function countAfter({ indexes, count }: Side, halvings: number): number {
  if (halvings === 0) return count;
  let distinct = 0;
  let last: number | undefined;
  for (let at = 0; at < count; at++) {
    const index = halved(indexes[at] as number, halvings);
    if (index !== last) distinct++;
    last = index;
  }
  return distinct;
}

function merge(side: Side, halvings: number): void {
  if (halvings === 0) return;
  const { indexes, counts, count } = side;
  let last = -1;
  for (let at = 0; at < count; at++) {
    const index = halved(indexes[at] as number, halvings);
    if (last >= 0 && indexes[last] === index) {
      counts[last] = (counts[last] as number) + (counts[at] as number);
    } else {
      last++;
      indexes[last] = index;
      counts[last] = counts[at] as number;
    }
  }
  side.count = last + 1;
}
