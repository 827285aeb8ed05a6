import * as layout from '../layout/health.js';
import type { Segment } from '../layout/segment.js';
import { type Finding, type FindingName, readFindings } from './findings.js';
import { finite, isoOf } from './health-report.js';
import { cacheName } from './health-source.js';

/** A detector as it stands. */
export interface DetectorReport {
  /** Which detector it is. */
  readonly name: DetectorName;
  /** `insufficient_data`: nobody can say; `needs` says what it takes. */
  readonly state: 'ok' | 'alarm' | 'insufficient_data';
  /** Since when it is in alarm, or is not: ISO 8601; `null` before it was judged. */
  readonly since: string | null;
  /** The statistical test. */
  readonly test: string;
  /** The data that it takes before it can judge. */
  readonly needs: string;
  /** Unit of `value` and `threshold`. */
  readonly unit: string;
  /** What the alarm is about, or what came nearest to one: a percentile, a cache, `more` or `less`. */
  readonly subject: string | null;
  /** What was found in the window; `null` where nothing can be said. */
  readonly value: number | null;
  /** From where on it is an alarm, when it is sure; `null` where nothing can be said. */
  readonly threshold: number | null;
  /** The numbers behind the judgement, by name; `null` where one is not known. */
  readonly evidence: Readonly<Record<string, number | null>>;
}

/** What the detectors say. */
export interface ReliabilityReport {
  /** `alarm`: at least one; `learning`: none, and not every one can be judged yet. */
  readonly status: 'ok' | 'alarm' | 'learning';
  /** When the detectors last looked, ISO 8601; `null` before they have. */
  readonly evaluated_at: string | null;
  /** Each of the four. */
  readonly detectors: readonly DetectorReport[];
}

/** Which detectors there are: docs/health.md. */
export type DetectorName = Exclude<FindingName, 'event_loop_lag' | 'error_rate'>;

interface Detector {
  readonly name: DetectorName;
  readonly test: string;
  readonly needs: string;
  readonly unit: string;
  /** Names of the evidence, in the order of the judgement's. */
  readonly evidence: readonly string[];
  readonly subjectOf: (subject: number, segment: Segment) => string | null;
}

const DETECTORS: readonly Detector[] = [
  {
    name: 'percentile_regression',
    test: 'binomial lower confidence bound of the percentile (4 standard deviations of its rank) against the median of earlier windows',
    needs: 'three earlier windows, and ten requests above a percentile',
    unit: 'ms',
    evidence: [
      'window_requests',
      'baseline_rows',
      'baseline_median_ms',
      'lower_bound_ms',
      'baseline_log_deviation',
    ],
    subjectOf: (share) => (share === 0 ? null : `p${Math.round(share * 100)}`),
  },
  {
    name: 'cache_efficiency',
    test: "Wilson's upper bound of the hit rate against the threshold; two-proportion z test against earlier windows",
    needs: 'an earlier window, and a hundred look-ups in each',
    unit: 'share',
    evidence: [
      'window_lookups',
      'window_hits',
      'baseline_lookups',
      'baseline_hit_rate',
      'upper_bound',
      'z',
    ],
    subjectOf: (cacheId, segment) => cacheName(segment, cacheId),
  },
  {
    name: 'loop_lag',
    test: "binomial z test of whether more than 5 % of the window's time lies above the limit",
    needs: '20 samples of the lag in the window',
    unit: 'ms',
    evidence: ['window_samples', 'samples_above', 'avg_lag_ms', 'z'],
    subjectOf: () => null,
  },
  {
    name: 'volume_anomaly',
    test: "negative binomial z test against the nearer edge of earlier windows' band (10th to 90th percentile)",
    needs: 'three earlier windows, and 50 requests in one',
    unit: 'requests per second',
    evidence: ['window_requests', 'baseline_steps', 'band_low', 'band_high', 'z', 'factor'],
    subjectOf: (side) => (side === 0 ? null : side > 0 ? 'more' : 'less'),
  },
];

/** What the detectors have found, on any thread. */
export function reliabilityReport(segment: Segment): ReliabilityReport {
  const findings = readFindings(segment);
  const detectors = DETECTORS.map((detector) =>
    detectorReport(segment, detector, findings[detector.name]),
  );
  const states = detectors.map(({ state }) => state);
  return {
    status: states.includes('alarm')
      ? 'alarm'
      : states.includes('insufficient_data')
        ? 'learning'
        : 'ok',
    evaluated_at: isoOf(segment.health[layout.JUDGED_MS] as number),
    detectors,
  };
}

function detectorReport(segment: Segment, detector: Detector, finding: Finding): DetectorReport {
  const { name, test, needs, unit, evidence, subjectOf } = detector;
  const { isOn, verdict, sinceMs, value, threshold, subject } = finding;
  const isTold = verdict !== 'unknown';
  return {
    name,
    state: isOn ? 'alarm' : isTold ? 'ok' : 'insufficient_data',
    since: isoOf(sinceMs),
    test,
    needs,
    unit,
    subject: isTold ? subjectOf(subject, segment) : null,
    value: sinceMs > 0 ? finite(value) : null,
    threshold: sinceMs > 0 ? finite(threshold) : null,
    evidence: Object.fromEntries(
      evidence.map((key, index) => [
        key,
        sinceMs > 0 ? finite(finding.evidence[index] as number) : null,
      ]),
    ),
  };
}
