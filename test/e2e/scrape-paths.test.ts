import type { Metrics } from '@offloop/express';
import { expect } from 'chai';
import type { Application } from 'express';
import { expressReleases } from '../express-adapter/middleware/express-releases.js';
import { parseExposition } from '../support/exposition-parser.js';
import { type Answer, ask } from './http-client.js';
import { useMetrics, useServers } from './served-app.js';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

for (const { name, express } of expressReleases) {
  describe(`the scrape paths of metricsMiddleware on ${name}`, function () {
    this.timeout(20_000);
    const serve = useServers();
    const makeMetrics = useMetrics();

    /** An app whose own catch-all tells which requests have come past the middleware. */
    function appBehind(mount: (app: Application) => void): Application {
      const app = express();
      mount(app);
      app.use((request, response) => {
        response.status(404).send(`app: ${request.method} ${request.originalUrl}`);
      });
      return app;
    }

    for (const path of ['/metrics', '/internal/metrics', '/metrics?x=1&y']) {
      it(`answers GET ${path} with a page`, async () => {
        const metrics = makeMetrics();
        const port = await serve(appBehind((app) => app.use(metrics.middleware())));
        await ask({ port, path: '/before' });
        const { status, headers, body } = await ask({ port, path });
        expect(status).to.equal(200);
        expect(headers['content-type']).to.equal(CONTENT_TYPE);
        expect(headers['cache-control']).to.equal('no-store');
        expect(Number(headers['content-length'])).to.equal(Buffer.byteLength(body));
        const families = parseExposition(body).map((family) => family.name);
        expect(families).to.include.members([
          'http_requests_total',
          'http_request_duration_seconds',
          'http_requests_in_flight',
          'offloop_records_offered_total',
        ]);
        expect(body).to.include(
          'http_requests_total{method="GET",route="__unmatched__",status_code="404"} 1\n',
        );
      });
    }

    it('answers HEAD with the headers of a page and no body', async () => {
      const metrics = makeMetrics();
      const port = await serve(appBehind((app) => app.use(metrics.middleware())));
      const { status, headers, body } = await ask({ port, method: 'HEAD', path: '/metrics' });
      expect({ status, body }).to.deep.equal({ status: 200, body: '' });
      expect(headers['content-type']).to.equal(CONTENT_TYPE);
      expect(Number(headers['content-length'])).to.be.greaterThan(1_000);
    });

    it('shadows no other path and no other method', async () => {
      const metrics = makeMetrics();
      const port = await serve(appBehind((app) => app.use(metrics.middleware())));
      for (const request of [
        'POST /metrics',
        'DELETE /internal/metrics',
        'OPTIONS /metrics',
        'GET /',
        'GET /metrics/',
        'GET /metrics/extra',
        'GET /metricsx',
        'GET /METRICS',
        'GET //metrics',
        'GET /x?/metrics',
        'GET /%6Detrics',
        'GET /internal',
        'GET /health',
        'GET /diagnostics/metrics',
      ]) {
        expect(await passedOn(port, request), request).to.equal(true);
      }
    });

    it('answers at the configured paths and leaves the default ones to the app', async () => {
      const metrics = makeMetrics({ scrapePaths: ['/telemetry', '/a/b'] });
      const port = await serve(appBehind((app) => app.use(metrics.middleware())));
      expect(isPage(await ask({ port, path: '/telemetry' }))).to.equal(true);
      expect(isPage(await ask({ port, path: '/a/b?x' }))).to.equal(true);
      expect(await passedOn(port, 'GET /metrics')).to.equal(true);
      expect(await passedOn(port, 'GET /internal/metrics')).to.equal(true);
    });

    it('answers nowhere when the paths are empty, and measures all the same', async () => {
      const metrics = makeMetrics({ scrapePaths: [] });
      const port = await serve(appBehind((app) => app.use(metrics.middleware())));
      expect(await passedOn(port, 'GET /metrics')).to.equal(true);
      expect(await passedOn(port, 'GET /internal/metrics')).to.equal(true);
      await metrics.flush();
      expect(metrics.getSnapshot().totalRequests).to.equal(2);
    });

    it('answers nowhere with prometheus.enabled false, and the app has the requests', async () => {
      const metrics = makeMetrics({ prometheus: { enabled: false } });
      const port = await serve(
        appBehind((app) => {
          app.use(metrics.middleware());
          app.use(metrics.router());
        }),
      );
      expect(await passedOn(port, 'GET /metrics')).to.equal(true);
      expect(await passedOn(port, 'GET /internal/metrics')).to.equal(true);
      expect((await ask({ port, path: '/health' })).status).to.equal(200);
    });

    it('shadows nothing when it is mounted below a path', async () => {
      const metrics = makeMetrics();
      const port = await serve(
        appBehind((app) => {
          app.use('/api', metrics.middleware());
          app.get('/api/things/:id', (_request, response) => void response.send('thing'));
        }),
      );
      for (const request of ['GET /api/metrics', 'GET /api/internal/metrics', 'GET /metrics']) {
        expect(await passedOn(port, request), request).to.equal(true);
      }
      await ask({ port, path: '/api/things/1' });
      await metrics.flush();
      const routes = metrics.getSnapshot().routes.map(({ route, requests }) => [route, requests]);
      // GET /metrics did not come past the middleware.
      expect(routes).to.deep.equal([
        ['__unmatched__', 2],
        ['/api/things/:id', 1],
      ]);
    });

    it('does not count scrapes among the requests', async () => {
      const metrics = makeMetrics();
      const port = await serve(appBehind((app) => app.use(metrics.middleware())));
      for (let scrape = 0; scrape < 5; scrape++) await ask({ port, path: '/metrics' });
      await ask({ port, path: '/internal/metrics', method: 'HEAD' });
      expect(await requestCount(metrics)).to.equal(0);
      expect(metrics.getSnapshot().pipeline.scrapes).to.equal(6);
      expect(metrics.getSnapshot().requestsInFlight).to.equal(0);
    });

    it('shows pages after close() and measures no more', async () => {
      const metrics = makeMetrics();
      const port = await serve(appBehind((app) => app.use(metrics.middleware())));
      await ask({ port, path: '/counted' });
      await metrics.close();
      await ask({ port, path: '/not-counted' });
      const { status, body } = await ask({ port, path: '/metrics' });
      expect(status).to.equal(200);
      expect(body).to.include(
        'http_requests_total{method="GET",route="__unmatched__",status_code="404"} 1\n',
      );
    });
  });
}

/** Whether the app, and nobody before it, answered. */
async function passedOn(port: number, request: string): Promise<boolean> {
  const [method = '', path = ''] = request.split(' ');
  const { status, body } = await ask({ port, method, path });
  return status === 404 && (method === 'HEAD' || body === `app: ${method} ${path}`);
}

function isPage({ status, headers }: Answer): boolean {
  return status === 200 && headers['content-type'] === CONTENT_TYPE;
}

async function requestCount(metrics: Metrics): Promise<number> {
  await metrics.flush();
  return metrics.getSnapshot().totalRequests;
}
