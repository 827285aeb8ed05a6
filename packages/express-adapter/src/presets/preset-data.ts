import type { OffloopOptions } from '@offloop/core';

/** Seconds in milliseconds, without what the multiplication adds in the last place. */
export function inMs(bounds: readonly number[]): readonly number[] {
  return bounds.map((bound) => Number((bound * 1000).toPrecision(12)));
}

/** Options that a preset comes to, under those that the user gave in offloop's own words. */
export function underGiven(preset: OffloopOptions, given: OffloopOptions): OffloopOptions {
  const merged: Record<string, unknown> = { ...preset };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const before = merged[name];
    merged[name] = isTree(before) && isTree(value) ? { ...before, ...value } : value;
  }
  return merged;
}

function isTree(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
