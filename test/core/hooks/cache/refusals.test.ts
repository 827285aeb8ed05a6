import { CacheMetricsHook } from '@offloop/core';
import { expect } from 'chai';
import { codeOf } from '../../refusal.js';
import { HookedNumbers } from '../hooked-numbers.js';
import { traceOf } from '../trace.js';

describe('CacheMetricsHook.hook()', () => {
  let numbers: HookedNumbers;
  beforeEach(() => {
    numbers = new HookedNumbers();
  });

  const hook = (cache: object, options = {}) =>
    CacheMetricsHook.hook(cache, { name: 'c', register: numbers.register, ...options });

  it('refuses what cannot be hooked, and changes nothing', () => {
    const frozen = Object.freeze({ get: () => 1, set: () => 2 });
    const half = Object.defineProperty({ get: () => 1 }, 'set', { value: () => 2 });
    for (const cache of [frozen, half, {}]) {
      const before = traceOf(cache);
      expect(codeOf(() => hook(cache))).to.equal('OFFLOOP_ERR_HOOK');
      expect(traceOf(cache)).to.deep.equal(before);
    }
    const stubborn = new Proxy(new Map(), {
      defineProperty(target, key, descriptor) {
        if (key === 'has') throw new Error('not this one');
        return Reflect.defineProperty(target, key, descriptor);
      },
    });
    expect(codeOf(() => hook(stubborn))).to.equal('OFFLOOP_ERR_HOOK');
    expect(traceOf(stubborn)).to.deep.equal([]);
    expect(codeOf(() => hook(stubborn))).to.equal('OFFLOOP_ERR_HOOK');
  });

  it('refuses arguments that it cannot use', () => {
    const cache = new Map();
    const wrong = [
      { name: '' },
      { name: 7 },
      { isHit: 1 },
      { methods: null },
      { methods: { fetch: ['get'] } },
      { methods: { fetch: undefined } },
      { register: { registerMetric() {} } },
      { methods: { get: 'get' } },
      { kind: 'memcached' },
      { kind: 'ioredis' },
    ];
    for (const options of wrong) {
      expect(
        codeOf(() => hook(cache, options)),
        JSON.stringify(options),
      ).to.equal('OFFLOOP_ERR_ARGUMENT');
    }
    expect(codeOf(() => hook(7 as never))).to.equal('OFFLOOP_ERR_ARGUMENT');
    expect(traceOf(cache)).to.deep.equal([]);
  });

  it('refuses a name that another metric has, and changes nothing', () => {
    numbers.register.registerMetric({ name: 'cache_hits_total', get: () => ({}) } as never);
    const cache = new Map();
    expect(codeOf(() => hook(cache))).to.equal('OFFLOOP_ERR_DUPLICATE_METRIC');
    expect(traceOf(cache)).to.deep.equal([]);
    expect(numbers.register.getSingleMetric('cache_misses_total')).to.equal(undefined);
  });
});
