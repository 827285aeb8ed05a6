import { types } from 'node:util';
import type { Method } from '../replaced-method.js';
import type { AnyCache, CacheRules, RoomRule } from './cache-libraries.js';
import type { CacheOperation, CacheSeries, OperationSeries } from './cache-series.js';

/** What the hooked methods of one cache share. */
export interface HookState {
  readonly cache: AnyCache;
  readonly series: CacheSeries;
  readonly rules: Pick<CacheRules, 'isHit' | 'getsMany' | 'isSynchronous' | 'mayCallBack' | 'room'>;
  /** Promises that were given to `set`: where a look-up gives one of them, it is the value, and not an answer to wait for. */
  readonly storedPromises: WeakSet<object>;
  /** False once the hook is off: a wrapper that somebody kept hands on. */
  isOn: boolean;
  /** Whether a call of this cache is going on, synchronously: what it calls in turn is part of it. */
  isInside: boolean;
  /** Calls that were part of another one. */
  innerCalls: number;
}

/** Counts what a look-up of some operation gave. */
type CountLookUps = (result: unknown, args: readonly unknown[]) => void;

const promiseThen = Promise.prototype.then;

/**
 * The hooked form of a method: calls the original with the same `this` and arguments, measures, and gives what it gave or throws what it threw.
 *
 * A promise is handed on as what its `then` makes of it: of the same outcome, and unhandled where nobody handles it.
 */
export function hookedCall(original: Method, operation: CacheOperation, state: HookState): Method {
  if (operation === 'wrap') return hookedWrap(original, state);
  const measured = state.series.operation(operation);
  const count = lookUpCounter(operation, state);
  const room = operation === 'set' ? state.rules.room : undefined;
  const isStoring = operation === 'set';
  return function (this: unknown, ...args: readonly unknown[]): unknown {
    if (state.isInside || !state.isOn) return handOn(original, this, { args, state });
    const before = room === undefined ? undefined : roomBefore(room, args[0], state);
    if (isStoring) keepPromises(args, state);
    state.isInside = true;
    const startedMs = performance.now();
    let result: unknown;
    try {
      result = Reflect.apply(original, this, args);
    } catch (error) {
      state.isInside = false;
      measured.failed(startedMs);
      throw error;
    }
    state.isInside = false;
    if (typeof result === 'object' && result !== null && isPending(result, state)) {
      return follow(result as Promise<unknown>, { measured, startedMs, args, count });
    }
    if (result === undefined && callsBack(args, operation, state)) return result;
    measured.done(startedMs);
    if (count !== undefined) count(result, args);
    if (before !== undefined) countEvicted(before, args[0], state);
    return result;
  };
}

/** The hooked form of what a library calls by itself: what it calls in turn is not its user's doing. */
export function hookedInternal(original: Method, state: HookState): Method {
  return function (this: unknown, ...args: readonly unknown[]): unknown {
    if (state.isInside || !state.isOn) return Reflect.apply(original, this, args);
    state.isInside = true;
    try {
      return Reflect.apply(original, this, args);
    } finally {
      state.isInside = false;
    }
  };
}

/** `wrap(key, compute)`: found where `compute` was not called. */
function hookedWrap(original: Method, state: HookState): Method {
  const measured = state.series.operation('wrap');
  return function (this: unknown, ...args: readonly unknown[]): unknown {
    const compute = args[1];
    if (state.isInside || !state.isOn || typeof compute !== 'function') {
      return handOn(original, this, { args, state });
    }
    let isComputed = false;
    function computed(this: unknown, ...computeArgs: readonly unknown[]): unknown {
      isComputed = true;
      // What the caller's own function does with the cache is its doing.
      const wasInside = state.isInside;
      state.isInside = false;
      try {
        return Reflect.apply(compute as Method, this, computeArgs);
      } finally {
        state.isInside = wasInside;
      }
    }
    const count: CountLookUps = () => {
      if (isComputed) state.series.missed();
      else state.series.hit();
    };
    state.isInside = true;
    const startedMs = performance.now();
    let result: unknown;
    try {
      result = Reflect.apply(original, this, [args[0], computed, ...args.slice(2)]);
    } catch (error) {
      state.isInside = false;
      measured.failed(startedMs);
      throw error;
    }
    state.isInside = false;
    if (typeof result === 'object' && result !== null && isPending(result, state)) {
      return follow(result as Promise<unknown>, { measured, startedMs, args: [], count });
    }
    measured.done(startedMs);
    count(result, args);
    return result;
  };
}

function handOn(
  original: Method,
  self: unknown,
  of: { readonly args: readonly unknown[]; readonly state: HookState },
): unknown {
  of.state.innerCalls++;
  return Reflect.apply(original, self, of.args);
}

/** Whether a call's result is a promise of it. Thenables of other kinds may begin their work when somebody calls `then`: they are left alone. */
function isPending(result: object, { rules, storedPromises }: HookState): boolean {
  if (rules.isSynchronous === true) return false;
  return types.isPromise(result) && result.then === promiseThen && !storedPromises.has(result);
}

/** Least arguments of a call that ends with a callback: a function may be the value that is set. */
const CALLBACK_ARGUMENTS_MIN: Readonly<Partial<Record<CacheOperation, number>>> = {
  set: 3,
  clear: 1,
};

/** Whether a call that returned nothing answers by a callback. When, and whether it found anything, is not known. */
function callsBack(
  args: readonly unknown[],
  operation: CacheOperation,
  { rules }: HookState,
): boolean {
  return (
    rules.mayCallBack === true &&
    args.length >= (CALLBACK_ARGUMENTS_MIN[operation] ?? 2) &&
    typeof args[args.length - 1] === 'function'
  );
}

function keepPromises(args: readonly unknown[], { storedPromises }: HookState): void {
  for (let index = 0; index < args.length; index++) {
    const value = args[index];
    if (typeof value === 'object' && value !== null && types.isPromise(value))
      storedPromises.add(value);
  }
}

function follow(
  result: Promise<unknown>,
  call: {
    readonly measured: OperationSeries;
    readonly startedMs: number;
    readonly args: readonly unknown[];
    readonly count: CountLookUps | undefined;
  },
): unknown {
  const { measured, startedMs, args, count } = call;
  const fulfilled = (value: unknown): unknown => {
    measured.done(startedMs);
    if (count !== undefined) count(value, args);
    return value;
  };
  // Whoever gave a callback hears of the error by it, and the library has handled the promise: another one would be left unhandled.
  if (typeof args[args.length - 1] === 'function') {
    void promiseThen.call(result, fulfilled, () => measured.failed(startedMs));
    return result;
  }
  return promiseThen.call(result, fulfilled, (error: unknown) => {
    measured.failed(startedMs);
    throw error;
  });
}

function lookUpCounter(operation: CacheOperation, state: HookState): CountLookUps | undefined {
  const { series, rules } = state;
  const one = (value: unknown): void => {
    const isHit = guarded(rules.isHit, value);
    if (isHit === true) series.hit();
    else if (isHit === false) series.missed();
  };
  const many: CountLookUps = (result, args) =>
    series.lookedUp(countMany(result, args, rules.isHit));
  if (operation === 'mget') return many;
  if (operation !== 'get') return undefined;
  if (rules.getsMany !== true) return one;
  return (result, args) => (Array.isArray(args[0]) ? many(result, args) : one(result));
}

/** A rule may be the user's, and nothing of ours may come to the caller of a cache. */
function guarded(isHit: CacheRules['isHit'], value: unknown): boolean | undefined {
  try {
    return isHit(value);
  } catch {
    return undefined;
  }
}

/** Of an array, which has a place for each key; of a map or an object, which may have those only that were found. */
function countMany(
  result: unknown,
  args: readonly unknown[],
  isHit: CacheRules['isHit'],
): { readonly hits: number; readonly misses: number } {
  let values: Iterable<unknown> = [];
  if (Array.isArray(result) || types.isMap(result)) values = result.values();
  else if (typeof result === 'object' && result !== null) values = Object.values(result);
  let hits = 0;
  let misses = 0;
  for (const value of values) {
    const found = guarded(isHit, value);
    if (found === true) hits++;
    else if (found === false) misses++;
  }
  if (Array.isArray(result)) return { hits, misses };
  // Of what says nothing, such as the answer inside of a transaction, nothing is known.
  if (typeof result !== 'object' || result === null) return { hits: 0, misses: 0 };
  const asked = Array.isArray(args[0]) ? args[0].length : args.length;
  return { hits, misses: Math.max(0, asked - hits) };
}

interface RoomBefore {
  readonly size: number;
  readonly isHeld: boolean;
  readonly innerCalls: number;
}

function roomBefore(room: RoomRule, key: unknown, state: HookState): RoomBefore | undefined {
  const { cache, innerCalls } = state;
  return probe(state, () => ({
    size: room.size(cache),
    isHeld: room.holds(cache, key),
    innerCalls,
  }));
}

/** Asks the cache for something of ours: what it calls for that, as lru-cache 7 does, counts nowhere. */
function probe<Found>(state: HookState, ask: () => Found): Found | undefined {
  const { innerCalls } = state;
  state.isInside = true;
  try {
    return ask();
  } catch {
    // What cannot be read is not counted.
    return undefined;
  } finally {
    state.isInside = false;
    state.innerCalls = innerCalls;
  }
}

function countEvicted(before: RoomBefore, key: unknown, state: HookState): void {
  const { rules, series, cache, innerCalls } = state;
  const { room } = rules;
  // A callback of the cache's may have changed it meanwhile, and nothing can be told from its size.
  if (room === undefined || innerCalls !== before.innerCalls) return;
  const evicted = probe(state, () => {
    const { size, isHeld } = before;
    const sizeNow = room.size(cache);
    // Nobody had to go where the cache grew, or has as many values as before of the same keys: no need to look the key up again.
    if (sizeNow > size || (sizeNow === size && isHeld)) return 0;
    const others = size - (isHeld ? 1 : 0);
    return others - (sizeNow - (room.holds(cache, key) ? 1 : 0));
  });
  if (evicted !== undefined && evicted > 0) series.evicted('capacity', evicted);
}
