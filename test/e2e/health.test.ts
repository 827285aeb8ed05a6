import type { HealthChange, Logger } from '@offloop/core';
import { expect } from 'chai';
import { expressReleases } from '../express-adapter/middleware/express-releases.js';
import { eventually } from './eventually.js';
import { ask } from './http-client.js';
import { useMetrics, useServers } from './served-app.js';

interface Health {
  readonly status: string;
  readonly reasons: readonly { readonly code: string; readonly check: string | null }[];
  readonly checks: readonly { readonly name: string; readonly state: string }[];
}

for (const { name, express } of expressReleases) {
  describe(`health on ${name} and on the off-loop port`, function () {
    this.timeout(60_000);
    const serve = useServers();
    const makeMetrics = useMetrics();

    async function start(options: Parameters<typeof makeMetrics>[0] = {}) {
      const metrics = makeMetrics({ port: 0, ...options });
      const app = express();
      app.use(metrics.router());
      app.use(metrics.middleware());
      app.get('/broken', (_request, response) => void response.status(500).send('broken'));
      const port = await serve(app);
      const offLoop = (await metrics.portAddress())?.port as number;
      const both = async (path: string) => {
        const answers = await Promise.all([port, offLoop].map((each) => ask({ port: each, path })));
        return answers.map(({ status, body }) => ({ status, json: JSON.parse(body) as Health }));
      };
      return { metrics, port, both };
    }

    it('is 503 while most requests fail, with the reason, and the change is told', async () => {
      const changes: HealthChange[] = [];
      const logged: string[] = [];
      const logger: Logger = {
        warn: (details, message) =>
          void logged.push(`warn ${(details as { code: string }).code} ${message}`),
        error: () => {},
      };
      const { port, both } = await start({
        logger,
        onHealthChange: (change) => {
          changes.push(change);
          // What is thrown may be no error, and nothing that can be shown.
          return Promise.reject(Object.create(null));
        },
      });
      const found = await eventually(
        async () => {
          for (let count = 0; count < 20; count++) await ask({ port, path: '/broken' });
          const answers = await both('/health');
          return answers.every(({ status }) => status === 503) ? answers : undefined;
        },
        { what: 'an unhealthy service', timeoutMs: 40_000 },
      );
      for (const { json } of found) {
        expect(json.status).to.equal('unhealthy');
        expect(json.reasons.map(({ code }) => code)).to.deep.equal(['error_rate']);
      }
      expect((await both('/health/extended')).map(({ status }) => status)).to.deep.equal([
        503, 503,
      ]);
      await eventually(async () => changes[0], { what: 'a change' });
      expect(changes[0]).to.include({ subject: 'health', from: 'ok', to: 'unhealthy' });
      expect(logged).to.include(
        'warn OFFLOOP_HEALTH offloop: health is unhealthy, and was ok: error_rate',
      );
      expect(logged).to.include(
        'warn OFFLOOP_ERR_HEALTH_CHANGE offloop: telling of a change of health failed: a value that cannot be shown',
      );
    });

    it('goes by the checks of the application, also on the port', async () => {
      const { metrics, both } = await start({ health: { checkIntervalMs: 100 } });
      let isUp = false;
      const remove = metrics.addHealthCheck('database', async () => isUp);
      const settled = (status: number, state: string | undefined) =>
        eventually(
          async () => {
            const answers = await both('/health');
            const isThere = answers.every(
              (answer) => answer.status === status && answer.json.checks[0]?.state === state,
            );
            return isThere ? answers : undefined;
          },
          { what: `${status} of both` },
        );
      const failing = await settled(503, 'failing');
      for (const { json } of failing) {
        expect(json.reasons[0]).to.include({ code: 'check', check: 'database' });
      }
      isUp = true;
      await settled(200, 'ok');
      remove();
      await settled(200, undefined);
    });
  });
}
