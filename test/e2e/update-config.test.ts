import { setTimeout as sleep } from 'node:timers/promises';
import type { Metrics } from '@offloop/express';
import { expect } from 'chai';
import { refusalOf } from '../core/refusal.js';
import { expressReleases } from '../express-adapter/middleware/express-releases.js';
import { eventually } from './eventually.js';
import { ask } from './http-client.js';
import { useMetrics, useServers } from './served-app.js';

const INTERVAL_MS = 10;

for (const { name, express } of expressReleases) {
  describe(`updateConfig() of an app on ${name}`, function () {
    this.timeout(20_000);
    const serve = useServers();
    const makeMetrics = useMetrics();

    async function serveApp(metrics: Metrics): Promise<number> {
      const app = express();
      app.use('/ops', metrics.router());
      app.use(metrics.middleware());
      app.use((_request, response) => void response.status(404).send('app'));
      return serve(app);
    }

    async function statuses(port: number, paths: readonly string[]): Promise<number[]> {
      return Promise.all(paths.map(async (path) => (await ask({ port, path })).status));
    }

    it('takes the endpoints of scrapes away, and gives them back', async () => {
      const metrics = makeMetrics();
      const port = await serveApp(metrics);
      const paths = ['/metrics', '/internal/metrics', '/ops/metrics', '/ops/internal/metrics'];
      expect(await statuses(port, paths)).to.deep.equal([200, 200, 200, 200]);
      metrics.updateConfig({ prometheus: { enabled: false } });
      expect(await statuses(port, paths)).to.deep.equal([404, 404, 404, 404]);
      expect((await ask({ port, path: '/metrics' })).body).to.equal('app');
      expect(await statuses(port, ['/ops/health', '/ops/diagnostics/metrics'])).to.deep.equal([
        200, 200,
      ]);
      metrics.updateConfig({ prometheus: { enabled: true } });
      expect(await statuses(port, paths)).to.deep.equal([200, 200, 200, 200]);
    });

    it('moves the scrape paths of a middleware that is mounted already', async () => {
      const metrics = makeMetrics();
      const port = await serveApp(metrics);
      metrics.updateConfig({ scrapePaths: ['/telemetry'] });
      expect(await statuses(port, ['/metrics', '/telemetry'])).to.deep.equal([404, 200]);
      metrics.updateConfig({ scrapePaths: [] });
      expect(await statuses(port, ['/metrics', '/telemetry'])).to.deep.equal([404, 404]);
    });

    it('stops the sampling of the lag, and starts it again', async () => {
      const metrics = makeMetrics({ eventLoop: { intervalMs: INTERVAL_MS } });
      const port = await serveApp(metrics);
      const loop = async (): Promise<{ monitoring_active: boolean }> =>
        JSON.parse((await ask({ port, path: '/ops/diagnostics/metrics' })).body).event_loop;
      expect((await loop()).monitoring_active).to.equal(true);
      await moreRecords(metrics);

      metrics.updateConfig({ eventLoop: { enabled: false } });
      expect((await loop()).monitoring_active).to.equal(false);
      const records = recordCount(metrics);
      await sleep(5 * INTERVAL_MS);
      expect(recordCount(metrics)).to.equal(records);

      metrics.updateConfig({ eventLoop: { enabled: true } });
      expect((await loop()).monitoring_active).to.equal(true);
      await moreRecords(metrics);
    });

    it('makes the window of what was measured already shorter and longer', async () => {
      const metrics = makeMetrics({ window: { seconds: 60 } });
      const port = await serveApp(metrics);
      const windowOf = async (): Promise<{ seconds: number; requests: number }> => {
        await metrics.flush();
        return JSON.parse((await ask({ port, path: '/ops/diagnostics/metrics' })).body).window;
      };
      await statuses(port, ['/a', '/b', '/c']);
      await eventually(async () => ((await windowOf()).requests >= 3 ? true : undefined), {
        what: 'the requests',
      });
      expect((await windowOf()).seconds).to.equal(60);

      // Slices of 500 ms: what was before leaves within three seconds.
      metrics.updateConfig({ window: { seconds: 3 } });
      expect((await windowOf()).seconds).to.equal(3);
      await eventually(
        async () => (metrics.getSnapshot().window.requests === 0 ? true : undefined),
        { what: 'a window that has let go' },
      );
      expect(metrics.getSnapshot().totalRequests).to.be.at.least(3);

      metrics.updateConfig({ window: { seconds: 600 } });
      expect((await windowOf()).seconds).to.equal(600);
    });

    it('changes nothing where a part of it is refused', async () => {
      const metrics = makeMetrics();
      const port = await serveApp(metrics);
      const before = metrics.options;
      for (const [code, options] of [
        ['OFFLOOP_ERR_OPTION_RANGE', { eventLoop: { intervalMs: 1 } }],
        ['OFFLOOP_ERR_OPTION_TYPE', { window: 5 }],
        ['OFFLOOP_ERR_OPTION_UNKNOWN', { windows: { seconds: 60 } }],
        ['OFFLOOP_ERR_ALREADY_STARTED', { ring: { capacityRecords: 256 } }],
      ] as const) {
        refusalOf(code, () =>
          metrics.updateConfig({
            prometheus: { enabled: false },
            scrapePaths: ['/telemetry'],
            ...(options as object),
          }),
        );
        expect(metrics.options).to.equal(before);
        expect(await statuses(port, ['/metrics', '/telemetry'])).to.deep.equal([200, 404]);
        expect(metrics.getSnapshot().eventLoop.monitoringActive).to.equal(true);
      }
    });
  });
}

function recordCount(metrics: Metrics): number {
  return metrics.getSnapshot().pipeline.recordedRecords;
}

async function moreRecords(metrics: Metrics): Promise<void> {
  const before = recordCount(metrics);
  await eventually(async () => (recordCount(metrics) > before ? true : undefined), {
    what: 'a sample of the lag',
  });
}
