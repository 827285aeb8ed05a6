import { type Snapshot, snapshotToJson } from '@offloop/core';
import { HttpMetrics, SnapshotReader } from '@offloop/core/adapter';
import { FamilyKind, FamilyRole } from '@offloop/core/internal/layout/catalog.js';
import { Segment } from '@offloop/core/internal/layout/segment.js';
import { expect } from 'chai';
import { FakeClock } from '../../support/fake-clock.js';
import { Random, runSeed } from '../../support/random.js';
import { PipelineRig } from '../pipeline-rig.js';
import { SegmentRig } from '../segment-rig.js';

const LAG_ON = { isLagMonitored: true };
/** Width of a bucket of the sketch, as a factor. */
const BUCKET = 2 ** (1 / 32);

class SnapshotRig extends PipelineRig {
  readonly http = new HttpMetrics(this.pipeline, this.registry);
  readonly reader = new SnapshotReader(this.pipeline.producer.segment);

  request(route: string, status: string, seconds: number): void {
    this.http.record(this.http.seriesIdOf('GET', route, status), seconds);
  }

  async read(): Promise<Snapshot> {
    await this.pipeline.flush();
    return this.reader.read(LAG_ON);
  }
}

describe('snapshot on the wire', () => {
  it('has the fields and names of the contract', async () => {
    const rig = new SnapshotRig();
    rig.request('/', '200', 0.01);
    const json = snapshotToJson(await rig.read());
    expect(json).to.include.all.keys(
      'total_requests',
      'error_rate',
      'avg_latency_ms',
      'p50_latency_ms',
      'p90_latency_ms',
      'p95_latency_ms',
      'p99_latency_ms',
      'latency_histogram',
      'cache',
      'event_loop',
      'websocket',
      'routes',
      'pipeline',
      'requests_in_flight',
      'taken_at',
    );
    expect(json['cache']).to.include.all.keys('hits', 'misses', 'evictions', 'hit_rate');
    expect(json['event_loop']).to.have.all.keys(
      'avg_lag_ms',
      'p95_lag_ms',
      'p99_lag_ms',
      'max_lag_ms',
      'utilization',
      'monitoring_active',
      'blocked_ms',
      'blocked_by',
      'stalls',
      'longest_stall',
      'last_stall',
    );
    expect(json['websocket']).to.include.all.keys('open_connections_estimate', 'messages_sent');
    expect((json['routes'] as object[])[0]).to.have.all.keys(
      'method',
      'route',
      'requests',
      'errors',
      'error_rate',
      'avg_latency_ms',
      'p50_latency_ms',
      'p90_latency_ms',
      'p95_latency_ms',
      'p99_latency_ms',
      'window',
    );
    expect(Object.keys(json['pipeline'] as object)).to.include.members([
      'offered_records',
      'recorded_records',
      'dropped_records',
      'aggregated_records',
      'backlog_records',
    ]);
    for (const key of everyKey(json)) expect(key).to.match(/^([a-z0-9_]+|[\d.]+|\+Inf)$/);
    expect(JSON.parse(JSON.stringify(json))).to.deep.equal(json);
  });

  it('has null where there is nothing to divide by, and not 0', async () => {
    const snapshot = await new SnapshotRig().read();
    const nothing = {
      errorRate: null,
      avgLatencyMs: null,
      p50LatencyMs: null,
      p90LatencyMs: null,
      p95LatencyMs: null,
      p99LatencyMs: null,
    };
    expect(snapshot).to.include({ totalRequests: 0, requestsInFlight: 0, ...nothing });
    expect(snapshot.cache.hitRate).to.equal(null);
    expect(snapshot.eventLoop).to.deep.equal({
      avgLagMs: null,
      p95LagMs: null,
      p99LagMs: null,
      maxLagMs: null,
      utilization: null,
      monitoringActive: true,
      blockedMs: null,
      blockedBy: null,
      stalls: 0,
      longestStall: null,
      lastStall: null,
    });
    expect(snapshot.routes).to.deep.equal([]);
  });

  it('has 0 where there is something to divide by and nothing happened', async () => {
    const rig = new SnapshotRig();
    rig.request('/', '200', 0);
    const snapshot = await rig.read();
    expect(snapshot).to.include({ errorRate: 0, avgLatencyMs: 0 });
  });

  it('has a histogram that is cumulative, in milliseconds, under the option’s bounds', async () => {
    const rig = new SnapshotRig();
    for (const ms of [25, 25.001, 50, 99, 5000, 5001]) rig.request('/', '200', ms / 1000);
    const { latencyHistogram } = await rig.read();
    expect(latencyHistogram).to.deep.equal({
      25: 1,
      50: 3,
      100: 4,
      200: 4,
      350: 4,
      500: 4,
      750: 4,
      1000: 4,
      1500: 4,
      2500: 4,
      5000: 5,
      '+Inf': 6,
    });
  });

  it('names bounds as they were given, although they are kept in seconds', async () => {
    const bucketsMs = [0.1, 0.7, 1.1, 3.3, 29, 57, 1001, 1003, 1_000_000.5];
    const rig = new SnapshotRig({ http: { bucketsMs } });
    rig.request('/', '200', 0.001);
    expect(Object.keys((await rig.read()).latencyHistogram)).to.have.members([
      ...bucketsMs.map(String),
      '+Inf',
    ]);
  });
});

describe('snapshot over the window', () => {
  const WINDOW = { window: { seconds: 6 } };
  const clock = new FakeClock();
  beforeEach(() => clock.install());
  afterEach(() => clock.uninstall());

  it('has rates, means and percentiles of the window, and counts since the start', async () => {
    const rig = new SnapshotRig(WINDOW);
    for (let count = 0; count < 8; count++) rig.request('/old', '500', 4);
    clock.nowMs = 60_000;
    for (let count = 0; count < 3; count++) rig.request('/', '200', 0.1);
    rig.request('/', '503', 0.3);
    const snapshot = await rig.read();
    expect(snapshot).to.include({ totalRequests: 12, errorRate: 0.25 });
    expect(snapshot.avgLatencyMs).to.be.closeTo(150, 1e-6);
    expect(snapshot.p50LatencyMs).to.be.within(100 / BUCKET, 100 * BUCKET);
    expect(snapshot.p99LatencyMs).to.be.within(300 / BUCKET, 300 * BUCKET);
    expect(snapshot.latencyHistogram['+Inf']).to.equal(12);
    expect(snapshot.window).to.include({ seconds: 6, requests: 4, errors: 1 });
    expect(snapshot.lifetime).to.deep.include({ errors: 9, errorRate: 0.75 });
    expect(snapshot.lifetime.avgLatencyMs).to.be.closeTo(32_600 / 12, 1e-6);
    const [old, recent] = snapshot.routes;
    expect(old).to.include({ route: '/old', requests: 8, errorRate: null, p50LatencyMs: null });
    expect(old?.window).to.deep.equal({ requests: 0, errors: 0, requestsPerSecond: 0 });
    expect(recent).to.include({ requests: 4, errorRate: 0.25 });
  });

  it('says how much time the window holds, and divides by that', async () => {
    const rig = new SnapshotRig(WINDOW);
    clock.nowMs = 1;
    rig.request('/', '200', 0.1);
    clock.nowMs = 2_001;
    rig.request('/', '200', 0.1);
    expect((await rig.read()).window).to.include({ spanSeconds: 2, requestsPerSecond: 1 });
    // Complete: six slices of a second, of which the last begins now.
    clock.nowMs = 60_001;
    rig.request('/', '200', 0.1);
    expect((await rig.read()).window).to.include({ spanSeconds: 5, requestsPerSecond: 0.2 });
  });

  it('has null for everything in a window that saw nothing', async () => {
    const rig = new SnapshotRig(WINDOW);
    rig.request('/', '200', 0.1);
    await rig.read();
    const nowTick = 1_000;
    const snapshot = rig.reader.read({ ...LAG_ON, nowTick, quantiles: [0.25] });
    expect(snapshot).to.include({
      totalRequests: 1,
      errorRate: null,
      avgLatencyMs: null,
      p99LatencyMs: null,
    });
    expect(snapshot.latencyQuantilesMs).to.deep.equal({ '0.25': null });
    expect(snapshot.window).to.include({ requests: 0, requestsPerSecond: 0 });
  });

  it('has the quantiles that are asked for', async () => {
    const rig = new SnapshotRig(WINDOW);
    for (let ms = 1; ms <= 1000; ms++) rig.request('/', '200', ms / 1000);
    await rig.read();
    const { latencyQuantilesMs } = rig.reader.read({ ...LAG_ON, quantiles: [0.25, 0.999] });
    expect(Object.keys(latencyQuantilesMs)).to.deep.equal(['0.25', '0.999']);
    expect(latencyQuantilesMs['0.25']).to.be.within(250 / BUCKET, 250 * BUCKET);
    expect(latencyQuantilesMs['0.999']).to.be.within(999 / BUCKET, 999 * BUCKET);
  });

  it('says how long the oldest record has been waiting that it does not show', async () => {
    const rig = new SnapshotRig(WINDOW);
    clock.nowMs = 1;
    rig.request('/', '200', 0.1);
    clock.nowMs = 1_001;
    rig.request('/', '200', 0.1);
    expect(rig.reader.read(LAG_ON).ageMs).to.equal(1_000);
    expect((await rig.read()).ageMs).to.equal(0);
  });
});

describe('snapshot reader', () => {
  it('reads a segment that nobody measures requests in', () => {
    const rig = new SegmentRig();
    const snapshot = new SnapshotReader(rig.segment).read({ isLagMonitored: false });
    expect(snapshot.totalRequests).to.equal(0);
    expect(snapshot.latencyHistogram).to.deep.equal({ '+Inf': 0 });
    expect(snapshot.eventLoop.monitoringActive).to.equal(false);
  });

  it('takes in families and series that come after it was made, on whichever thread', async () => {
    const pipeline = new PipelineRig();
    const { segment } = pipeline.pipeline.producer;
    const readers = [
      new SnapshotReader(segment),
      new SnapshotReader(Segment.attach(segment.buffer)),
    ];
    for (const reader of readers) reader.read(LAG_ON);
    const http = new HttpMetrics(pipeline.pipeline, pipeline.registry);
    for (const route of ['/a', '/b', '/c']) {
      http.record(http.seriesIdOf('GET', route, '200'), 0.1);
      await pipeline.pipeline.flush();
      for (const reader of readers) {
        const { routes, totalRequests } = reader.read(LAG_ON);
        expect(routes.at(-1)).to.include({ route, requests: 1 });
        expect(totalRequests).to.equal(routes.length);
      }
    }
  });

  it('has a row a method and route, over all its statuses', async () => {
    const rig = new SnapshotRig();
    for (const [route, status, count] of [
      ['/a', '200', 6],
      ['/a', '404', 1],
      ['/a', '500', 2],
      ['/a', '503', 1],
      ['/b', '499', 3],
    ] as const) {
      for (let index = 0; index < count; index++) rig.request(route, status, 0.1);
    }
    rig.http.record(rig.http.seriesIdOf('POST', '/a', '201'), 0.2);
    const { routes, errorRate, totalRequests } = await rig.read();
    expect(
      routes.map((row) => [row.method, row.route, row.requests, row.errors, row.errorRate]),
    ).to.deep.equal([
      ['GET', '/a', 10, 3, 0.3],
      ['GET', '/b', 3, 0, 0],
      ['POST', '/a', 1, 0, 0],
    ]);
    expect(totalRequests).to.equal(14);
    expect(errorRate).to.equal(3 / 14);
  });

  it('counts what was folded into the overflow series once, as no error', async () => {
    const rig = new SnapshotRig({ maxSeriesPerMetric: 1 });
    for (const route of ['/a', '/b', '/c']) rig.request(route, '500', 0.1);
    const { routes, totalRequests } = await rig.read();
    expect(totalRequests).to.equal(3);
    expect(routes.map(({ route, requests, errors }) => [route, requests, errors])).to.deep.equal([
      ['/a', 1, 1],
      ['__overflow__', 2, 0],
    ]);
  });

  it('keeps routes apart whose names hold what a key could be joined by', async () => {
    const rig = new SnapshotRig();
    const routes = ['/a', '/a /b', 'GET /a', '', '"', '\\', '\n', '__proto__', 'constructor'];
    for (const route of routes) rig.request(route, '200', 0.1);
    const rows = (await rig.read()).routes;
    expect(rows.map(({ route }) => route)).to.deep.equal(routes);
    expect(rows.map(({ requests }) => requests)).to.deep.equal(routes.map(() => 1));
  });

  it('counts requests in flight at once', () => {
    const rig = new SnapshotRig();
    rig.http.requestStarted();
    rig.http.requestStarted();
    rig.http.requestEnded();
    expect(rig.reader.read(LAG_ON).requestsInFlight).to.equal(1);
  });

  it('resets nothing: the next one says the same', async () => {
    const rig = new SnapshotRig();
    for (let index = 1; index <= 100; index++) rig.request('/', '200', index / 1000);
    const clock = new FakeClock();
    clock.install();
    const first = await rig.read();
    const second = await rig.read();
    const { takenAt: _, pipeline: __, process: ___, ...rest } = second;
    clock.uninstall();
    expect(first).to.deep.include(rest);
  });

  it('reads what is aggregated and waits for nothing', async () => {
    const rig = new SnapshotRig();
    rig.request('/', '200', 0.1);
    const before = rig.reader.read(LAG_ON);
    expect(before.totalRequests).to.equal(0);
    expect(before.pipeline).to.include({ recordedRecords: 1, backlogRecords: 1 });
    expect((await rig.read()).totalRequests).to.equal(1);
  });

  it(`has quantiles within one bucket of the exact ones, over all routes and for each, seed ${runSeed}`, async () => {
    const rig = new SnapshotRig({ ring: { capacityRecords: 65_536 } });
    const random = new Random();
    const byRoute: Record<string, number[]> = { '/fast': [], '/slow': [] };
    for (let index = 0; index < 20_000; index++) {
      const route = index % 4 === 0 ? '/slow' : '/fast';
      const seconds = Math.exp(random.normal() * 0.8 - (route === '/slow' ? 1 : 4));
      byRoute[route]?.push(seconds);
      rig.request(route, index % 10 === 0 ? '500' : '200', seconds);
    }
    const snapshot = await rig.read();
    const everything = Object.values(byRoute).flat();
    const rows: [readonly number[], (typeof snapshot.routes)[number] | Snapshot | undefined][] = [
      [everything, snapshot],
      ...snapshot.routes.map((row) => [byRoute[row.route] ?? [], row] as [number[], typeof row]),
    ];
    expect(rows).to.have.length(3);
    for (const [values, row] of rows) {
      const sorted = values.toSorted((a, b) => a - b);
      for (const [field, q] of [
        ['p50LatencyMs', 0.5],
        ['p90LatencyMs', 0.9],
        ['p95LatencyMs', 0.95],
        ['p99LatencyMs', 0.99],
      ] as const) {
        const exact = (sorted[Math.ceil(q * sorted.length) - 1] as number) * 1000;
        expect((row?.[field] as number) / exact, field).to.be.within(1 / BUCKET, BUCKET);
      }
      const mean = (values.reduce((sum, one) => sum + one, 0) / values.length) * 1000;
      expect(row?.avgLatencyMs).to.be.closeTo(mean, mean * 1e-9);
    }
  });

  it('has loop lag from the family of that role', () => {
    const rig = new SegmentRig();
    const series = rig.addSeries(
      rig.addFamily({ kind: FamilyKind.histogram, role: FamilyRole.loopLag, hasSketch: true }),
    );
    for (let index = 0; index < 99; index++) rig.recorder.record(series, 0.001);
    rig.recorder.record(series, 0.101);
    rig.drainAll();
    const { eventLoop } = new SnapshotReader(rig.segment).read(LAG_ON);
    expect(eventLoop.avgLagMs).to.be.closeTo(2, 1e-9);
    expect(eventLoop.p95LagMs).to.be.within(1 / BUCKET, BUCKET);
  });
});

function everyKey(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(everyKey);
  return Object.entries(value).flatMap(([key, inner]) => [key, ...everyKey(inner)]);
}
