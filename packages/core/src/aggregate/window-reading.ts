import type { CatalogFamily } from '../layout/catalog-reader.js';
import type { Segment } from '../layout/segment.js';
import { TICK_MS, WINDOW_SINCE, WINDOW_STARTS } from '../layout/windows.js';
import { shortenedAt, sliceStart, sliceTicksOf } from './rotation.js';

/**
 * Where a family's window begins as of some moment: what series showed then has to be taken off what they show.
 *
 * A window holds its slices, the one that goes on included: so it is as long as they are, less what is left of that one.
 */
export interface WindowStart {
  /** Which slice's copies to take off. */
  readonly slice: number;
  /** When that slice began; without one, the same for as long as there is none. With the slice it names what is taken off. */
  readonly tick: number;
  /** How much time the window holds, ms. Less than its length where the family has not lived for so long. */
  readonly spanMs: number;
}

/** Instead of a slice: nothing is to be taken off, as the window is older than the family. */
export const NOTHING_BEFORE = -1;
/** Instead of a slice: everything is to be taken off, as nothing was recorded in the window. */
export const ALL_BEFORE = -2;

/**
 * Finds the start of a family's window. To be called with the aggregates of `readCommitted`.
 *
 * @param nowTick Of the producer's clock.
 * @returns       `undefined` for a family without a window.
 */
export function windowStart(
  segment: Segment,
  family: CatalogFamily,
  { aggregates, nowTick }: { readonly aggregates: Float64Array; readonly nowTick: number },
): WindowStart | undefined {
  const { window } = family;
  if (window === undefined) return undefined;
  const { block, slices } = window;
  const length = sliceTicksOf(segment, family.id);
  const since = aggregates[block + WINDOW_SINCE] as number;
  const begin = sliceStart(nowTick, length) - (slices - 1) * length;
  if (begin <= since)
    return { slice: NOTHING_BEFORE, tick: since, spanMs: (nowTick - since) * TICK_MS };
  // Slices in which nothing was recorded have no copies: those of the next one are the same.
  let slice = ALL_BEFORE;
  let first = Number.POSITIVE_INFINITY;
  let held = 0;
  for (let index = 0; index < slices; index++) {
    const start = aggregates[block + WINDOW_STARTS + index] as number;
    if (start < begin) continue;
    held++;
    if (start >= first) continue;
    slice = index;
    first = start;
  }
  // As a rule nothing was recorded between the window's begin and its first slice. But where slices have become longer, the oldest of them is not
  // there any more; and where they have become shorter, a long one that began before may reach into the window.
  const isWhole = held < slices && begin >= shortenedAt(segment, family.id);
  const from = isWhole ? begin : Math.min(first, nowTick);
  return {
    slice,
    tick: slice === ALL_BEFORE ? since : first,
    spanMs: (nowTick - from) * TICK_MS,
  };
}
