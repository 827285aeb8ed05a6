import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import express from 'express5';
import { play, ServedMetrics } from './served-metrics.js';

/** As jest and sinon put their clock in: another `performance`, beside which the one of node:perf_hooks goes on. */
class FakeTimers {
  readonly #real = globalThis.performance;
  #aheadMs = 0;

  install(): void {
    const now = () => this.#real.now() + this.#aheadMs;
    this.#put(Object.assign(Object.create(this.#real) as typeof performance, { now }));
  }

  advance(ms: number): void {
    this.#aheadMs += ms;
  }

  uninstall(): void {
    this.#put(this.#real);
  }

  #put(value: typeof performance): void {
    Object.defineProperty(globalThis, 'performance', { value, configurable: true, writable: true });
  }
}

describe('windows under fake timers', () => {
  const timers = new FakeTimers();
  const served = new ServedMetrics();
  before(() => timers.install());
  after(async () => {
    timers.uninstall();
    await served.close();
  });

  it('turn by one clock, the application’s, whoever looks at it', async () => {
    const metrics = served.make({ window: { seconds: 60 } });
    const app = express();
    app.use(metrics.middleware());
    app.get('/a', (_request, response) => void response.send('a'));
    const port = await served.listen(app);
    timers.advance(3_600_000);
    for (let count = 0; count < 3; count++) {
      await play(metrics, port, ['/a']);
      await delay(5);
    }
    const { window, p50LatencyMs } = metrics.getSnapshot();
    expect(window.requests).to.equal(3);
    expect(p50LatencyMs).to.be.within(0, 1_000);
    timers.advance(61_000);
    expect(metrics.getSnapshot().window.requests).to.equal(0);
  });
});
