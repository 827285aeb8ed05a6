import type { Verdict } from './hysteresis.js';

/** What a test found in one look. */
export interface Judgement {
  readonly verdict: Verdict;
  /** What was compared with the threshold; NaN where there is nothing to compare. */
  readonly value: number;
  readonly threshold: number;
  /** What it is of: which percentile, which cache. Its number. */
  readonly subject: number;
  /** In the order of the test's `evidence`. */
  readonly evidence: readonly number[];
}

/** Nothing can be said. */
export function undecided(evidence: readonly number[]): Judgement {
  return { verdict: 'unknown', value: Number.NaN, threshold: Number.NaN, subject: 0, evidence };
}
