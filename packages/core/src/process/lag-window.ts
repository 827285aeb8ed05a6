import { sketchQuantile } from '../aggregate/quantile.js';
import { SKETCH_CELLS, sketchCellOf, sketchUpperBound } from '../aggregate/sketch.js';

/** A slice is forgotten as a whole, so a lag is shown for at least `(SLICES − 1) · SLICE_MS` = 60 s, and at most 70 s. */
export const SLICE_MS = 10_000;
export const SLICES = 7;

/** What the last minute's lags come to, seconds. All 0 before the first. */
export interface LagSummary {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** A lag, and the time that it stands for. */
export interface WeightedLag {
  readonly lagSeconds: number;
  readonly weightSeconds: number;
}

class Slice {
  /** Which of all slices since the clock began; the window's place for it may hold an older one. */
  number = -1;
  readonly weights = new Float64Array(SKETCH_CELLS);
  weight = 0;
  sum = 0;
  sumOfSquares = 0;
  min = Number.POSITIVE_INFINITY;
  max = 0;

  add({ lagSeconds, weightSeconds }: WeightedLag): void {
    const cell = sketchCellOf(lagSeconds);
    this.weights[cell] = (this.weights[cell] as number) + weightSeconds;
    this.weight += weightSeconds;
    this.sum += lagSeconds * weightSeconds;
    this.sumOfSquares += lagSeconds * lagSeconds * weightSeconds;
    this.min = Math.min(this.min, lagSeconds);
    this.max = Math.max(this.max, lagSeconds);
  }

  merge(other: Slice): void {
    for (let cell = 0; cell < SKETCH_CELLS; cell++) {
      this.weights[cell] = (this.weights[cell] as number) + (other.weights[cell] as number);
    }
    this.weight += other.weight;
    this.sum += other.sum;
    this.sumOfSquares += other.sumOfSquares;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
  }

  reset(number: number): void {
    this.number = number;
    this.weights.fill(0);
    this.weight = this.sum = this.sumOfSquares = this.max = 0;
    this.min = Number.POSITIVE_INFINITY;
  }
}

/**
 * The lags of the last minute, each weighted by the time that it stands for.
 *
 * By time, as a block of a second is one sample like any idle one, though a second's requests waited in it: among 600 samples a minute
 * it would not show in a p99, by time it does. Reading changes nothing: only time takes a lag away, by slices of 10 s.
 */
export class LagWindow {
  private readonly slices = Array.from({ length: SLICES }, () => new Slice());
  private readonly merged = new Slice();

  /** @param nowMs Of a clock that never goes back. */
  add(lag: WeightedLag, nowMs: number): void {
    const number = Math.floor(nowMs / SLICE_MS);
    const slice = this.slices[number % SLICES] as Slice;
    if (slice.number !== number) slice.reset(number);
    slice.add(lag);
  }

  /** @param pending A lag that lasts while it is read: it counts here, and is added once it is over. A lag of 0 is none yet. */
  read(nowMs: number, pending: WeightedLag): LagSummary {
    const { merged } = this;
    merged.reset(0);
    const oldest = Math.floor(nowMs / SLICE_MS) - SLICES;
    for (const slice of this.slices) if (slice.number > oldest) merged.merge(slice);
    if (pending.lagSeconds > 0) merged.add(pending);
    const { weight, sum, sumOfSquares, min, max } = merged;
    if (weight === 0) return { min: 0, max: 0, mean: 0, stddev: 0, p50: 0, p90: 0, p99: 0 };
    const mean = sum / weight;
    const quantile = (share: number): number => {
      const lag = sketchQuantile(merged.weights, weight, share) ?? 0;
      // The lowest bucket holds no lag at all, and interpolation may end above the highest that there was.
      return lag <= sketchUpperBound(0) ? 0 : Math.min(lag, max);
    };
    return {
      min,
      max,
      mean,
      stddev: Math.sqrt(Math.max(0, sumOfSquares / weight - mean * mean)),
      p50: quantile(0.5),
      p90: quantile(0.9),
      p99: quantile(0.99),
    };
  }
}
