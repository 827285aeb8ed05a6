import type { CacheLibrary } from '@offloop/core';
import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { Keyv as Keyv5 } from 'keyv5';
import { LRUCache } from 'lru-cache';
import NodeCache from 'node-cache';
import type { Random } from '../../../support/random.js';

/** A call of a cache's method. */
export interface Call {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** A library of which a test makes caches, two of a kind. */
export interface MemoryCache {
  readonly title: string;
  readonly library: CacheLibrary | undefined;
  readonly open: () => object;
  /** Every method that is hooked, and one or two that are not. */
  readonly calls: Readonly<Record<string, (random: Random) => readonly unknown[]>>;
  readonly end?: (cache: object) => void;
}

/** Few keys, so that calls meet. */
const key = (random: Random): string => `key-${random.below(12)}`;
const keys = (random: Random): string[] =>
  Array.from({ length: random.below(4) }, () => key(random));
const value = (random: Random): unknown =>
  [undefined, null, 0, '', false, 'text', { deep: [1] }, Number.NaN][random.below(8)];

const mapCalls = {
  get: (random: Random) => [key(random)],
  has: (random: Random) => [key(random)],
  set: (random: Random) => [key(random), value(random)],
  delete: (random: Random) => [key(random)],
};

const keyvCalls = {
  get: (random: Random) => [random.below(3) === 0 ? keys(random) : key(random)],
  getMany: (random: Random) => [keys(random)],
  getRaw: (random: Random) => [key(random)],
  has: (random: Random) => [key(random)],
  set: (random: Random) => [key(random), value(random)],
  setMany: (random: Random) => [keys(random).map((of) => ({ key: of, value: value(random) }))],
  delete: (random: Random) => [random.below(3) === 0 ? keys(random) : key(random)],
  deleteMany: (random: Random) => [keys(random)],
};

/** With private fields of its own, and a method that calls others. */
class CountingCache extends LRUCache<string, NonNullable<unknown>> {
  #asked = 0;

  override get(of: string): NonNullable<unknown> | undefined {
    this.#asked++;
    return super.get(of);
  }

  asked(): number {
    return this.#asked;
  }
}

export const MEMORY_CACHES: readonly MemoryCache[] = [
  {
    title: 'Map',
    library: undefined,
    open: () => new Map(),
    calls: { ...mapCalls, clear: () => [], forEach: () => [() => {}] },
  },
  {
    title: 'lru-cache',
    library: 'lru-cache',
    open: () => new LRUCache({ max: 5 }),
    calls: { ...mapCalls, clear: () => [], peek: (random) => [key(random)], dump: () => [] },
  },
  {
    title: 'lru-cache by size, with a subclass',
    library: 'lru-cache',
    open: () =>
      new CountingCache({
        maxSize: 20,
        sizeCalculation: (_value, of) => Number(of.slice(4)) + 1,
        maxEntrySize: 9,
      }),
    calls: { ...mapCalls, clear: () => [], asked: () => [] },
  },
  {
    title: 'keyv',
    library: 'keyv',
    open: () => new Keyv(),
    calls: { ...keyvCalls, clear: () => [] },
  },
  {
    title: 'keyv 5',
    library: 'keyv',
    open: () => new Keyv5(),
    calls: { ...keyvCalls, clear: () => [] },
  },
  {
    title: 'cache-manager',
    library: 'cache-manager',
    // Its promises are shared between calls of `wrap` of one id and key.
    open: () => createCache(),
    calls: {
      get: (random) => [key(random)],
      mget: (random) => [keys(random)],
      set: (random) => [key(random), value(random)],
      mset: (random) => [keys(random).map((of) => ({ key: of, value: value(random) }))],
      del: (random) => [key(random)],
      mdel: (random) => [keys(random)],
      wrap: (random) => [key(random), async () => value(random) ?? 'computed'],
      clear: () => [],
      ttl: (random) => [key(random)],
    },
  },
  {
    title: 'node-cache',
    library: 'node-cache',
    open: () => new NodeCache({ maxKeys: 8, checkperiod: 0 }),
    calls: {
      get: (random) => [random.below(8) === 0 ? {} : key(random)],
      mget: (random) => [random.below(8) === 0 ? 'no array' : keys(random)],
      take: (random) => [key(random)],
      has: (random) => [key(random)],
      set: (random) => [key(random), value(random)],
      mset: (random) => [keys(random).map((of) => ({ key: of, val: value(random) }))],
      del: (random) => [random.below(2) === 0 ? keys(random) : key(random)],
      flushAll: () => [],
      keys: () => [],
    },
    end: (cache) => (cache as NodeCache).close(),
  },
];
