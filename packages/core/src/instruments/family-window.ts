import { TICK_MS } from '../layout/windows.js';
import type { FamilyWindow } from './catalog-writer.js';

/** Slices of the window behind percentiles and rates: it holds five sixths of its length at least, and all of it at most. */
const SLICES = 6;

/** The window of a family whose length is given in whole, seconds. */
export function windowOf(seconds: number, slices: number = SLICES): FamilyWindow {
  return { slices, sliceTicks: sliceTicksFor(seconds, slices) };
}

/** The same with a reservoir beside it, of so many observations in all. */
export function sampledWindowOf(seconds: number, capacity: number): FamilyWindow {
  return { ...windowOf(seconds), sampleCount: Math.floor(capacity / SLICES) };
}

/** Length of each slice, ticks. */
export function sliceTicksFor(seconds: number, slices: number = SLICES): number {
  return Math.max(1, Math.round((seconds * 1000) / slices / TICK_MS));
}
