import { type Judgement, undecided } from './finding.js';
import { quantileOf, robustDeviation } from './statistics.js';

/** Slices before the window that make a baseline: three windows. */
const BASELINE_MIN = 18;
/** Expected or seen in a window: fewer requests come and go by chance and by person. */
const REQUESTS_MIN = 50;
const Z = 5;
/** Where the baseline's band ends, on both sides. */
const BAND = 0.1;
/** So many deviations of earlier windows beyond the band are not unusual, whatever the factor. */
const BAND_DEVIATIONS = 3;
const TICKS_PER_SECOND = 10;

/** Requests of some time. */
export interface Slice {
  readonly requests: number;
  readonly ticks: number;
}

/** What the volume is judged by, the oldest slice first. */
export interface VolumeWindow {
  readonly window: readonly Slice[];
  readonly baseline: readonly Slice[];
  /** So many times more or less than usual is an anomaly, in [1, ∞). */
  readonly factor: number;
}

/**
 * Anomaly of the request volume: the negative binomial z of the window's requests against the nearer edge of the band that the windows before were in
 * (their 10th and 90th percentile), so that rhythms of the day within it are none. Its dispersion comes from the differences of successive slices,
 * which a trend does not move. The factor is larger where earlier windows have varied more than it says.
 */
export function judgeVolume({ window, baseline, factor: least }: VolumeWindow): Judgement {
  const seen = sum(window.map(({ requests }) => requests));
  const ticks = sum(window.map((slice) => slice.ticks));
  if (baseline.length < BASELINE_MIN || ticks === 0) return undecided([seen, baseline.length]);
  const factor = Math.max(least, Math.exp(BAND_DEVIATIONS * variationOf(baseline, window.length)));
  const rates = baseline.map((slice) => slice.requests / slice.ticks);
  const low = quantileOf(rates, BAND) * ticks;
  const high = quantileOf(rates, 1 - BAND) * ticks;
  const seconds = ticks / TICKS_PER_SECOND;
  if (Math.max(seen, high) < REQUESTS_MIN)
    return undecided([seen, baseline.length, low / seconds, high / seconds]);
  const isMore = seen > high;
  const isLess = seen < low;
  const edge = isMore ? high : isLess ? low : seen;
  const deviation = Math.sqrt(Math.max(1, edge) + dispersionOf(baseline) * edge * edge);
  const z = (seen - edge) / deviation;
  const most = Math.max(high, REQUESTS_MIN / factor) * factor;
  const fewest = low / factor;
  const isBad = Math.abs(z) >= Z && (seen > most || (seen < fewest && low >= REQUESTS_MIN));
  const isGood = seen < most / Math.sqrt(factor) && seen > fewest * Math.sqrt(factor);
  return {
    verdict: isBad ? 'bad' : isGood || low < REQUESTS_MIN ? 'good' : 'between',
    value: seen / seconds,
    threshold: (isMore ? most : fewest) / seconds,
    subject: isMore ? 1 : isLess ? -1 : 0,
    evidence: [seen, baseline.length, low / seconds, high / seconds, z, factor],
  };
}

/** Robust deviation of the logarithm of so many slices' volume, over all such runs. */
function variationOf(slices: readonly Slice[], length: number): number {
  const logs: number[] = [];
  for (let from = 0; from + length <= slices.length; from++) {
    const run = slices.slice(from, from + length);
    const [requests, ticks] = [run.map((each) => each.requests), run.map((each) => each.ticks)];
    // One more, as there is no logarithm of none.
    logs.push(Math.log((sum(requests) + 1) / sum(ticks)));
  }
  return logs.length === 0 ? 0 : robustDeviation(logs);
}

/** Of a negative binomial, whose variance is μ + d·μ². */
function dispersionOf(slices: readonly Slice[]): number {
  const steps: number[] = [];
  let total = 0;
  for (let index = 1; index < slices.length; index++) {
    const [before, after] = [slices[index - 1], slices[index]] as [Slice, Slice];
    const [one, other] = [before.requests / before.ticks, after.requests / after.ticks];
    total += after.requests;
    if (one + other > 0) steps.push((2 * (other - one)) / (one + other));
  }
  const mean = total / Math.max(1, slices.length - 1);
  if (steps.length === 0 || mean === 0) return 0;
  // A difference has the variance of both of its ends, and the part of chance is the Poisson's.
  return Math.max(0, robustDeviation(steps) ** 2 / 2 - 1 / mean);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
