import { sketchQuantile } from '../aggregate/quantile.js';
import { SKETCH_CELLS } from '../aggregate/sketch.js';
import {
  BLOCK_COUNTS,
  BLOCK_SUM,
  SKETCH_GROUP_CELLS,
  sketchDouble,
  sketchGroupsDouble,
} from '../layout/aggregates.js';
import type { LatencySummary } from './snapshot.js';

/** Sums blocks of a histogram with a sketch: of a route's series, or of all. Merging is addition. */
export class RequestSums {
  requests = 0;
  errors = 0;
  seconds = 0;
  readonly counts: Float64Array;
  private readonly sketch = new Float64Array(SKETCH_CELLS);

  constructor(boundsCount: number) {
    this.counts = new Float64Array(boundsCount + 1);
  }

  reset(): void {
    this.requests = 0;
    this.errors = 0;
    this.seconds = 0;
    this.counts.fill(0);
    this.sketch.fill(0);
  }

  /** Adds one series' block. */
  addBlock(aggregates: Float64Array, block: number, isError: boolean): void {
    const { counts, sketch } = this;
    let requests = 0;
    for (let bucket = 0; bucket < counts.length; bucket++) {
      const count = aggregates[block + BLOCK_COUNTS + bucket] as number;
      requests += count;
      counts[bucket] = (counts[bucket] as number) + count;
    }
    this.requests += requests;
    if (isError) this.errors += requests;
    this.seconds += aggregates[block + BLOCK_SUM] as number;
    const boundsCount = counts.length - 1;
    const cells = block + sketchDouble(boundsCount);
    const groups = aggregates[block + sketchGroupsDouble(boundsCount)] as number;
    for (let bits = groups; bits !== 0; bits &= bits - 1) {
      const start = (31 - Math.clz32(bits & -bits)) * SKETCH_GROUP_CELLS;
      const end = Math.min(start + SKETCH_GROUP_CELLS, SKETCH_CELLS);
      for (let cell = start; cell < end; cell++) {
        sketch[cell] = (sketch[cell] as number) + (aggregates[cells + cell] as number);
      }
    }
  }

  /** Adds other sums. */
  add(other: RequestSums): void {
    this.requests += other.requests;
    this.errors += other.errors;
    this.seconds += other.seconds;
    addInto(this.counts, other.counts);
    addInto(this.sketch, other.sketch);
  }

  /** Share of errors; `null` without requests. */
  get errorRate(): number | null {
    return this.requests === 0 ? null : this.errors / this.requests;
  }

  /** Milliseconds below which a share `q` of the requests lies; `null` without requests. */
  quantileMs(q: number): number | null {
    const seconds = sketchQuantile(this.sketch, this.requests, q);
    return seconds === undefined ? null : seconds * 1000;
  }

  get latencies(): LatencySummary {
    return {
      avgLatencyMs: this.requests === 0 ? null : (this.seconds / this.requests) * 1000,
      p50LatencyMs: this.quantileMs(0.5),
      p90LatencyMs: this.quantileMs(0.9),
      p95LatencyMs: this.quantileMs(0.95),
      p99LatencyMs: this.quantileMs(0.99),
    };
  }
}

function addInto(target: Float64Array, source: Float64Array): void {
  for (let index = 0; index < target.length; index++) {
    target[index] = (target[index] as number) + (source[index] as number);
  }
}
