import { expect } from 'chai';
import type { Application } from 'express';
import { expressReleases } from '../express-adapter/middleware/express-releases.js';
import { parseExposition } from '../support/exposition-parser.js';
import { eventuallyEqual } from './eventually.js';
import { ask } from './http-client.js';
import { useMetrics, useServers } from './served-app.js';

const ENDPOINTS = [
  '/metrics',
  '/internal/metrics',
  '/diagnostics/metrics',
  '/diagnostics/performance',
  '/health',
  '/health/extended',
] as const;

for (const { name, express } of expressReleases) {
  describe(`metricsRouter on ${name}`, function () {
    this.timeout(20_000);
    const serve = useServers();
    const makeMetrics = useMetrics();

    async function serveApp(mount: (app: Application) => void): Promise<number> {
      const app = express();
      mount(app);
      app.use((_request, response) => void response.status(404).send('app'));
      return serve(app);
    }

    async function statusesBelow(port: number, mount: string): Promise<Record<string, number>> {
      const statuses = await Promise.all(
        ENDPOINTS.map(async (path) => (await ask({ port, path: mount + path })).status),
      );
      return Object.fromEntries(ENDPOINTS.map((path, index) => [path, statuses[index] ?? 0]));
    }

    it('serves all endpoints where nothing is chosen', async () => {
      const metrics = makeMetrics();
      const port = await serveApp((app) => app.use(metrics.router()));
      expect(await statusesBelow(port, '')).to.deep.equal({
        '/metrics': 200,
        '/internal/metrics': 200,
        '/diagnostics/metrics': 200,
        '/diagnostics/performance': 200,
        '/health': 200,
        '/health/extended': 200,
      });
    });

    it('serves them below the path it is mounted at, and shadows nothing there', async () => {
      const metrics = makeMetrics();
      const port = await serveApp((app) => {
        app.use('/ops', metrics.router());
        app.get('/ops/report', (_request, response) => void response.send('report'));
      });
      expect(Object.values(await statusesBelow(port, '/ops'))).to.deep.equal([
        200, 200, 200, 200, 200, 200,
      ]);
      expect(Object.values(await statusesBelow(port, ''))).to.deep.equal([
        404, 404, 404, 404, 404, 404,
      ]);
      expect((await ask({ port, path: '/ops/report' })).body).to.equal('report');
      expect((await ask({ port, path: '/ops/health/extra' })).body).to.equal('app');
    });

    it('serves the chosen ones at the chosen paths', async () => {
      const metrics = makeMetrics();
      const port = await serveApp((app) =>
        app.use(
          metrics.router({
            metrics: false,
            internalMetrics: '/page',
            diagnostics: false,
            performance: '/speed',
            health: '/alive',
            healthExtended: false,
          }),
        ),
      );
      expect(Object.values(await statusesBelow(port, ''))).to.deep.equal([
        404, 404, 404, 404, 404, 404,
      ]);
      const { status, body } = await ask({ port, path: '/page?x=1' });
      expect(status).to.equal(200);
      expect(parseExposition(body)).to.not.deep.equal([]);
      expect((await ask({ port, path: '/alive' })).status).to.equal(200);
      expect(JSON.parse((await ask({ port, path: '/speed' })).body)).to.include.keys('event_loop');
    });

    it('leaves every method but GET and HEAD to the app', async () => {
      const metrics = makeMetrics();
      const port = await serveApp((app) => app.use(metrics.router()));
      for (const path of ENDPOINTS) {
        expect((await ask({ port, method: 'POST', path })).body).to.equal('app');
        const head = await ask({ port, method: 'HEAD', path });
        expect(head).to.deep.include({ status: 200, body: '' });
        expect(Number(head.headers['content-length'])).to.be.greaterThan(0);
      }
    });

    it('answers /health with 200, and with 503 after close()', async () => {
      const metrics = makeMetrics();
      const port = await serveApp((app) => app.use(metrics.router()));
      const alive = await ask({ port, path: '/health' });
      expect(alive.status).to.equal(200);
      expect(alive.headers['content-type']).to.equal('application/json; charset=utf-8');
      const { uptime_seconds: uptimeSeconds, ...report } = JSON.parse(alive.body);
      expect(report).to.deep.equal({
        status: 'ok',
        reasons: [],
        engine: 'pool',
        engine_state: 'running',
        backlog_records: 0,
        dropped_records: 0,
        checks: [],
      });
      expect(uptimeSeconds).to.be.a('number').and.to.be.greaterThan(0);
      await metrics.close();
      const closed = await ask({ port, path: '/health' });
      expect(closed.status).to.equal(503);
      expect(JSON.parse(closed.body)).to.include({ status: 'closed', engine_state: 'closed' });
    });

    it('shows in the diagnostics what was recorded before they were asked for', async () => {
      const metrics = makeMetrics();
      const port = await serveApp((app) => {
        app.use(metrics.router());
        app.use(metrics.middleware());
      });
      for (let count = 1; count <= 5; count++) {
        await ask({ port, path: '/somewhere' });
        await eventuallyEqual(
          async () => {
            const { body } = await ask({ port, path: '/diagnostics/metrics' });
            return JSON.parse(body).total_requests;
          },
          count,
          { what: 'the request' },
        );
      }
    });

    it('is not measured by a middleware that stands behind it', async () => {
      const metrics = makeMetrics();
      const port = await serveApp((app) => {
        app.use(metrics.router());
        app.use(metrics.middleware());
      });
      await statusesBelow(port, '');
      await metrics.flush();
      expect(metrics.getSnapshot().totalRequests).to.equal(0);
    });
  });
}
