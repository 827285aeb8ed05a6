import { type Judgement, undecided } from './finding.js';
import { proportionZ } from './statistics.js';

/** Samples in the window: at the default interval of a second, in 20 s. */
const SAMPLES_MIN = 20;
const Z = 4;
/** Share of the window's time that may lie above the limit: what a p95 says. */
const SHARE_ALLOWED = 0.05;

/** The loop's lag over the window. */
export interface LagWindow {
  readonly samples: number;
  /** Samples above the limit. */
  readonly above: number;
  readonly averageMs: number;
  readonly p95Ms: number;
  readonly limitMs: number;
}

/** Lag of the event loop: the binomial z test of whether more than 5 % of the window's time was above the limit, that is, whether its p95 is. */
export function judgeLag({ samples, above, averageMs, p95Ms, limitMs }: LagWindow): Judgement {
  if (samples < SAMPLES_MIN) return undecided([samples]);
  const z = proportionZ(above, samples, SHARE_ALLOWED);
  return {
    verdict: z >= Z ? 'bad' : z <= 0 ? 'good' : 'between',
    value: p95Ms,
    threshold: limitMs,
    subject: 0,
    evidence: [samples, above, averageMs, z],
  };
}
