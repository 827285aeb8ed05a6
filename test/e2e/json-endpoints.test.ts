import { createMetrics, type Metrics, type OffloopOptions } from '@offloop/express';
import { expect } from 'chai';
import { expressReleases } from '../express-adapter/middleware/express-releases.js';
import { type JsonSchema, publishedSchema, strictCheck } from '../support/published-schema.js';
import { eventually } from './eventually.js';
import { ask } from './http-client.js';
import { useMetrics, useServers } from './served-app.js';

const snapshotSchema = publishedSchema('snapshot');
const healthSchema = publishedSchema('health');

/** Path of an endpoint → what is wrong with its answer. */
const CHECKS = {
  '/diagnostics/metrics': strictCheck(snapshotSchema),
  '/diagnostics/performance': strictCheck(snapshotSchema, 'performance'),
  '/health': strictCheck(healthSchema),
  '/health/extended': strictCheck(healthSchema, 'extended'),
} as const;

type Path = keyof typeof CHECKS;
type Answers = Readonly<Record<Path, Record<string, unknown>>>;

for (const { name, express } of expressReleases) {
  describe(`JSON endpoints on ${name}`, function () {
    this.timeout(20_000);
    const serve = useServers();
    const makeMetrics = useMetrics();

    async function serveApp(metrics: Metrics): Promise<number> {
      const app = express();
      app.use(metrics.router());
      app.use(metrics.middleware());
      app.get('/items/:id', (_request, response) => void response.send('item'));
      app.get('/broken', (_request, response) => void response.status(500).send('broken'));
      return serve(app);
    }

    it('answer as their schemas say before the first request', async () => {
      await expectAnswers(await serveApp(makeMetrics()), 200);
    });

    it('answer as their schemas say after requests, on either engine and with every estimator', async () => {
      const kinds: readonly OffloopOptions[] = [
        { engine: 'inline' },
        { engine: 'pool' },
        { engine: 'inline', estimator: 'reservoir', quantiles: [0.1, 0.999] },
      ];
      for (const options of kinds) {
        const metrics = makeMetrics({
          ...options,
          eventLoop: { intervalMs: 10 },
          http: { bucketsMs: [0.5, 25, 1e9] },
        });
        const port = await serveApp(metrics);
        for (const path of ['/items/1', '/items/2', '/broken', '/nowhere']) {
          await ask({ port, path });
        }
        const answers = await eventually(
          async () => {
            const found = await expectAnswers(port, 200);
            const { total_requests: total, event_loop: loop } = found['/diagnostics/metrics'];
            const { avg_lag_ms: lagMs } = loop as { avg_lag_ms: number | null };
            return total === 4 && lagMs !== null ? found : undefined;
          },
          { what: 'four requests and a sample of the lag' },
        );
        const performance = answers['/diagnostics/performance'];
        expect(performance).to.include({ total_requests: 4 });
        expect(performance['p99_latency_ms']).to.be.greaterThan(0);
        expect(answers['/diagnostics/metrics']['error_rate']).to.equal(0.25);
      }
    });

    it('answer as their schemas say with the lag off, and after close()', async () => {
      const metrics = makeMetrics({ eventLoop: { enabled: false } });
      const port = await serveApp(metrics);
      await ask({ port, path: '/items/1' });
      await expectAnswers(port, 200);
      await metrics.close();
      await expectAnswers(port, 503);
    });
  });
}

async function expectAnswers(port: number, healthStatus: number): Promise<Answers> {
  const answers: Partial<Record<Path, Record<string, unknown>>> = {};
  for (const path of Object.keys(CHECKS) as Path[]) {
    const { status, headers, body } = await ask({ port, path });
    expect(status, path).to.equal(path.startsWith('/health') ? healthStatus : 200);
    expect(headers['content-type'], path).to.equal('application/json; charset=utf-8');
    const json = JSON.parse(body) as Record<string, unknown>;
    expect(CHECKS[path](json), path).to.equal('');
    if (path === '/health/extended') {
      expect(CHECKS['/diagnostics/metrics'](json['snapshot'])).to.equal('');
    }
    answers[path] = json;
  }
  return answers as Answers;
}

describe('the published schema of the snapshot', () => {
  it('lets no field pass that is missing, of another type or out of range', async () => {
    const metrics = createMetrics({ engine: 'inline' });
    try {
      const check = CHECKS['/health'];
      const health = { ...metrics.health() } as Record<string, unknown>;
      expect(check(health)).to.equal('');
      for (const [key, wrong] of Object.entries({
        status: 'fine',
        engine: 'threads',
        engine_state: null,
        uptime_seconds: -1,
        backlog_records: 0.5,
        dropped_records: '0',
      })) {
        expect(check({ ...health, [key]: wrong }), key).to.include(key);
        expect(check({ ...health, [key]: undefined }), key).to.not.equal('');
      }
      expect(check({ ...health, more: 1 })).to.include('additional properties');
    } finally {
      await metrics.close();
    }
  });

  it('says of each field what it means', () => {
    for (const schema of [snapshotSchema, healthSchema])
      expectDescriptions(schema, schema.$id ?? '');
  });

  function expectDescriptions(schema: JsonSchema, path: string): void {
    for (const [name, inner] of Object.entries({ ...schema.properties, ...schema.$defs })) {
      const at = `${path}/${name}`;
      // A reference says what the other one says; a definition of a mere number is told by who uses it.
      const isTold = inner.$ref?.startsWith('#/properties/') || inner.$ref === '#/$defs/pipeline';
      if (!isTold && schema.properties?.[name] === inner) {
        expect(inner.description, at).to.be.a('string').and.match(/\.$/);
      }
      expectDescriptions(inner, at);
    }
  }
});
