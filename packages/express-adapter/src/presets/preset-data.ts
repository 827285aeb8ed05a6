import type { OffloopOptions } from '@offloop/core';
import { refuse } from '../middleware/middleware-options.js';

const BOUNDS_MAX = 256;

/**
 * Bounds in seconds, which the package calls `path`, in milliseconds that are these seconds again when they are divided: pages show the package's own
 * numbers.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_OPTION_TYPE`
 */
export function inMs(path: string, bounds: readonly number[]): readonly number[] {
  refuseBounds(path, bounds, 'seconds');
  return bounds.map((bound) => {
    const product = bound * 1000;
    // Without what the multiplication adds in the last place, unless that was there before.
    const rounded = Number(product.toPrecision(12));
    return rounded / 1000 === bound ? rounded : product;
  });
}

/** @throws {OffloopError} `OFFLOOP_ERR_OPTION_TYPE`, in the package's own words. */
export function refuseBounds(path: string, bounds: unknown, unit: string): void {
  const isRight =
    Array.isArray(bounds) &&
    bounds.length >= 1 &&
    bounds.length <= BOUNDS_MAX &&
    bounds.every((bound, index) => bound > (index === 0 ? 0 : bounds[index - 1]));
  if (!isRight) refuse(path, `1 to ${BOUNDS_MAX} numbers of ${unit} above 0, ascending`, bounds);
}

/** Options of which some have a default. */
type Filled<Options, Names extends keyof Options> = Omit<Options, Names> & {
  readonly [Name in Names]-?: NonNullable<Options[Name]>;
};

/** Options over the package's defaults. `null` stands for not given, as it does there. */
export function withDefaults<Options extends object, Defaults extends Partial<Options>>(
  options: Options,
  defaults: Defaults,
): Filled<Options, keyof Defaults & keyof Options> {
  const given = Object.entries(options).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return { ...defaults, ...Object.fromEntries(given) } as never;
}

/** Options that a preset comes to, under those that the user gave in offloop's own words. */
export function underGiven(preset: OffloopOptions, given: OffloopOptions): OffloopOptions {
  return merged(preset, given);
}

/** What is `undefined` at any level says nothing. */
function merged(under: object, over: object): object {
  const both: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const before = both[name];
    both[name] = isTree(before) && isTree(value) ? merged(before, value) : value;
  }
  return both;
}

function isTree(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
