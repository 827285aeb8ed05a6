/**
 * Reservoir: a uniform sample of each slice of a family's window (layout/windows.ts), for quantiles that are observations themselves. The
 * samples of all series lie in one: memory is fixed whatever the routes, and a route's quantiles are of its own among them.
 *
 * One a family, among the aggregates. For each slice, one after the other:
 *
 *   double           field   notes
 *   ───────────────  ──────  ──────────────────────────────────────────────────────────────────
 *                0  start   tick at which the slice began; 0: none
 *                1  seen    observations of the slice so far, of which the samples are
 *   2 … 1 + 2 × n    sample  value and identity of the series (`seriesIdentity`), `sampleCount` of them or as many as were seen
 *
 * The consumer writes it by way of the redo log only: a slice begins, and a batch's samples come in, whole or not at all.
 */
export const RESERVOIR_START = 0;
export const RESERVOIR_SEEN = RESERVOIR_START + 1;
export const RESERVOIR_SAMPLES = RESERVOIR_SEEN + 1;
/** Of a sample: its value, and the identity of its series. */
export const SAMPLE_DOUBLES = 2;

/** Doubles of one slice. */
export function reservoirSliceDoubles(sampleCount: number): number {
  return RESERVOIR_SAMPLES + sampleCount * SAMPLE_DOUBLES;
}
