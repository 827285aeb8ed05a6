import { SKETCH_GROUP_CELLS, WIDE_SKETCH_GROUP_CELLS } from './aggregates.js';
import { assertLayout } from './assert-layout.js';

/**
 * Windows: what a family showed as each of its last slices of time began. What lies in the window is what the series show now less what they
 * showed then, so recording and draining cost nothing for it; only when a slice begins does the consumer copy.
 *
 * Time is in ticks of the producer's clock (record/recorder.ts), 1 being the first.
 *
 * Window block: one a family with a window, `slices` + 1 doubles among the aggregates.
 *
 *   double      field   writer    store     notes
 *   ──────────  ──────  ────────  ────────  ────────────────────────────────────────────────────────────────
 *            0  since   producer  plain     tick at which the family was made; then every series was at zero
 *   1 … slices  starts  consumer  redo log  tick at which the slice began whose copies these are; 0: none
 *
 * Copies: the end of each series' block, after its sketch; of a counter, which has sums only, after its total. A slice's copies are of no use
 * while its `starts` is 0.
 *
 *   double                 field     type  notes
 *   ─────────────────────  ────────  ────  ─────────────────────────────────────────────────────────────────────
 *   0 … slices − 1         sums      f64   the sum, one a slice
 *   slices …               counts    f64   of a narrow sketch: the observations, one a slice
 *   2 × slices …           quarters  u32   of a narrow sketch: what lies in the quarters of each group, modulo 2³²: of 32
 *                                          groups a slice, slice by slice
 *   66 × slices +          group g   u32   the group's G cells, modulo 2³², slice by slice: what a window reads of
 *     g × slices × G/2                     an octave lies in a page, and what nothing fell into is not touched. Of a
 *                                          wide sketch they begin behind the sums
 *
 * Cells and quarters wrap in a copy and the difference does not, as no window holds 2³² observations of one series.
 *
 * When a slice begins at a tick (aggregate/rotation.ts), whoever holds the lease, in a batch:
 *
 *   step  store                                       a crash after it leaves
 *   ────  ──────────────────────────────────────────  ────────────────────────────────────────────────────────────
 *      1  starts = 0 of the oldest slice (a batch)    the window without its oldest slice, which has left it anyway
 *      2  rotating = 1 (control block, Atomics rmw)   the same; the successor begins again, and takes it back
 *      3  the copies (plain stores)                   the same: nobody reads the copies of a slice without a start
 *      4  rotating = 0                                the same
 *      5  starts = tick (a batch)                     the slice
 *
 * A slice begins at a multiple of its length; the first after slices became shorter where its copies were made, as what came before in that
 * length is among them. A window that reaches back beyond that moment holds time from its first copies on only (aggregate/window-reading.ts).
 *
 * While `rotating` is 1 the producer gives no removed series' memory to another series: the consumer may stand on it.
 */
export const WINDOW_SINCE = 0;
export const WINDOW_STARTS = WINDOW_SINCE + 1;

/** Slices begin at multiples of it: ten a second are few enough to be stamped into records by whoever has looked at the clock. */
export const TICK_MS = 100;

/** Doubles of a family's window block. */
export function windowBlockDoubles(slices: number): number {
  return WINDOW_STARTS + slices;
}

/** Doubles of the copies at the end of a series' block. */
export function windowCopiesDoubles(slices: number, groups: number, groupCells: number): number {
  return slices * headDoubles(groupCells) + groups * groupDoubles(slices, groupCells);
}

/** Of a group of a narrow sketch: what looks for a quantile passes by them at a step. */
export const QUARTERS_PER_GROUP = 4;

/** Quarters that a slice has room for: of as many groups as `groups` has bits. */
const QUARTERS = 32 * QUARTERS_PER_GROUP;

/** Doubles that a slice's copies take before those of the groups. */
function headDoubles(groupCells: number): number {
  return groupCells === SKETCH_GROUP_CELLS ? 2 + QUARTERS / 2 : 1;
}

/** Doubles that the copies of one group take. */
function groupDoubles(slices: number, groupCells: number): number {
  return (slices * groupCells) / 2;
}

/** Where the copies of a series lie. */
export interface CopiesPlace {
  /** First double of the copies: the end of the sketch, or of a counter's total. */
  readonly copies: number;
  readonly slices: number;
  readonly groupCells: number;
}

/** The double that holds a slice's copy of the sum. */
export function sumCopyDouble({ copies }: Pick<CopiesPlace, 'copies'>, slice: number): number {
  return copies + slice;
}

/** The double that holds a slice's copy of the number of observations of a narrow sketch. */
export function countCopyDouble(
  { copies, slices }: Omit<CopiesPlace, 'groupCells'>,
  slice: number,
): number {
  return copies + slices + slice;
}

/** The u32 cell that holds a slice's copy of what lies in a narrow sketch's first quarter; the others' follow. */
export function quarterCopiesCell(
  { copies, slices }: Omit<CopiesPlace, 'groupCells'>,
  slice: number,
): number {
  return (copies + 2 * slices) * 2 + slice * QUARTERS;
}

/** The first u32 cell of a slice's copy of a group; those of the groups after it follow each `slices` × G cells later. */
export function groupCopyCell(
  { copies, slices, groupCells }: CopiesPlace,
  { slice, group }: { readonly slice: number; readonly group: number },
): number {
  const first = copies + windowCopiesDoubles(slices, group, groupCells);
  return first * 2 + slice * groupCells;
}

assertLayout(
  SKETCH_GROUP_CELLS % 2 === 0 && WIDE_SKETCH_GROUP_CELLS % 2 === 0,
  'the copies of a group fill whole doubles',
);
assertLayout(SKETCH_GROUP_CELLS % QUARTERS_PER_GROUP === 0, 'a group has whole quarters');
// They tell narrow sketches from wide ones.
assertLayout((SKETCH_GROUP_CELLS as number) !== WIDE_SKETCH_GROUP_CELLS, 'groups differ in size');
