import { expect } from 'chai';
import express from 'express5';
import { eventually } from './eventually.js';
import { ask } from './http-client.js';
import { useMetrics, useServers } from './served-app.js';

/** A type, or several; an object describes an object's fields. */
type Shape = 'number' | 'number or null' | 'boolean' | 'string' | { readonly [key: string]: Shape };

const LATENCIES: Readonly<Record<string, Shape>> = {
  avg_latency_ms: 'number or null',
  p50_latency_ms: 'number or null',
  p90_latency_ms: 'number or null',
  p95_latency_ms: 'number or null',
  p99_latency_ms: 'number or null',
};

/** What readers of the JSON go by: these fields keep their names and meaning; more may stand beside them. */
const SNAPSHOT: Shape = {
  total_requests: 'number',
  error_rate: 'number or null',
  ...LATENCIES,
  latency_histogram: { 25: 'number', 50: 'number', 100: 'number', '+Inf': 'number' },
  cache: { hits: 'number', misses: 'number', evictions: 'number', hit_rate: 'number or null' },
  event_loop: {
    avg_lag_ms: 'number or null',
    p95_lag_ms: 'number or null',
    monitoring_active: 'boolean',
  },
  websocket: { open_connections_estimate: 'number', messages_sent: 'number' },
};

const ROUTE: Shape = {
  method: 'string',
  route: 'string',
  requests: 'number',
  errors: 'number',
  error_rate: 'number or null',
  ...LATENCIES,
};

describe('GET /diagnostics/metrics', function () {
  this.timeout(20_000);
  const serve = useServers();
  const makeMetrics = useMetrics();

  async function serveApp(options: Parameters<typeof makeMetrics>[0] = {}): Promise<number> {
    const metrics = makeMetrics(options);
    const app = express();
    app.use(metrics.router());
    app.use(metrics.middleware());
    app.get('/items/:id', (_request, response) => void response.send('item'));
    return serve(app);
  }

  it('has every field of the contract before the first request, null where there is nothing to divide by', async () => {
    const snapshot = await snapshotOf(await serveApp());
    expectShape(snapshot, SNAPSHOT, 'snapshot');
    expect(snapshot).to.deep.include({
      total_requests: 0,
      error_rate: null,
      avg_latency_ms: null,
      p50_latency_ms: null,
      p90_latency_ms: null,
      p95_latency_ms: null,
      p99_latency_ms: null,
      routes: [],
      requests_in_flight: 0,
    });
    expect(snapshot['cache']).to.include({ hits: 0, misses: 0, evictions: 0, hit_rate: null });
  });

  it('has every field of the contract after requests, and a row for each route', async () => {
    const port = await serveApp({ eventLoop: { intervalMs: 10 } });
    for (let id = 0; id < 10; id++) await ask({ port, path: `/items/${id}` });
    await ask({ port, path: '/nowhere' });
    const snapshot = await eventually(
      async () => {
        const current = await snapshotOf(port);
        const { total_requests: total, event_loop: loop } = current as {
          total_requests: number;
          event_loop: { avg_lag_ms: number | null };
        };
        return total === 11 && loop.avg_lag_ms !== null ? current : undefined;
      },
      { what: '11 requests and a sample of the lag' },
    );
    expectShape(snapshot, SNAPSHOT, 'snapshot');
    const { routes } = snapshot as { routes: readonly Record<string, unknown>[] };
    expect(routes.map(({ route, requests }) => [route, requests])).to.deep.equal([
      ['/items/:id', 10],
      ['__unmatched__', 1],
    ]);
    for (const row of routes) expectShape(row, ROUTE, 'route');
    const { latency_histogram: histogram } = snapshot as {
      latency_histogram: Record<string, number>;
    };
    const counts = Object.keys(histogram)
      .map((bound) => [
        bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound),
        histogram[bound],
      ])
      .sort(([one], [other]) => Number(one) - Number(other))
      .map(([, count]) => count);
    expect(counts, 'cumulative').to.deep.equal([...counts].sort((a, b) => Number(a) - Number(b)));
    expect(counts.at(-1)).to.equal(11);
  });

  it('has the bounds that were configured, fractions too', async () => {
    const port = await serveApp({ http: { bucketsMs: [0.5, 2.5, 1_000, 30_000] } });
    const { latency_histogram: histogram } = await snapshotOf(port);
    expect(histogram).to.deep.equal({ 0.5: 0, 2.5: 0, 1000: 0, 30000: 0, '+Inf': 0 });
  });

  it('says when lag is not monitored', async () => {
    const port = await serveApp({ eventLoop: { enabled: false } });
    expect((await snapshotOf(port))['event_loop']).to.deep.equal({
      avg_lag_ms: null,
      p95_lag_ms: null,
      p99_lag_ms: null,
      max_lag_ms: null,
      utilization: null,
      monitoring_active: false,
      blocked_ms: null,
      blocked_by: null,
      stalls: 0,
      longest_stall: null,
      last_stall: null,
    });
  });
});

async function snapshotOf(port: number): Promise<Record<string, unknown>> {
  const { status, headers, body } = await ask({ port, path: '/diagnostics/metrics' });
  expect(status).to.equal(200);
  expect(headers['content-type']).to.equal('application/json; charset=utf-8');
  return JSON.parse(body);
}

function expectShape(value: unknown, shape: Shape, path: string): void {
  if (typeof shape === 'string') {
    const isAllowed = value === null ? shape === 'number or null' : shape.startsWith(typeof value);
    expect(isAllowed, `${path} is a ${shape}, got ${JSON.stringify(value)}`).to.equal(true);
    return;
  }
  expect(value, path).to.be.an('object');
  for (const [key, inner] of Object.entries(shape)) {
    expectShape((value as Record<string, unknown>)[key], inner, `${path}.${key}`);
  }
}
