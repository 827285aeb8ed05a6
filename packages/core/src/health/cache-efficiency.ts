import { type Judgement, undecided } from './finding.js';
import { fallenShareZ, type Outcomes, wilsonUpper } from './statistics.js';

/** Look-ups in the window, and before it, that make a rate. */
const LOOKUPS_MIN = 100;
const Z = 4;
/** A rate that has fallen by less is no collapse, however sure it is. */
const FALL_MIN = 0.15;
/** From so little on it has recovered. */
const FALL_OVER = 0.1;
/** Above the threshold by so much it has recovered. */
const MARGIN = 0.02;

/** One cache's look-ups: in the window, and in the windows before. */
export interface CacheWindow {
  readonly cacheId: number;
  readonly now: Outcomes;
  readonly before: Outcomes;
}

/**
 * Efficiency of caches, the worst of them: Wilson's upper confidence bound of the window's hit rate against a threshold; and the two-proportion z test
 * of the window against those before, from a fall of 15 points on.
 *
 * @param lowRate Threshold of the hit rate, in [0, 1].
 */
export function judgeCaches(caches: readonly CacheWindow[], lowRate: number): Judgement {
  const known = caches.flatMap((cache) =>
    lookups(cache.now) >= LOOKUPS_MIN ? [judgeCache(cache, lowRate)] : [],
  );
  const worst = known.reduce<Judgement | undefined>(
    (most, each) => (most === undefined || rank(each) > rank(most) ? each : most),
    undefined,
  );
  return worst ?? undecided([Math.max(0, ...caches.map(({ now }) => lookups(now)))]);
}

function judgeCache({ cacheId, now, before }: CacheWindow, lowRate: number): Judgement {
  const [trials, trialsBefore] = [lookups(now), lookups(before)];
  const rate = now.hits / trials;
  const upper = wilsonUpper(now.hits, trials, Z);
  const hasBaseline = trialsBefore >= LOOKUPS_MIN;
  const usual = hasBaseline ? before.hits / trialsBefore : Number.NaN;
  const fallen = hasBaseline ? usual - rate : 0;
  const z = hasBaseline ? fallenShareZ(before, now) : Number.NaN;
  const hasCollapsed = fallen >= FALL_MIN && z >= Z;
  const isLow = upper < lowRate;
  // A cache that is cold at first has not collapsed; without a past nobody knows whether it is.
  const isBad = hasBaseline && (isLow || hasCollapsed);
  const isGood = rate >= lowRate + MARGIN && fallen < FALL_OVER;
  return {
    verdict: isBad ? 'bad' : hasBaseline ? (isGood ? 'good' : 'between') : 'unknown',
    value: rate,
    threshold: hasBaseline ? Math.max(lowRate, usual - FALL_MIN) : lowRate,
    subject: cacheId,
    evidence: [trials, now.hits, trialsBefore, usual, upper, z],
  };
}

function lookups({ hits, misses }: Outcomes): number {
  return hits + misses;
}

/** Bad ones before others, and of them the one with the lowest rate. */
function rank({ verdict, value }: Judgement): number {
  return (verdict === 'bad' ? 1 : 0) + (1 - value);
}
