import { type Judgement, undecided } from './finding.js';
import { median, robustDeviation } from './statistics.js';

/** The percentiles that are judged. */
export const JUDGED_SHARES = [0.5, 0.95, 0.99] as const;

/** Standard deviations of the binomial bound: one look in 30 000 lies beyond it by chance. */
const Z = 4;
/** Requests that must lie above a percentile for it to be told at all. */
const ABOVE_MIN = 10;
/** Rows of the baseline that make one: three windows. */
const BASELINE_ROWS_MIN = 18;
/** How many deviations of its own the baseline may be off. */
const BASELINE_DEVIATIONS = 5;
/** A rise that nobody feels is none. */
const RISE_SECONDS_MIN = 0.005;
/** A bucket of the sketch is so much wider than narrow. */
const BUCKET_RATIO = 2 ** (1 / 32);

/** What it is judged by. */
export interface LatencyWindow {
  readonly requests: number;
  /** Value below which a share of the window's requests lies, seconds. */
  readonly quantile: (share: number) => number;
  /** Of each judged percentile: what it was in earlier windows, seconds. */
  readonly baseline: readonly (readonly number[])[];
  /** By how much a percentile may rise, in [0, ∞). */
  readonly riseAllowed: number;
}

/** Whether a percentile has enough requests above it to be told. */
export function isTellable(share: number, requests: number): boolean {
  return requests * (1 - share) >= ABOVE_MIN;
}

/**
 * Regression of a percentile: the binomial lower confidence bound of the window's percentile (by order statistics: the rank that is four standard
 * deviations below its own) against the median of the same percentile in the windows before, allowed to rise by a share, and by five robust
 * standard deviations of how it has varied.
 */
export function judgeLatency(of: LatencyWindow): Judgement {
  const known = JUDGED_SHARES.flatMap((share, index) => {
    const baseline = of.baseline[index] ?? [];
    return isTellable(share, of.requests) && baseline.length >= BASELINE_ROWS_MIN
      ? [judgeShare(of, { share, baseline })]
      : [];
  });
  const worst = known.reduce<(typeof known)[number] | undefined>(
    (most, each) =>
      most === undefined || each.value / each.threshold > most.value / most.threshold ? each : most,
    undefined,
  );
  return worst ?? undecided([of.requests, Math.max(0, ...of.baseline.map(({ length }) => length))]);
}

function judgeShare(
  { requests, quantile, riseAllowed }: LatencyWindow,
  { share, baseline }: { readonly share: number; readonly baseline: readonly number[] },
): Judgement {
  const logs = baseline.map(Math.log);
  const [centre, deviation] = [median(logs), robustDeviation(logs)];
  const usual = Math.exp(centre);
  const rise = Math.max(Math.log1p(riseAllowed), BASELINE_DEVIATIONS * deviation);
  const threshold = Math.max(Math.exp(centre + rise), usual + RISE_SECONDS_MIN);
  const rank = share - Z * Math.sqrt((share * (1 - share)) / requests);
  // As low as the bucket that it was found in allows.
  const atLeast = quantile(Math.max(0, rank)) / BUCKET_RATIO;
  const value = quantile(share);
  const verdict =
    atLeast > threshold ? 'bad' : value < Math.sqrt(usual * threshold) ? 'good' : 'between';
  return {
    verdict,
    value: value * 1000,
    threshold: threshold * 1000,
    subject: share,
    evidence: [requests, baseline.length, usual * 1000, atLeast * 1000, deviation],
  };
}
