import {
  CacheMetricsHook,
  createMetrics,
  instrumentWebSocketServer,
  type Metrics,
} from '@offloop/express';
import { expect } from 'chai';
import { WebSocketServer } from 'ws';
import { FakeClock } from '../support/fake-clock.js';

describe('hooks of Metrics', () => {
  const clock = new FakeClock();
  let metrics: Metrics;

  beforeEach(() => {
    clock.install();
    metrics = createMetrics({
      engine: 'inline',
      eventLoop: { enabled: false },
      window: { seconds: 600 },
    });
  });
  afterEach(async () => {
    clock.uninstall();
    await metrics.close();
  });

  it('show on the page in every format, and in the snapshot', async () => {
    const cache = new Map<string, number>();
    CacheMetricsHook.hook(cache, { name: 'c', register: metrics.register });
    cache.get('a');
    const wss = new WebSocketServer({ noServer: true });
    instrumentWebSocketServer(wss, { name: 'chat', register: metrics.register });
    await metrics.flush();
    expect(metrics.getSnapshot().cache).to.include({ misses: 1, hitRate: 0 });
    for (const format of ['text', 'openMetrics'] as const) {
      const { bytes } = await metrics.renderPage({ format });
      const page = Buffer.from(bytes).toString();
      expect(page, format).to.match(/^cache_misses_total\{cache="c"\} 1(\.0)?$/m);
      expect(page, format).to.match(/^websocket_connections_open\{endpoint="chat"\} 0(\.0)?$/m);
    }
    const { bytes } = await metrics.renderPage({ format: 'protobuf' });
    // Its sketch makes it a native histogram there.
    expect(Buffer.from(bytes).includes('cache_operation_duration_seconds')).to.equal(true);
    wss.close();
  });

  it('follow the window when updateConfig() changes it', async () => {
    const cache = new Map<string, number>();
    CacheMetricsHook.hook(cache, { name: 'c', register: metrics.register });
    metrics.updateConfig({ window: { seconds: 6 } });
    for (let second = 0; second < 700; second += 1) {
      clock.nowMs = second * 1_000;
      cache.get('a');
      await metrics.flush();
    }
    expect(metrics.getSnapshot().cache.window.misses).to.be.within(5, 7);
  });

  it('come off with close(), and count no more', async () => {
    const cache = new Map<string, number>();
    const wss = new WebSocketServer({ noServer: true });
    const before = Reflect.ownKeys(wss);
    CacheMetricsHook.hook(cache, { name: 'c', register: metrics.register });
    const instrumented = instrumentWebSocketServer(wss, { register: metrics.register });
    await metrics.close();
    expect(Reflect.ownKeys(cache)).to.deep.equal([]);
    expect(Reflect.ownKeys(wss)).to.deep.equal(before);
    expect(instrumented.isAttached).to.equal(false);
    cache.get('a');
    expect(metrics.health().dropped_records).to.equal(0);
    wss.close();
  });
});
