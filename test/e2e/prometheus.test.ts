import { expect } from 'chai';
import express from 'express5';
import { useProcesses } from '../support/processes.js';
import { useTemporaryFolders } from '../support/temporary-folder.js';
import { needTool } from '../support/tools.js';
import { Counts } from './counts.js';
import { startDemo } from './demo-process.js';
import { eventually, eventuallyEqual } from './eventually.js';
import { HOSTILE_VALUES, recordHostileLabels } from './hostile-labels.js';
import { ask } from './http-client.js';
import { PrometheusServer, type QueriedSample } from './prometheus-server.js';
import { useMetrics, useServers } from './served-app.js';

/** `METHOD path` of a request, and the template that must be its label. */
const REQUESTS: readonly (readonly [request: string, route: string])[] = [
  ['GET /version', '/version'],
  ['GET /status', '/status'],
  ['HEAD /status', '/status'],
  ['GET /status?verbose=1', '/status'],
  ['GET /model/llama3/health', '/model/:modelName/health'],
  ['GET /model/mistral/health', '/model/:modelName/health'],
  ['GET /model/unknown/health', '/model/:modelName/health'],
  ['GET /circuit-breaker/ollama', '/circuit-breaker/ollama'],
  ['GET /system', '/system'],
  ['GET /todays-games', '/todays-games'],
  ['GET /flaky', '/flaky'],
  ['GET /slow', '/slow'],
  ['GET /blocking', '/blocking'],
  ['GET /teams/7', '/teams/:teamId'],
  ['GET /teams/7/players/3', '/teams/:teamId/players/:playerId'],
  ['GET /teams/8/players/999', '/teams/:teamId/players/:playerId'],
  ['POST /teams/7/players', '/teams/:teamId/players'],
  ['GET /nowhere/1', '__unmatched__'],
  ['GET /nowhere/2', '__unmatched__'],
  ['DELETE /status', '__unmatched__'],
  ['GET /model/%E0%A4%A/health', '__unmatched__'],
  // Look at the metrics, and are no requests of the service.
  ['GET /metrics', ''],
  ['GET /internal/metrics', ''],
  ['GET /health', ''],
  ['GET /diagnostics/metrics', ''],
];

/** A slow route takes 300 ms at least; the bound of the histogram below that is 200 ms. */
const SLOW_SECONDS_MIN = 0.2;

describe('a real Prometheus that scrapes the demo', function () {
  this.timeout(90_000);
  const startProcess = useProcesses();
  const temporaryFolder = useTemporaryFolders();
  const sent = new Counts();
  let prometheus: PrometheusServer;
  let demoPort: number;

  before(async function () {
    const program = needTool(this, 'prometheus');
    const demo = await startDemo(startProcess, ['--rate', '0']);
    demoPort = demo.port;
    prometheus = await PrometheusServer.start({
      program,
      startProcess,
      folder: temporaryFolder(),
      scrapedPort: demoPort,
    });
  });

  after(async () => {
    await prometheus?.stop();
  });

  it('finds the target up, with no error', async () => {
    await eventuallyEqual(
      async () => {
        const { health, lastError } = (await prometheus.target()) ?? {};
        return { health, lastError };
      },
      { health: 'up', lastError: '' },
      { what: 'the target' },
    );
    expect(await prometheus.query('up')).to.deep.equal([{ labels: {}, value: 1 }]);
  });

  it('counts what the client sent, by method, route and status', async () => {
    for (let round = 0; round < 5; round++) await sendAll(demoPort, sent);
    await eventuallyEqual(() => countsOf('http_requests_total'), sent.toObject(), {
      what: 'http_requests_total',
    });
  });

  it('sees as many observations as requests, in _count and in the last bucket', async () => {
    await sendAll(demoPort, sent);
    const expected = sent.toObject();
    for (const query of [
      'http_request_duration_seconds_count',
      'http_request_duration_seconds_bucket{le="+Inf"}',
      'http_requests_total',
    ]) {
      await eventuallyEqual(() => countsOf(query), expected, { what: query });
    }
  });

  it('takes quantiles from the buckets', async () => {
    const quantile = await eventually(
      async () => {
        // A rate needs an increase between two scrapes.
        await Promise.all([sendAll(demoPort, sent), sendAll(demoPort, sent)]);
        const [sample] = await prometheus.query(
          'histogram_quantile(0.5, sum by (route, le) (rate(http_request_duration_seconds_bucket{route="/slow"}[1m])))',
        );
        return sample !== undefined && Number.isFinite(sample.value) ? sample : undefined;
      },
      { what: 'a quantile' },
    );
    expect(quantile.labels).to.deep.equal({ route: '/slow' });
    expect(quantile.value).to.be.greaterThan(SLOW_SECONDS_MIN);
  });

  it("agrees with the snapshot, and with the pipeline's own books", async () => {
    const { body } = await ask({ port: demoPort, path: '/diagnostics/metrics' });
    const { total_requests: totalRequests, requests_in_flight: inFlight } = JSON.parse(body);
    expect(totalRequests).to.equal(sent.sum);
    expect(inFlight).to.equal(0);
    await eventuallyEqual(() => numberOf('sum(http_requests_total)'), totalRequests, {
      what: 'the sum of all requests',
    });
    expect(await numberOf('http_requests_in_flight')).to.equal(0);
    expect(await numberOf('offloop_records_dropped_total')).to.equal(0);
    const books = 'offloop_records_aggregated_total + offloop_backlog_records';
    expect(await numberOf(`${books} - offloop_records_recorded_total`)).to.equal(0);
    expect(await numberOf('max_over_time(offloop_scrapes_total[5m])')).to.be.greaterThan(0);
  });

  it('found no scrape that failed', async () => {
    expect(await numberOf('min_over_time(up[10m])')).to.equal(1);
  });

  async function countsOf(query: string): Promise<Record<string, number>> {
    const counts = new Counts();
    for (const { labels, value } of await prometheus.query(query)) counts.add(keyOf(labels), value);
    return counts.toObject();
  }

  async function numberOf(query: string): Promise<number | undefined> {
    const [sample, ...others] = await prometheus.query(query);
    expect(others, query).to.deep.equal([]);
    return sample?.value;
  }
});

describe('a real Prometheus and hostile labels', function () {
  this.timeout(60_000);
  const startProcess = useProcesses();
  const temporaryFolder = useTemporaryFolders();
  const serve = useServers();
  const makeMetrics = useMetrics();

  it('gives every label value back as it was recorded', async function () {
    const program = needTool(this, 'prometheus');
    const metrics = makeMetrics();
    recordHostileLabels(metrics, HOSTILE_VALUES);
    const app = express();
    app.use(metrics.middleware());
    const prometheus = await PrometheusServer.start({
      program,
      startProcess,
      folder: temporaryFolder(),
      scrapedPort: await serve(app),
      metricsPath: '/internal/metrics',
    });
    const samples = await eventually(
      async () => {
        const found = await prometheus.query('hostile_total');
        return found.length === 0 ? undefined : found;
      },
      { what: 'a scrape' },
    );
    const target = await prometheus.target();
    expect(target).to.include({ health: 'up', lastError: '' });
    // For Prometheus an empty label is one that is not there.
    const expected = HOSTILE_VALUES.flatMap((value, index) => [
      { labels: value === '' ? {} : { one: value }, value: index + 1 },
      { labels: value === '' ? { one: 'x' } : { one: 'x', other: value }, value: index + 1 },
    ]);
    expect(byText(samples)).to.deep.equal(byText(expected));
    await prometheus.stop();
  });
});

/** Sends each request once, at the same time, and notes the answers by what the labels must be. */
async function sendAll(port: number, sent: Counts): Promise<void> {
  await Promise.all(
    REQUESTS.map(async ([request, route]) => {
      const [method = '', path = ''] = request.split(' ');
      const { status } = await ask({ port, method, path });
      if (route !== '') sent.add(keyOf({ method, route, status_code: String(status) }));
    }),
  );
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  return `${labels['method']} ${labels['route']} ${labels['status_code']}`;
}

function byText(samples: readonly QueriedSample[]): string[] {
  return samples
    .map(({ labels, value }) => JSON.stringify([Object.entries(labels).sort(), value]))
    .sort();
}
