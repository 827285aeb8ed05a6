/** Of values in any order; NaN of none. */
export function quantileOf(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((one, other) => one - other);
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] as number;
  const above = sorted[Math.ceil(at)] as number;
  return below + (above - below) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return quantileOf(values, 0.5);
}

/** Makes the median absolute deviation of normal values their standard deviation: 1 / Φ⁻¹(¾). */
const NORMAL_MAD = 1.4826;

/** Standard deviation that outliers do not move: by the median absolute deviation. */
export function robustDeviation(values: readonly number[]): number {
  const centre = median(values);
  return NORMAL_MAD * median(values.map((value) => Math.abs(value - centre)));
}

/**
 * Share of successes that a binomial sample is compatible with, at most: Wilson's upper bound.
 *
 * @param z Standard deviations.
 */
export function wilsonUpper(successes: number, trials: number, z: number): number {
  const share = successes / trials;
  const centre = share + (z * z) / (2 * trials);
  const spread = z * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials));
  return (centre + spread) / (1 + (z * z) / trials);
}

/** Standard deviations by which a share of successes lies above what was expected: the z of one proportion. */
export function proportionZ(successes: number, trials: number, expected: number): number {
  return (successes - trials * expected) / Math.sqrt(trials * expected * (1 - expected));
}

/** Counts of two kinds of outcome. */
export interface Outcomes {
  readonly hits: number;
  readonly misses: number;
}

/** Standard deviations by which the share of hits has fallen: the z of two proportions, pooled. 0 where nothing can differ. */
export function fallenShareZ(before: Outcomes, now: Outcomes): number {
  const [trialsBefore, trialsNow] = [before.hits + before.misses, now.hits + now.misses];
  const pooled = (before.hits + now.hits) / (trialsBefore + trialsNow);
  const variance = pooled * (1 - pooled) * (1 / trialsBefore + 1 / trialsNow);
  if (!(variance > 0)) return 0;
  return (before.hits / trialsBefore - now.hits / trialsNow) / Math.sqrt(variance);
}
