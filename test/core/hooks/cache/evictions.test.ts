import { CacheMetricsHook } from '@offloop/core';
import { expect } from 'chai';
import { LRUCache } from 'lru-cache';
import LRUCache7 from 'lru-cache7';
import NodeCache from 'node-cache';
import { Random, runSeed } from '../../../support/random.js';
import { HookedNumbers } from '../hooked-numbers.js';

describe(`evictions of hooked caches (OFFLOOP_SEED=${runSeed})`, () => {
  const kinds: Record<string, LRUCache.Options<string, number, unknown>> = {
    'by number': { max: 7 },
    'by size': { maxSize: 60, sizeCalculation: (value) => 1 + (value % 20), maxEntrySize: 18 },
    'with ages': { max: 5, ttl: 60_000, allowStale: true, updateAgeOnHas: true },
  };
  for (const [title, options] of Object.entries(kinds)) {
    it(`lru-cache, ${title}: as many as its own dispose() tells`, async () => {
      const numbers = new HookedNumbers();
      let told = 0;
      const cache = new LRUCache<string, number>({
        ...options,
        dispose: (_value, _key, reason) => {
          if (reason === 'evict') told++;
        },
      } as LRUCache.Options<string, number, unknown>);
      CacheMetricsHook.hook(cache, { name: 'c', register: numbers.register });
      expect(await numbers.samples('cache_evictions_total')).to.deep.equal({ 'c capacity': 0 });
      const random = new Random();
      for (let call = 0; call < 3_000; call++) {
        const key = `key-${random.below(20)}`;
        if (random.below(10) === 0) cache.delete(key);
        else if (random.below(40) === 0) cache.clear();
        else cache.set(key, random.below(20));
      }
      expect(told).to.be.greaterThan(100);
      expect(await numbers.samples('cache_evictions_total')).to.deep.equal({ 'c capacity': told });
    });
  }

  it('lru-cache 7: asking it for its size counts as no call of it', async () => {
    const numbers = new HookedNumbers();
    const cache = new LRUCache7<string, number>({ max: 2 });
    CacheMetricsHook.hook(cache, { name: 'c', kind: 'lru-cache', register: numbers.register });
    for (const key of ['a', 'b', 'c', 'c']) cache.set(key, 1);
    expect((await numbers.cache('c')).calls).to.deep.equal({ set: 4 });
    expect(await numbers.samples('cache_evictions_total')).to.deep.equal({ 'c capacity': 1 });
  });

  it('lru-cache: counts nothing that its own callback took away', async () => {
    const numbers = new HookedNumbers();
    const cache: LRUCache<string, number> = new LRUCache({
      max: 3,
      disposeAfter: (_value, key) => {
        if (key === 'a') cache.delete('b');
      },
    });
    CacheMetricsHook.hook(cache, { name: 'c', register: numbers.register });
    for (const key of ['a', 'b', 'c', 'd']) cache.set(key, 1);
    expect([...cache.keys()]).to.deep.equal(['d', 'c']);
    // One was pushed out and one taken away: which is which cannot be told, and neither is counted.
    expect(await numbers.samples('cache_evictions_total')).to.deep.equal({ 'c capacity': 0 });
  });

  it('node-cache: a promise that was stored is a value, though it gives copies', async () => {
    const numbers = new HookedNumbers();
    const cache = new NodeCache({ checkperiod: 0 });
    CacheMetricsHook.hook(cache, { name: 'c', register: numbers.register });
    cache.set('a', Promise.resolve(undefined));
    expect(cache.get('a')).to.be.instanceOf(Promise);
    expect(await numbers.cache('c')).to.deep.include({ hits: 1, misses: 0 });
  });

  it('node-cache: values that expire are counted, and are no calls', async () => {
    const numbers = new HookedNumbers();
    const cache = new NodeCache({ checkperiod: 0 });
    const before = cache.listenerCount('expired');
    const hook = CacheMetricsHook.hook(cache, { name: 'c', register: numbers.register });
    for (const key of ['a', 'b', 'c']) cache.set(key, 1, 0.001);
    await new Promise((resolve) => setTimeout(resolve, 10));
    cache.get('a');
    (cache as unknown as { _checkData(startPeriod: boolean): void })._checkData(false);
    expect(await numbers.samples('cache_evictions_total')).to.deep.equal({ 'c expired': 3 });
    expect((await numbers.cache('c')).calls).to.deep.equal({ set: 3, get: 1 });
    hook.unhook();
    expect(cache.listenerCount('expired')).to.equal(before);
    cache.close();
  });
});
