import { CacheMetricsHook } from '@offloop/core';
import { expect } from 'chai';
import { Random, runSeed } from '../../../support/random.js';
import { HookedNumbers } from '../hooked-numbers.js';
import { type Call, MEMORY_CACHES, type MemoryCache } from './memory-caches.js';

const CALLS = 600;

interface Outcome {
  readonly how: 'returned' | 'threw' | 'fulfilled' | 'rejected';
  readonly what: unknown;
}

async function outcomeOf(cache: object, { method, args }: Call): Promise<Outcome> {
  let result: unknown;
  try {
    result = (cache as Record<string, (...args: unknown[]) => unknown>)[method]?.(...args);
  } catch (error) {
    return { how: 'threw', what: String(error) };
  }
  // A Map's `set` returns `this`.
  if (result === cache) return { how: 'returned', what: 'this' };
  if (!(result instanceof Promise)) return { how: 'returned', what: result };
  return result.then(
    (what) => ({ how: 'fulfilled', what }),
    (error: unknown) => ({ how: 'rejected', what: String(error) }),
  );
}

/** The same calls for the same seed: what they make is random as well. */
function callsOf({ calls }: MemoryCache, seed: number): Call[] {
  const random = new Random(seed);
  const methods = Object.keys(calls);
  return Array.from({ length: CALLS }, () => {
    const method = methods[random.below(methods.length)] as string;
    return { method, args: calls[method]?.(random) ?? [] };
  });
}

function traceOf(target: object): unknown {
  return Reflect.ownKeys(target).map((key) => [key, Object.getOwnPropertyDescriptor(target, key)]);
}

describe(`hooked caches (OFFLOOP_SEED=${runSeed})`, () => {
  for (const kind of MEMORY_CACHES) {
    const { title, library, open, end } = kind;
    it(`${title}: each call has the outcome that it has without the hook`, async () => {
      const numbers = new HookedNumbers();
      const bare = open();
      const hooked = open();
      const before = traceOf(hooked);
      const hook = CacheMetricsHook.hook(hooked, { name: 'c', register: numbers.register });
      expect(hook.kind).to.equal(library);
      const bareCalls = callsOf(kind, runSeed);
      const hookedCalls = callsOf(kind, runSeed);
      for (const [index, call] of bareCalls.entries()) {
        const expected = await outcomeOf(bare, call);
        const got = await outcomeOf(hooked, hookedCalls[index] as Call);
        expect(got, `call ${index}: ${call.method}(${JSON.stringify(call.args)})`).to.deep.equal(
          expected,
        );
      }
      hook.unhook();
      const after = traceOf(hooked) as [PropertyKey, PropertyDescriptor][];
      for (const [index, [key, descriptor]] of (
        before as [PropertyKey, PropertyDescriptor][]
      ).entries()) {
        // The library's own fields have moved on; its methods have not.
        if (typeof descriptor.value !== 'function') continue;
        expect(after[index], String(key)).to.deep.equal([key, descriptor]);
      }
      expect(after.map(([key]) => key)).to.deep.equal(Reflect.ownKeys(bare));
      for (const cache of [bare, hooked]) end?.(cache);
    });

    it(`${title}: the books balance with what the calls returned`, async () => {
      const numbers = new HookedNumbers();
      const cache = open();
      CacheMetricsHook.hook(cache, { name: 'c', register: numbers.register });
      const made: Record<string, number> = {};
      let hits = 0;
      let lookUps = 0;
      let failed = 0;
      for (const call of callsOf(kind, runSeed + 1)) {
        let isComputed = false;
        const compute = call.args[1] as () => Promise<unknown>;
        const args =
          call.method === 'wrap'
            ? [
                call.args[0],
                () => {
                  isComputed = true;
                  return compute();
                },
              ]
            : call.args;
        const { how, what } = await outcomeOf(cache, { method: call.method, args });
        const operation = OPERATIONS[call.method];
        if (operation === undefined) continue;
        made[operation] = (made[operation] ?? 0) + 1;
        if (how === 'threw' || how === 'rejected') {
          failed++;
          continue;
        }
        if (call.method === 'wrap') {
          lookUps++;
          if (!isComputed) hits++;
        }
        if (operation !== 'get' && operation !== 'mget') continue;
        const asked = Array.isArray(call.args[0]) ? call.args[0] : [call.args[0]];
        const found = Array.isArray(call.args[0]) ? Object.values(what as object) : [what];
        // Keys that an object holds once, however often they were asked for.
        lookUps +=
          Array.isArray(what) || !Array.isArray(call.args[0])
            ? asked.length
            : Math.max(asked.length, found.length);
        hits += found.filter((value) =>
          library === undefined ? value !== null && value !== undefined : value !== undefined,
        ).length;
      }
      const counted = await numbers.cache('c');
      expect(counted.calls).to.deep.equal(made);
      expect(counted.hits).to.equal(hits);
      expect(counted.hits + counted.misses).to.equal(lookUps);
      const errors = Object.values(await numbers.samples('cache_errors_total'));
      expect(errors.reduce((sum, count) => sum + count, 0)).to.equal(failed);
      CacheMetricsHook.unhook(cache);
      end?.(cache);
    });
  }
});

const OPERATIONS: Readonly<Record<string, string>> = {
  get: 'get',
  getRaw: 'get',
  take: 'get',
  getMany: 'mget',
  mget: 'mget',
  wrap: 'wrap',
  has: 'has',
  set: 'set',
  setMany: 'set',
  mset: 'set',
  delete: 'delete',
  deleteMany: 'delete',
  del: 'delete',
  mdel: 'delete',
  clear: 'clear',
  flushAll: 'clear',
};
