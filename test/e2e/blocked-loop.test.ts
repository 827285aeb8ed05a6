import { Agent } from 'node:http';
import type { Metrics, Snapshot } from '@offloop/express';
import { expect } from 'chai';
import express from 'express5';
import { eventually } from './eventually.js';
import { ask } from './http-client.js';
import { useMetrics, useServers } from './served-app.js';

const REQUEST_COUNT = 1_000;
const CLIENT_COUNT = 50;
const BLOCK_MS = 2_000;

/** What the metrics say in the same turn in which the loop comes back, before anything else could run on it. */
interface Return {
  readonly atOnce: Snapshot;
  readonly blockedMs: number;
}

describe('a main thread that is blocked for 2 s after a burst of requests', function () {
  this.timeout(60_000);
  const serve = useServers();
  const makeMetrics = useMetrics();

  it('finds an empty ring and every request counted when it comes back, with the engine pool', async () => {
    const metrics = makeMetrics({ engine: 'pool' });
    const { atOnce, blockedMs } = await blockAfterBurst(metrics);
    expect(blockedMs).to.be.at.least(BLOCK_MS);
    expect(atOnce.pipeline.backlogRecords).to.equal(0);
    expect(atOnce.totalRequests).to.equal(REQUEST_COUNT);
    expect(atOnce.routes).to.have.lengthOf(1);
    expect(atOnce.routes[0]).to.include({ method: 'GET', route: '/burst', errors: 0 });
    expect(atOnce.pipeline.droppedRecords).to.equal(0);
    expect(atOnce.pipeline.threadRestarts).to.equal(0);
    expect(metrics.health().engine_state).to.equal('running');
  });

  it('shows the block in the loop lag afterwards', async () => {
    const metrics = makeMetrics({ engine: 'pool', eventLoop: { intervalMs: 50 } });
    await blockAfterBurst(metrics);
    const lagMs = await eventually(
      () => {
        const { avgLagMs } = metrics.getSnapshot().eventLoop;
        return avgLagMs !== null && avgLagMs > 10 ? avgLagMs : undefined;
      },
      { what: 'lag' },
    );
    expect(lagMs).to.be.greaterThan(10);
  });

  it('finds the whole burst in the ring with the engine inline, which is what the thread is for', async () => {
    const metrics = makeMetrics({ engine: 'inline', eventLoop: { enabled: false } });
    const { atOnce } = await blockAfterBurst(metrics);
    expect(atOnce.pipeline.backlogRecords).to.equal(REQUEST_COUNT);
    expect(atOnce.totalRequests).to.equal(0);
    await metrics.flush();
    expect(metrics.getSnapshot().totalRequests).to.equal(REQUEST_COUNT);
  });

  /** Blocks in the very turn in which the last response of the burst is finished. */
  async function blockAfterBurst(metrics: Metrics): Promise<Return> {
    let finishedCount = 0;
    let onReturn: (returned: Return) => void = () => {};
    const returned = new Promise<Return>((resolve) => {
      onReturn = resolve;
    });
    const app = express();
    app.use(metrics.middleware());
    app.get('/burst', (_request, response) => {
      response.once('finish', () => {
        finishedCount += 1;
        if (finishedCount < REQUEST_COUNT) return;
        const startedMs = performance.now();
        block(BLOCK_MS);
        onReturn({ atOnce: metrics.getSnapshot(), blockedMs: performance.now() - startedMs });
      });
      response.send('ok');
    });
    await sendBurst(await serve(app));
    return returned;
  }
});

async function sendBurst(port: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENT_COUNT });
  const statuses = await Promise.all(
    Array.from({ length: REQUEST_COUNT }, async () => {
      const { status } = await ask({ port, path: '/burst', agent });
      return status;
    }),
  );
  agent.destroy();
  expect(new Set(statuses)).to.deep.equal(new Set([200]));
}

function block(durationMs: number): void {
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs);
}
