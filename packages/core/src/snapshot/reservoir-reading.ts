import { sliceStart, sliceTicksOf } from '../aggregate/rotation.js';
import type { CatalogFamily } from '../layout/catalog-reader.js';
import {
  RESERVOIR_SAMPLES,
  RESERVOIR_SEEN,
  RESERVOIR_START,
  reservoirSliceDoubles,
  SAMPLE_DOUBLES,
} from '../layout/reservoirs.js';
import type { Segment } from '../layout/segment.js';

/** What was sampled of a window: values in ascending order, each with the number of observations that it stands for. */
export interface Samples {
  readonly values: Float64Array;
  readonly weights: Float64Array;
  /** Identity of the series (layout/catalog-reader.ts). */
  readonly series: Float64Array;
}

/**
 * Reads the samples of a family's window. To be called with the aggregates of `readCommitted`. Takes time for sorting: a millisecond for
 * ten thousand.
 *
 * @returns `undefined` for a family without a reservoir.
 */
export function readSamples(
  segment: Segment,
  family: CatalogFamily,
  { aggregates, nowTick }: { readonly aggregates: Float64Array; readonly nowTick: number },
): Samples | undefined {
  const { reservoir, window } = family;
  if (reservoir === undefined || window === undefined) return undefined;
  const length = sliceTicksOf(segment, family.id);
  const begin = sliceStart(nowTick, length) - (window.slices - 1) * length;
  const found: { value: number; weight: number; series: number }[] = [];
  for (let slice = 0; slice < window.slices; slice++) {
    const at = reservoir.block + slice * reservoirSliceDoubles(reservoir.sampleCount);
    const start = aggregates[at + RESERVOIR_START] as number;
    // The slice of before the family was a slice old began with it.
    if (start === 0 || sliceStart(start, length) < begin) continue;
    const seen = aggregates[at + RESERVOIR_SEEN] as number;
    const count = Math.min(seen, reservoir.sampleCount);
    for (let index = 0; index < count; index++) {
      const sample = at + RESERVOIR_SAMPLES + index * SAMPLE_DOUBLES;
      found.push({
        value: aggregates[sample] as number,
        weight: seen / count,
        series: aggregates[sample + 1] as number,
      });
    }
  }
  found.sort((a, b) => a.value - b.value);
  return {
    values: Float64Array.from(found, ({ value }) => value),
    weights: Float64Array.from(found, ({ weight }) => weight),
    series: Float64Array.from(found, ({ series }) => series),
  };
}

/** The samples of each group of series, in the same order; those of series that are in none are left out. */
export function splitSamples(
  samples: Samples,
  groups: { readonly count: number; readonly of: (series: number) => number | undefined },
): Samples[] {
  const places: number[][] = Array.from({ length: groups.count }, () => []);
  for (let index = 0; index < samples.values.length; index++) {
    const group = groups.of(samples.series[index] as number);
    if (group !== undefined) places[group]?.push(index);
  }
  return places.map((indexes) => ({
    values: Float64Array.from(indexes, (index) => samples.values[index] as number),
    weights: Float64Array.from(indexes, (index) => samples.weights[index] as number),
    series: Float64Array.from(indexes, (index) => samples.series[index] as number),
  }));
}

/**
 * Values below which shares of the sampled observations lie: observations themselves.
 *
 * @param shares Ascending, in [0, 1].
 * @param into   Gets one a share; NaN where nothing was sampled.
 */
export function sampleQuantiles(
  { values, weights }: Samples,
  shares: readonly number[],
  into: Float64Array,
): void {
  into.fill(Number.NaN);
  let total = 0;
  for (let index = 0; index < weights.length; index++) total += weights[index] as number;
  let below = 0;
  let next = 0;
  for (let index = 0; index < values.length && next < shares.length; index++) {
    below += weights[index] as number;
    while (next < shares.length && (shares[next] as number) * total <= below * ROUNDING) {
      into[next++] = values[index] as number;
    }
  }
}

/** Weights are quotients, whose sum may end a little below what it is of. */
const ROUNDING = 1 + 1e-9;
