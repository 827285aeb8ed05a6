import { CacheMetricsHook } from '@offloop/core';
import { expect } from 'chai';
import { codeOf } from '../../refusal.js';
import { HookedNumbers } from '../hooked-numbers.js';
import { traceOf } from '../trace.js';

/** A cache with private fields, a getter, and a subclass. */
class PrivateCache {
  readonly #values = new Map<string, unknown>();

  get size(): number {
    return this.#values.size;
  }

  get(key: string): unknown {
    return this.#values.get(key);
  }

  set(key: string, value: unknown): this {
    this.#values.set(key, value);
    return this;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  delete(key: string): boolean {
    return this.#values.delete(key);
  }

  clear(): void {
    this.#values.clear();
  }
}

class LoudCache extends PrivateCache {
  override get(key: string): unknown {
    const value = super.get(key);
    return typeof value === 'string' ? value.toUpperCase() : value;
  }
}

describe('CacheMetricsHook', () => {
  let numbers: HookedNumbers;
  beforeEach(() => {
    numbers = new HookedNumbers();
  });

  const hook = (cache: object, options = {}) =>
    CacheMetricsHook.hook(cache, { name: 'c', register: numbers.register, ...options });

  it('takes what is undefined for not given', async () => {
    const cache = new Map<string, number>();
    hook(cache, { kind: undefined, isHit: undefined, methods: { get: undefined, clear: ['x'] } });
    cache.get('a');
    expect(CacheMetricsHook.unhook(cache)).to.equal(true);
    expect((await numbers.cache('c')).misses).to.equal(1);
  });

  it('counts hits, misses and calls of a synchronous cache', async () => {
    const cache = new Map<string, number>();
    hook(cache);
    cache.get('a');
    cache.set('a', 1);
    cache.get('a');
    cache.get('a');
    cache.has('a');
    cache.delete('a');
    cache.clear();
    expect(await numbers.cache('c')).to.deep.equal({
      hits: 2,
      misses: 1,
      calls: { get: 3, has: 1, set: 1, delete: 1, clear: 1 },
    });
  });

  it('counts a call that returns a promise when that is fulfilled', async () => {
    let answer: (value: unknown) => void = () => {};
    const cache = {
      get: (_key: string) =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    };
    hook(cache);
    const got = cache.get('a');
    expect((await numbers.cache('c')).calls['get'] ?? 0).to.equal(0);
    answer(7);
    expect(await got).to.equal(7);
    expect(await numbers.cache('c')).to.deep.equal({ hits: 1, misses: 0, calls: { get: 1 } });
  });

  it('throws and rejects with the very error, and counts it', async () => {
    const thrown = new Error('thrown');
    const rejected = new Error('rejected');
    const cache = {
      get: () => {
        throw thrown;
      },
      set: async () => {
        throw rejected;
      },
    };
    hook(cache);
    expect(codeOf(() => cache.get())).to.equal(thrown);
    expect(await cache.set().catch((error: unknown) => error)).to.equal(rejected);
    expect(await numbers.samples('cache_errors_total')).to.deep.equal({ 'c get': 1, 'c set': 1 });
    expect((await numbers.cache('c')).calls).to.deep.equal({ get: 1, set: 1 });
  });

  it('leaves a rejection unhandled where nobody handles it', async () => {
    const cache = {
      set: () => Promise.reject(new Error('down')),
    };
    hook(cache);
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    const seen: unknown[] = [];
    process.on('unhandledRejection', (reason) => seen.push(reason));
    try {
      void cache.set();
      await new Promise((resolve) => setTimeout(resolve, 5));
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of listeners) process.on('unhandledRejection', listener);
    }
    expect(seen.map((reason) => (reason as Error).message)).to.deep.equal(['down']);
  });

  it('leaves no rejection unhandled where the caller gave a callback', async () => {
    const cache = {
      get: (_key: string, callback: (error: unknown) => void) => {
        const result = Promise.reject(new Error('down'));
        result.catch(callback);
        return result;
      },
    };
    hook(cache);
    // An unhandled one would end the test.
    const error = await new Promise((resolve) => void cache.get('a', resolve));
    expect((error as Error).message).to.equal('down');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await numbers.samples('cache_errors_total')).to.deep.equal({ 'c get': 1 });
  });

  it('gives a promise that was stored as it is: it is the value', async () => {
    const cache = new Map<string, Promise<number>>();
    hook(cache);
    const value = Promise.resolve(1);
    cache.set('a', value);
    expect(cache.get('a')).to.equal(value);
    expect((await numbers.cache('c')).hits).to.equal(1);
  });

  it('keeps private fields, getters, subclasses and `this`', () => {
    const cache = new LoudCache();
    hook(cache);
    expect(cache.set('a', 'loud')).to.equal(cache);
    expect(cache.get('a')).to.equal('LOUD');
    expect(cache.size).to.equal(1);
    expect(cache instanceof PrivateCache).to.equal(true);
  });

  it('hands on the `this` of the call', () => {
    const seen: unknown[] = [];
    const cache = {
      get(this: unknown, ...args: unknown[]) {
        seen.push(this, args);
      },
    };
    hook(cache);
    const heir: { get(...args: unknown[]): void } = Object.create(cache);
    heir.get(1, 2);
    cache.get.call(undefined as never);
    expect(seen).to.deep.equal([heir, [1, 2], undefined, []]);
    expect(seen[0]).to.equal(heir);
  });

  it('counts what a call calls in turn with it', async () => {
    const cache = {
      values: new Map<string, number>(),
      get(key: string) {
        return this.values.get(key);
      },
      getMany(keys: string[]) {
        return keys.map((key) => this.get(key));
      },
    };
    cache.values.set('a', 1);
    hook(cache);
    expect(cache.getMany(['a', 'b', 'c'])).to.deep.equal([1, undefined, undefined]);
    expect(await numbers.cache('c')).to.deep.equal({ hits: 1, misses: 2, calls: { mget: 1 } });
  });

  it('counts no call that answers by a callback, and each that takes a function for a value', async () => {
    const values = new Map<string, unknown>();
    const cache = {
      get(key: string, callback?: (error: unknown, value: unknown) => void) {
        if (callback === undefined) return values.get(key);
        setImmediate(callback, null, values.get(key));
        return undefined;
      },
      set(key: string, value: unknown, callback?: (error: unknown) => void) {
        values.set(key, value);
        if (callback !== undefined) setImmediate(callback, null);
      },
    };
    hook(cache);
    const value = () => 1;
    cache.set('a', value);
    await new Promise((resolve) => cache.set('b', value, resolve));
    const found = await new Promise((resolve) => cache.get('a', (_, given) => resolve(given)));
    expect(found).to.equal(value);
    expect(cache.get('a')).to.equal(value);
    expect(await numbers.cache('c')).to.deep.equal({
      hits: 1,
      misses: 0,
      calls: { get: 1, set: 1 },
    });
  });

  it('is one hook when it is asked for twice', async () => {
    const cache = new Map();
    const first = hook(cache);
    expect(hook(cache)).to.equal(first);
    cache.get('a');
    expect((await numbers.cache('c')).misses).to.equal(1);
    expect(codeOf(() => hook(cache, { name: 'other' }))).to.equal('OFFLOOP_ERR_HOOK');
    expect(codeOf(() => hook(cache, { register: new HookedNumbers().register }))).to.equal(
      'OFFLOOP_ERR_HOOK',
    );
  });

  it('restores own, inherited and computed properties exactly', () => {
    const inner = new Map<string, number>();
    const own = Object.defineProperties(
      {},
      {
        get: { value: () => 1, writable: false, enumerable: true, configurable: true },
        set: { get: () => inner.set.bind(inner), enumerable: false, configurable: true },
        has: { value: () => true, writable: true, enumerable: true, configurable: false },
      },
    );
    class Computed {
      get get() {
        return () => 2;
      }
    }
    for (const cache of [own, new Computed(), new LoudCache(), new Map()]) {
      const before = traceOf(cache);
      hook(cache);
      expect(traceOf(cache)).not.to.deep.equal(before);
      expect(Object.keys(cache)).to.deep.equal(
        (before as [string, PropertyDescriptor][])
          .filter(([, descriptor]) => descriptor.enumerable)
          .map(([key]) => key),
      );
      expect(CacheMetricsHook.unhook(cache)).to.equal(true);
      expect(traceOf(cache)).to.deep.equal(before);
      expect(CacheMetricsHook.unhook(cache)).to.equal(false);
    }
  });

  it('asks a getter at each call, on its `this`', async () => {
    const seen: unknown[] = [];
    class Computed {
      get get() {
        seen.push(this);
        return () => 2;
      }
    }
    const cache = new Computed();
    hook(cache);
    seen.length = 0;
    expect([cache.get(), cache.get()]).to.deep.equal([2, 2]);
    expect(seen).to.deep.equal([cache, cache]);
    expect((await numbers.cache('c')).hits).to.equal(2);
  });

  it('leaves what somebody else has put over it, and counts no more', async () => {
    const cache = new Map<string, number>();
    const taken = hook(cache);
    const hooked = cache.get;
    cache.get = (key) => hooked.call(cache, key) ?? -1;
    taken.unhook();
    expect(cache.get('a')).to.equal(-1);
    expect(Object.hasOwn(cache, 'set')).to.equal(false);
    expect((await numbers.cache('c')).misses).to.equal(0);
  });

  it('unhookAll() takes off the hooks of one registry', () => {
    const other = new HookedNumbers();
    const caches = [new Map(), new Map()];
    for (const cache of caches) hook(cache);
    const kept = new Map();
    hook(kept, { register: other.register });
    CacheMetricsHook.unhookAll({ register: numbers.register });
    for (const cache of caches) expect(traceOf(cache)).to.deep.equal([]);
    expect(traceOf(kept)).not.to.deep.equal([]);
    CacheMetricsHook.unhookAll({ register: other.register });
    expect(traceOf(kept)).to.deep.equal([]);
  });

  it('takes a rule and methods of the caller’s', async () => {
    const cache = { fetch: (key: string) => (key === 'a' ? { empty: false } : { empty: true }) };
    hook(cache, {
      methods: { get: ['fetch'] },
      isHit: (value: unknown) => {
        if (value === undefined) throw new Error('no rule of ours');
        return !(value as { empty: boolean }).empty;
      },
    });
    cache.fetch('a');
    cache.fetch('b');
    expect(await numbers.cache('c')).to.deep.equal({ hits: 1, misses: 1, calls: { get: 2 } });
  });

  it('counts what computes a value by whether it did, and what that does with the cache itself', async () => {
    const cache = {
      values: new Map<string, number>(),
      get(key: string) {
        return this.values.get(key);
      },
      set(key: string, value: number) {
        this.values.set(key, value);
      },
      getOrCompute(key: string, compute: () => number) {
        const known = this.get(key);
        if (known !== undefined) return known;
        const value = compute();
        this.set(key, value);
        return value;
      },
    };
    hook(cache, { methods: { wrap: ['getOrCompute'] } });
    const compute = () => cache.get('b') ?? 7;
    expect([cache.getOrCompute('a', compute), cache.getOrCompute('a', compute)]).to.deep.equal([
      7, 7,
    ]);
    expect(() =>
      cache.getOrCompute('c', () => {
        throw new Error('cannot');
      }),
    ).to.throw('cannot');
    expect(await numbers.cache('c')).to.deep.equal({
      hits: 1,
      misses: 2,
      calls: { get: 1, wrap: 3 },
    });
    expect(await numbers.samples('cache_errors_total')).to.deep.equal({ 'c wrap': 1 });
  });

  it('survives a rule that throws', async () => {
    const cache = { get: () => 5 };
    hook(cache, {
      isHit: () => {
        throw new Error('bad rule');
      },
    });
    expect(cache.get()).to.equal(5);
    expect(await numbers.cache('c')).to.deep.equal({ hits: 0, misses: 0, calls: { get: 1 } });
  });

  for (const isSame of [false, true]) {
    it(`shows its metrics again after the registry was cleared, hooking ${isSame ? 'it again' : 'another'}`, async () => {
      const first = new Map();
      hook(first);
      numbers.register.clear();
      const cache = isSame ? first : new Map();
      hook(cache);
      cache.get('a');
      expect((await numbers.cache('c')).misses).to.equal(1);
    });
  }

  it('keeps no cache alive', async () => {
    const refs = Array.from({ length: 5 }, () => {
      const cache = new Map();
      hook(cache);
      return new WeakRef(cache);
    });
    for (let turn = 0; turn < 10 && refs.some((ref) => ref.deref() !== undefined); turn++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      (globalThis as { gc?: () => void }).gc?.();
    }
    expect(refs.filter((ref) => ref.deref() !== undefined)).to.deep.equal([]);
  });
});
