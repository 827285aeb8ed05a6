import { CacheMetricsHook, snapshotToJson } from '@offloop/core';
import { HttpMetrics, SnapshotReader } from '@offloop/core/adapter';
import { endpointSeries } from '@offloop/core/internal/hooks/websocket/endpoint-series.js';
import { expect } from 'chai';
import { FakeClock } from '../../support/fake-clock.js';
import { publishedSchema, strictCheck } from '../../support/published-schema.js';
import { PipelineRig } from '../pipeline-rig.js';

/** Of the window, in six slices. */
const WINDOW_SECONDS = 60;

describe('hooks in the snapshot', () => {
  const clock = new FakeClock();
  beforeEach(() => clock.install());
  afterEach(() => clock.uninstall());

  class HookRig extends PipelineRig {
    readonly http = new HttpMetrics(this.pipeline, this.registry);
    readonly reader = new SnapshotReader(this.pipeline.producer.segment);

    constructor() {
      super({ window: { seconds: WINDOW_SECONDS } });
    }

    async read() {
      await this.pipeline.flush();
      const nowTick = this.pipeline.producer.recorder.tick();
      return this.reader.read({ isLagMonitored: true, nowTick });
    }
  }

  it('shows the caches together and each, with rates and latencies of the window', async () => {
    const rig = new HookRig();
    const slow = {
      values: new Map<string, number>(),
      get(key: string) {
        clock.nowMs += 8;
        return this.values.get(key);
      },
      set(key: string, value: number) {
        clock.nowMs += 2;
        this.values.set(key, value);
      },
    };
    const quick = new Map<string, number>();
    CacheMetricsHook.hook(slow, { name: 'slow', register: rig.registry });
    CacheMetricsHook.hook(quick, { name: 'quick', register: rig.registry });
    slow.get('a');
    slow.set('a', 1);
    slow.get('a');
    slow.get('a');
    quick.get('b');
    clock.nowMs = 10_000;
    const { cache } = await rig.read();
    expect(cache).to.deep.include({ hits: 2, misses: 2, evictions: 0, errors: 0, hitRate: 0.5 });
    const { lookUpsPerSecond, ...counts } = cache.window;
    expect(counts).to.deep.equal({
      hits: 2,
      misses: 2,
      evictions: 0,
      errors: 0,
      evictionsPerSecond: 0,
    });
    // The clock of windows is to within 100 ms.
    expect(lookUpsPerSecond).to.be.within(4 / 10.1, 4 / 9.9);
    expect(cache.caches.map(({ name, hits, hitRate }) => [name, hits, hitRate])).to.deep.equal([
      ['slow', 2, 2 / 3],
      ['quick', 0, 0],
    ]);
    const [ofSlow] = cache.caches;
    expect(ofSlow?.avgLatencyMs).to.be.closeTo((3 * 8 + 2) / 4, 1e-9);
    expect(ofSlow?.p99LatencyMs).to.be.within(8 / 1.022, 8 * 1.022);
  });

  it('lets go of what has left the window, and keeps it since the start', async () => {
    const rig = new HookRig();
    const cache = new Map<string, number>();
    CacheMetricsHook.hook(cache, { name: 'c', register: rig.registry });
    cache.set('a', 1);
    // A burst of misses, and later hits alone.
    for (let call = 0; call < 30; call++) cache.get('missing');
    await rig.read();
    clock.nowMs = 30_000;
    for (let call = 0; call < 10; call++) cache.get('a');
    const both = await rig.read();
    expect(both.cache.hitRate).to.equal(0.25);
    clock.nowMs = 65_000;
    cache.has('a');
    const later = await rig.read();
    expect(later.cache).to.deep.include({ hits: 10, misses: 30, hitRate: 1 });
    expect(later.cache.lifetime.hitRate).to.equal(0.25);
    expect(later.cache.window).to.include({ hits: 10, misses: 0 });
    clock.nowMs = 200_000;
    rig.pipeline.producer.recorder.stamp(clock.nowMs);
    const quiet = await rig.read();
    expect(quiet.cache).to.deep.include({ hits: 10, misses: 30, hitRate: null });
    expect(quiet.cache).to.include({ avgLatencyMs: null, p50LatencyMs: null });
    expect(quiet.cache.window).to.include({ hits: 0, misses: 0, lookUpsPerSecond: 0 });
  });

  it('counts a series again from nothing after a reset', async () => {
    const rig = new HookRig();
    const cache = new Map<string, number>();
    CacheMetricsHook.hook(cache, { name: 'c', register: rig.registry });
    for (let turn = 0; turn < 5; turn++) {
      for (let call = 0; call <= turn; call++) cache.get('missing');
      clock.nowMs += 11_000;
      const { cache: shown } = await rig.read();
      expect([shown.misses, shown.window.misses]).to.deep.equal([turn + 1, turn + 1]);
      rig.registry.resetMetrics();
    }
  });

  it('shows what WebSockets count, in the window as well', async () => {
    const rig = new HookRig();
    const endpoint = endpointSeries(rig.registry, 'chat');
    endpointSeries(rig.registry, 'other').opened();
    endpoint.opened();
    endpoint.opened();
    for (let message = 0; message < 20; message++) endpoint.sent.part(10, true);
    endpoint.received.part(7, true);
    await rig.read();
    clock.nowMs = 65_000;
    endpoint.sent.part(10, true);
    endpoint.closed(1000, 0);
    endpoint.failed();
    endpoint.refused();
    const { websocket } = await rig.read();
    const { window, ...totals } = websocket;
    expect(totals).to.deep.equal({
      openConnectionsEstimate: 2,
      connections: 3,
      messagesSent: 21,
      messagesReceived: 1,
      bytesSent: 210,
      bytesReceived: 7,
      errors: 1,
      upgradesRefused: 1,
    });
    expect(window).to.include({ messagesSent: 1, messagesReceived: 0 });
    expect(window.messagesReceivedPerSecond).to.equal(0);
    // The level stays what it is.
    rig.registry.resetMetrics();
    expect((await rig.read()).websocket).to.include({ openConnectionsEstimate: 2, connections: 0 });
  });

  it('says null and 0 where nothing is hooked, and fits the schema with and without', async () => {
    const rig = new HookRig();
    const check = strictCheck(publishedSchema('snapshot'));
    const bare = await rig.read();
    expect(bare.cache).to.include({ hits: 0, hitRate: null, p99LatencyMs: null });
    expect(bare.cache.caches).to.deep.equal([]);
    expect(bare.websocket.window.messagesSentPerSecond).to.equal(null);
    expect(check(snapshotToJson(bare))).to.equal('');
    const cache = new Map<string, number>();
    CacheMetricsHook.hook(cache, { name: 'c', register: rig.registry });
    cache.get('a');
    endpointSeries(rig.registry, 'chat').opened();
    clock.nowMs += 1_000;
    expect(check(snapshotToJson(await rig.read()))).to.equal('');
  });
});
