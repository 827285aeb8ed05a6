import { setTimeout as delay } from 'node:timers/promises';
import { CacheMetricsHook, type HealthChange, type Metrics } from '@offloop/express';
import { expect } from 'chai';
import express from 'express5';
import { LRUCache } from 'lru-cache';
import { FakeClock } from '../support/fake-clock.js';
import { eventually } from './eventually.js';
import { ask } from './http-client.js';
import { useMetrics, useServers } from './served-app.js';

const KEYS = 100;
const LOOK_UPS_PER_STEP = 50;
/** Keys that a cache of so many values holds all of, and of which nothing is left after a round. */
const FEW = KEYS;
const MANY = 50 * KEYS;

/** Users that are looked up in a real cache, round and round: as long as all of them have room, each is found. */
class Users {
  readonly cache = new LRUCache<number, string>({ max: KEYS });
  #next = 0;

  constructor(metrics: Metrics, name: string) {
    for (let key = 0; key < KEYS; key++) this.cache.set(key, 'user');
    CacheMetricsHook.hook(this.cache, { name, register: metrics.register });
  }

  lookUp(keyCount: number): void {
    for (let count = 0; count < LOOK_UPS_PER_STEP; count++) {
      this.#next = (this.#next + 1) % keyCount;
      if (this.cache.get(this.#next) === undefined) this.cache.set(this.#next, 'user');
    }
  }
}

describe('a hooked lru-cache whose working set grows out of it', function () {
  this.timeout(90_000);
  const makeMetrics = useMetrics();
  const serve = useServers();
  const clock = new FakeClock();
  afterEach(() => clock.uninstall());

  it('is reported within two windows, by name and with its hit rates, and its end as well', async () => {
    clock.install();
    const windowSeconds = 60;
    const metrics = makeMetrics({ engine: 'inline', window: { seconds: windowSeconds } });
    const users = new Users(metrics, 'users');
    const posts = new Users(metrics, 'posts');
    const finding = () =>
      metrics
        .extendedHealth()
        .reliability.detectors.find(({ name }) => name === 'cache_efficiency');
    const secondsUntil = async (state: string, keyCount: number): Promise<number> => {
      for (let seconds = 1; seconds <= 20 * windowSeconds; seconds++) {
        clock.nowMs += 1_000;
        users.lookUp(keyCount);
        posts.lookUp(FEW);
        await metrics.flush();
        if (finding()?.state === state) return seconds;
      }
      throw new Error(`never ${state}`);
    };

    await secondsUntil('ok', FEW);
    // Two more, to be sure of them.
    for (let seconds = 0; seconds < 2 * windowSeconds; seconds++) {
      clock.nowMs += 1_000;
      users.lookUp(FEW);
      posts.lookUp(FEW);
      await metrics.flush();
      expect(finding()?.state).to.equal('ok');
    }
    expect(await secondsUntil('alarm', MANY)).to.be.at.most(2 * windowSeconds);
    const { subject, value, threshold, evidence } = finding() ?? {};
    expect(subject).to.equal('users');
    expect(value).to.be.lessThan(threshold as number);
    expect(evidence?.['baseline_hit_rate']).to.be.greaterThan(0.9);
    await secondsUntil('ok', FEW);
  });

  it('is reported by the pool thread, on the route, on the off-loop port and to the logger', async () => {
    const changes: HealthChange[] = [];
    const told: object[] = [];
    const metrics = makeMetrics({
      port: 0,
      window: { seconds: 3 },
      logger: { warn: (details) => void told.push(details), error: () => {} },
      onHealthChange: (change) => void changes.push(change),
    });
    const app = express();
    app.use(metrics.router());
    const port = await serve(app);
    const offLoop = (await metrics.portAddress())?.port as number;
    const users = new Users(metrics, 'users');
    const lookUpUntil = (state: string, keyCount: number) =>
      eventually(
        async () => {
          users.lookUp(keyCount);
          await delay(20);
          const answers = await Promise.all(
            [port, offLoop].map((each) => ask({ port: each, path: '/health/extended' })),
          );
          const found = answers.map(({ body }) =>
            JSON.parse(body).reliability.detectors.find(
              ({ name }: { readonly name: string }) => name === 'cache_efficiency',
            ),
          );
          return found.every((each) => each.state === state) ? found : undefined;
        },
        { what: state, timeoutMs: 40_000 },
      );
    await lookUpUntil('ok', FEW);
    for (const found of await lookUpUntil('alarm', MANY)) {
      expect(found.subject).to.equal('users');
      expect(found.evidence.baseline_hit_rate).to.be.greaterThan(found.value);
    }
    const change = await eventually(
      async () => {
        // The change is told with what the detector finds by then, some seconds later: nothing, where nobody looks anything up any more.
        users.lookUp(MANY);
        return changes.find(({ subject }) => subject === 'cache_efficiency');
      },
      { what: 'a change', timeoutMs: 20_000 },
    );
    expect(change).to.include({ from: 'ok', to: 'alarm' });
    expect(change.detector?.subject).to.equal('users');
    expect(told).to.deep.include({ code: 'OFFLOOP_HEALTH', ...change });
  });
});
