import { Agent, request } from 'node:http';
import type { Metrics, RouteSnapshot } from '@offloop/express';
import { expect } from 'chai';
import type { Application, ErrorRequestHandler } from 'express';
import { type Express, expressReleases } from '../express-adapter/middleware/express-releases.js';
import { eventually, eventuallyEqual } from './eventually.js';
import { ask } from './http-client.js';
import { useMetrics, useServers } from './served-app.js';

const SLOW_MS = 60;
/** How much earlier than asked a timer may fire, as it counts whole milliseconds. */
const TIMER_MS = 2;

for (const { name, express } of expressReleases) {
  for (const engine of ['inline', 'pool'] as const) {
    describe(`requests measured on ${name} with the engine ${engine}`, function () {
      this.timeout(20_000);
      const serve = useServers();
      const makeMetrics = useMetrics();

      it('has a row for each method and route, with requests, errors and latencies', async () => {
        const metrics = makeMetrics({ engine });
        const port = await serve(makeApp(express, metrics));
        await send(port, {
          'GET /items/1': 3,
          'GET /items/2?x=/items/3': 2,
          'POST /items/1': 1,
          'GET /api/owners/7/pets/9': 4,
          'GET /fails': 2,
          'GET /slow': 2,
          'GET /nowhere/1': 1,
          'GET /nowhere/2': 1,
          'GET /items/%E0%A4%A': 1,
        });
        await eventuallyEqual(
          async () => rowsOf(await settled(metrics)),
          {
            'GET /items/:id': { requests: 5, errors: 0, errorRate: 0 },
            'POST /items/:id': { requests: 1, errors: 0, errorRate: 0 },
            'GET /api/owners/:ownerId/pets/:petId': { requests: 4, errors: 0, errorRate: 0 },
            'GET /fails': { requests: 2, errors: 2, errorRate: 1 },
            'GET /slow': { requests: 2, errors: 0, errorRate: 0 },
            'GET __unmatched__': { requests: 3, errors: 0, errorRate: 0 },
          },
          { what: 'the rows' },
        );
        const snapshot = metrics.getSnapshot();
        expect(snapshot.totalRequests).to.equal(17);
        expect(snapshot.errorRate).to.be.closeTo(2 / 17, 1e-12);
        const slow = snapshot.routes.find(({ route }) => route === '/slow');
        expect(slow?.avgLatencyMs).to.be.at.least(SLOW_MS - TIMER_MS);
        // A percentile is at most one bucket of the sketch off, 2.2 %.
        expect(slow?.p50LatencyMs).to.be.at.least((SLOW_MS - TIMER_MS) * 0.97);
        for (const row of snapshot.routes) expectAscending(row);
        expectAscending(snapshot);
        expect(snapshot.latencyHistogram['+Inf']).to.equal(17);
        expect(snapshot.latencyHistogram['50']).to.be.at.most(15);
      });

      it('goes on from zero after resetMetrics(), in its routes’ series too, and leaves the requests in flight', async () => {
        const metrics = makeMetrics({ engine });
        const port = await serve(makeApp(express, metrics));
        const rows = async () => rowsOf(await settled(metrics));
        await send(port, { 'GET /items/1': 3, 'GET /fails': 1 });
        await eventuallyEqual(async () => (await settled(metrics)).totalRequests, 4, {
          what: 'the first requests',
        });
        metrics.register.resetMetrics();
        await send(port, { 'GET /items/1': 2 });
        await eventuallyEqual(
          rows,
          { 'GET /items/:id': { requests: 2, errors: 0, errorRate: 0 } },
          { what: 'the rows' },
        );
        expect((await settled(metrics)).requestsInFlight).to.equal(0);
      });

      it('counts each request once, be the middleware used twice', async () => {
        const metrics = makeMetrics({ engine });
        const app = express();
        app.use(metrics.middleware());
        app.use('/twice', metrics.middleware());
        app.get('/twice/:id', (_request, response) => void response.send('ok'));
        const port = await serve(app);
        await send(port, { 'GET /twice/1': 10 });
        await eventuallyEqual(
          async () => rowsOf(await settled(metrics)),
          { 'GET /twice/:id': { requests: 10, errors: 0, errorRate: 0 } },
          { what: 'the row' },
        );
      });

      it('has the requests in flight, and is back to 0 after them, aborted ones as 499', async () => {
        const metrics = makeMetrics({ engine });
        const app = express();
        app.use(metrics.middleware());
        app.get('/never', () => {});
        const port = await serve(app);
        const waiting = [1, 2, 3].map(() => {
          const sent = request({ host: '127.0.0.1', port, path: '/never', agent: false });
          sent.on('error', () => {}).end();
          return sent;
        });
        await eventuallyEqual(async () => metrics.getSnapshot().requestsInFlight, 3, {
          what: 'requests in flight',
        });
        expect((await settled(metrics)).totalRequests).to.equal(0);
        for (const sent of waiting) sent.destroy();
        await eventuallyEqual(async () => metrics.getSnapshot().requestsInFlight, 0, {
          what: 'no request in flight',
        });
        expect(rowsOf(await settled(metrics))).to.deep.equal({
          'GET /never': { requests: 3, errors: 0, errorRate: 0 },
        });
        const page = Buffer.from(await metrics.render()).toString('utf8');
        expect(page)
          .to.include('http_requests_total{method="GET",route="/never",status_code="499"} 3\n')
          .and.to.include('\nhttp_requests_in_flight 0\n');
      });

      it('counts every one of many requests over kept connections', async () => {
        const metrics = makeMetrics({ engine });
        const port = await serve(makeApp(express, metrics));
        const agent = new Agent({ keepAlive: true, maxSockets: 20 });
        await Promise.all(
          Array.from({ length: 2_000 }, (_, index) =>
            ask({ port, path: `/items/${index}`, agent }),
          ),
        );
        agent.destroy();
        const snapshot = await eventually(
          async () => {
            const current = await settled(metrics);
            return current.totalRequests >= 2_000 ? current : undefined;
          },
          { what: 'all requests' },
        );
        expect(rowsOf(snapshot)).to.deep.equal({
          'GET /items/:id': { requests: 2_000, errors: 0, errorRate: 0 },
        });
        expect(snapshot.requestsInFlight).to.equal(0);
        expect(snapshot.pipeline).to.include({ droppedRecords: 0, backlogRecords: 0 });
      });
    });
  }
}

function makeApp(express: Express, metrics: Metrics): Application {
  const app = express();
  app.use(metrics.middleware());
  app.get('/items/:id', (_request, response) => void response.send('item'));
  app.post('/items/:id', (_request, response) => void response.status(201).end());
  app.get('/fails', () => {
    throw new Error('on purpose');
  });
  app.get('/slow', (_request, response) => {
    setTimeout(() => response.send('late'), SLOW_MS);
  });
  const pets = express.Router({ mergeParams: true });
  pets.get('/:petId', (_request, response) => void response.send('pet'));
  const owners = express.Router();
  owners.use('/:ownerId/pets', pets);
  app.use('/api/owners', owners);
  const answerError: ErrorRequestHandler = (error, _request, response, _next) => {
    response.status(error.status ?? 500).end();
  };
  app.use(answerError);
  return app;
}

/** `METHOD path` → how often. */
async function send(port: number, requests: Readonly<Record<string, number>>): Promise<void> {
  for (const [line, count] of Object.entries(requests)) {
    const [method = '', path = ''] = line.split(' ');
    for (let sent = 0; sent < count; sent++) await ask({ port, method, path });
  }
}

async function settled(metrics: Metrics) {
  await metrics.flush();
  return metrics.getSnapshot();
}

function rowsOf({ routes }: { readonly routes: readonly RouteSnapshot[] }) {
  return Object.fromEntries(
    routes.map(({ method, route, requests, errors, errorRate }) => [
      `${method} ${route}`,
      { requests, errors, errorRate },
    ]),
  );
}

function expectAscending(
  row: Pick<RouteSnapshot, 'p50LatencyMs' | 'p90LatencyMs' | 'p95LatencyMs' | 'p99LatencyMs'>,
): void {
  const quantiles = [row.p50LatencyMs, row.p90LatencyMs, row.p95LatencyMs, row.p99LatencyMs];
  expect(quantiles).to.deep.equal([...quantiles].sort((one, other) => Number(one) - Number(other)));
  for (const quantile of quantiles) expect(quantile).to.be.greaterThan(0);
}
