// What a hook adds to a call of a cache.
import { CacheMetricsHook } from '@offloop/core';
import { LRUCache } from 'lru-cache';
import { alternatingSuite, NANOSECONDS } from '../../harness/alternating-suite.js';
import { bench, type Subject } from '../../harness/bench.js';
import { seededRandom } from '../../harness/seeded-random.js';
import { HookRig } from './hook-rig.js';

const KEYS = Array.from({ length: 2_048 }, (_, index) => `key-${index}`);
/** Half of the keys are found. */
const CAPACITY = KEYS.length / 2;
const ORDER_MASK = 0xffff;
const random = seededRandom(1);
const order = Uint16Array.from({ length: ORDER_MASK + 1 }, () => random() * KEYS.length);

interface GetCache {
  get(key: string): unknown;
}

interface FullCache extends GetCache {
  set(key: string, value: number): unknown;
}

function lru(): LRUCache<string, number> {
  const cache = new LRUCache<string, number>({ max: CAPACITY });
  for (const [index, key] of KEYS.entries()) cache.set(key, index);
  return cache;
}

/** An asynchronous cache that has nothing to wait for: what is measured is the promise. */
function promised(): GetCache {
  const values = new Map(KEYS.slice(0, CAPACITY).map((key, index) => [key, index]));
  return { get: async (key: string) => values.get(key) };
}

function keyAt(at: number): string {
  return KEYS[order[at & ORDER_MASK] as number] as string;
}

function getLoop(cache: GetCache) {
  let next = 0;
  let found = 0;
  return (count: number): number => {
    const end = next + count;
    for (; next < end; next++) if (cache.get(keyAt(next)) !== undefined) found++;
    return found;
  };
}

function setLoop(cache: FullCache) {
  let next = 0;
  return (count: number): number => {
    const end = next + count;
    for (; next < end; next++) cache.set(keyAt(next), next);
    return next;
  };
}

function awaitLoop(cache: GetCache) {
  let next = 0;
  let found = 0;
  return async (count: number): Promise<number> => {
    const end = next + count;
    for (; next < end; next++) if ((await cache.get(keyAt(next))) !== undefined) found++;
    return found;
  };
}

type Loop = (count: number) => number | Promise<number>;

const CHECK_CALLS = 1_000;

function bare(loop: Loop): Subject {
  return {
    check: async () => {
      if ((await loop(CHECK_CALLS)) === 0) throw new Error('the cache does not answer');
    },
    run: async (count) => void (await loop(count)),
  };
}

function hooked<Cache extends object>(cache: Cache, loopOf: (cache: Cache) => Loop): Subject {
  const rig = new HookRig();
  CacheMetricsHook.hook(cache, { name: 'bench', register: rig.register });
  const loop = loopOf(cache);
  return {
    check: async () => {
      const result = await loop(CHECK_CALLS);
      const isSetting = loopOf === (setLoop as unknown);
      const seen = await rig.total(isSetting ? 'cache_evictions_total' : 'cache_hits_total');
      if (isSetting ? seen === 0 : seen !== result) throw new Error('the hook does not count');
    },
    prepare: rig.drain,
    run: async (count) => void (await loop(count)),
    finish: rig.refuseDrops,
  };
}

const SIZE = { smoke: 1_000, full: 1_000_000 };
/** Two or three records a call, in a ring of 65 536. */
const RUNS = { operationsPerRun: 16_384 };

/** For the processes of the suite. */
export const benches = [
  bench('lru-cache get / bare', SIZE, () => bare(getLoop(lru())), RUNS),
  bench('lru-cache get / hooked', SIZE, () => hooked(lru(), getLoop), RUNS),
  bench('lru-cache set / bare', SIZE, () => bare(setLoop(lru())), RUNS),
  bench('lru-cache set / hooked', SIZE, () => hooked(lru(), setLoop), RUNS),
  bench('asynchronous get / bare', SIZE, () => bare(awaitLoop(promised())), RUNS),
  bench('asynchronous get / hooked', SIZE, () => hooked(promised(), awaitLoop), RUNS),
];

/** The target of a call, whatever the cache. */
const ADDED_NS_MAX = 200;

export const cacheHooks = alternatingSuite({
  name: 'core/hooks/cache',
  title: 'Cache hooks: nanoseconds a call',
  note: 'An lru-cache of 1 024 values under 2 048 keys drawn at random, so that half of the look-ups find one and half of the sets push one out; and a cache whose `get` is an async function, awaited.',
  isForReadme: true,
  moduleUrl: import.meta.url,
  benches,
  unit: NANOSECONDS,
  surcharges: ['lru-cache get', 'lru-cache set', 'asynchronous get'].map((call) => ({
    row: `${call} / hooked`,
    over: `${call} / bare`,
    atMost: ADDED_NS_MAX,
  })),
});
