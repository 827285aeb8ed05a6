import { type Judgement, undecided } from './finding.js';
import type { Verdict } from './hysteresis.js';

/** What came in the last half minute. */
export interface RecentTraffic {
  readonly requests: number;
  readonly errors: number;
  readonly lagSamples: number;
  readonly lagSeconds: number;
}

/** Requests of half a minute that make a rate. */
const REQUESTS_MIN = 20;
/** Below so much of the threshold it is good again. */
const RECOVERED = 0.8;

/**
 * The loop's mean lag of the last half minute, weighted by time.
 *
 * @param thresholdMs 0: never judged.
 */
export function judgeRecentLag(
  { lagSamples, lagSeconds }: RecentTraffic,
  thresholdMs: number,
): Judgement {
  if (thresholdMs === 0 || lagSamples === 0) return undecided([lagSamples]);
  const valueMs = (lagSeconds / lagSamples) * 1000;
  return judged(valueMs, thresholdMs, [lagSamples]);
}

/**
 * Share of the last half minute's requests that were answered with status 500 and above.
 *
 * @param threshold In [0, 1]; 0: never judged.
 */
export function judgeErrors({ requests, errors }: RecentTraffic, threshold: number): Judgement {
  if (threshold === 0 || requests < REQUESTS_MIN) return undecided([requests, errors]);
  return judged(errors / requests, threshold, [requests, errors]);
}

function judged(value: number, threshold: number, evidence: readonly number[]): Judgement {
  const verdict: Verdict =
    value >= threshold ? 'bad' : value < threshold * RECOVERED ? 'good' : 'between';
  return { verdict, value, threshold, subject: 0, evidence };
}
