import { seededRandom } from './seeded-random.js';

/** How durations are distributed, in seconds. */
export type Distribution = 'lognormal 1.0' | 'lognormal 0.5' | 'pareto';

/**
 * Observations to replay in a cycle, drawn with a fixed seed.
 *
 * 65 536 of them: a cycle of 4 096 is learned by the branch predictor, and a linear search of buckets then looks twice as fast as it is.
 */
export interface Traffic {
  /** Seconds, 65 536 of them. */
  readonly values: Float64Array;
  /** Series of each value, drawn at random. */
  readonly series: Uint16Array;
}

export const TRAFFIC_LENGTH = 65_536;
/** The cycle's index is `index & TRAFFIC_MASK`. */
export const TRAFFIC_MASK = TRAFFIC_LENGTH - 1;

const SEED = 20_240_611;
/** The median request: 40 ms. */
const MEDIAN_SECONDS = 0.04;
/** Pareto: tail index of web traffic's sizes, and the least request. */
const PARETO_ALPHA = 1.2;
const PARETO_LEAST_SECONDS = 0.01;

/** @param seriesCount Series to draw from, at most 65 536. */
export function createTraffic(
  seriesCount: number,
  distribution: Distribution = 'lognormal 1.0',
): Traffic {
  const random = seededRandom(SEED);
  const draw = sampler(distribution, random);
  return {
    values: Float64Array.from({ length: TRAFFIC_LENGTH }, draw),
    series: Uint16Array.from({ length: TRAFFIC_LENGTH }, () => Math.floor(random() * seriesCount)),
  };
}

function sampler(distribution: Distribution, random: () => number): () => number {
  if (distribution === 'pareto') {
    return () => PARETO_LEAST_SECONDS * (1 - random()) ** (-1 / PARETO_ALPHA);
  }
  const sigma = distribution === 'lognormal 1.0' ? 1 : 0.5;
  return () => MEDIAN_SECONDS * Math.exp(sigma * normal(random));
}

/** Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Labels of an HTTP metric. */
export interface HttpLabels {
  readonly method: string;
  readonly route: string;
  readonly status_code: string;
}

export const LABEL_NAMES = ['method', 'route', 'status_code'] as const;

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'];
const STATUS_CODES = ['200', '201', '404', '500'];

/** Different label sets: 200 are 10 routes of 5 methods and 4 status codes. Keys in the order of LABEL_NAMES, as prom-client's pages show it. */
export function createLabelSets(count: number): HttpLabels[] {
  return Array.from({ length: count }, (_, index) => ({
    method: METHODS[index % METHODS.length] ?? '',
    route: `/api/resource-${Math.floor(index / (METHODS.length * STATUS_CODES.length))}/:id`,
    status_code: STATUS_CODES[Math.floor(index / METHODS.length) % STATUS_CODES.length] ?? '',
  }));
}
