import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  linearBuckets,
  Metrics,
  type MiddlewareOptions,
  Pipeline,
  Registry,
} from '@offloop/express';
import { expect } from 'chai';
import express from 'express5';
import { refusalOf } from '../../core/refusal.js';
import { fetchStatus } from '../middleware/http-clients.js';
import { play, ServedMetrics, samplesOf, settled } from '../served-metrics.js';

const DURATION = 'http_request_duration_seconds';
const EPB = { preset: 'express-prom-bundle', includePath: true } as const;

/** What people do with the packages behind the presets, beyond the examples of their documentation. */
describe('habits of those who come from other packages', () => {
  const served = new ServedMetrics();
  const own: Metrics[] = [];
  afterEach(async () => {
    await served.close();
    for (const metrics of own.splice(0)) await metrics.close();
  });

  function appOf(metrics: Metrics, options?: MiddlewareOptions): express.Application {
    const app = express();
    app.use(metrics.middleware(options) as express.RequestHandler);
    app.all('/x', (_request, response) => void response.send('x'));
    return app;
  }

  async function statusesOf(app: express.Application, paths: readonly string[]): Promise<number[]> {
    const port = await served.listen(app);
    const statuses: number[] = [];
    for (const path of paths) statuses.push(await fetchStatus({ port, path }));
    return statuses;
  }

  it('a path of one middleware leaves those of the others alone', async () => {
    const metrics = served.make();
    const paths = ['/metrics', '/prom', '/prom?name[]=up'];
    const publicApp = appOf(metrics);
    const adminApp = appOf(metrics, { metricsPath: '/prom' });
    expect(await statusesOf(publicApp, paths)).to.deep.equal([200, 404, 404]);
    expect(await statusesOf(adminApp, paths)).to.deep.equal([404, 200, 200]);
    expect(metrics.options.scrapePaths).to.deep.equal(['/metrics', '/internal/metrics']);
  });

  for (const [metricsPath, paths, statuses] of [
    ['/prom', ['/prom', '/prom/', '/prom/x', '/metrics'], [200, 200, 404, 404]],
    ['/(prom|stats)', ['/prom', '/stats/', '/prom?x', '/promx'], [200, 200, 200, 404]],
    [/^\/p/, ['/prom', '/metrics'], [200, 404]],
  ] as const) {
    it(`express-prom-bundle’s metricsPath ${metricsPath} is where it is there`, async () => {
      const metrics = served.make({ ...EPB, metricsPath });
      expect(await statusesOf(appOf(metrics), paths)).to.deep.equal(statuses);
    });
  }

  it('metricsApp answers where the expression matches, and nowhere while scraping is off', async () => {
    const metricsApp = express();
    const options: MiddlewareOptions = { ...EPB, metricsPath: /^\/prom$/, metricsApp };
    const metrics = served.make(options);
    const bundle = metrics.middleware(options) as unknown as {
      readonly metricsMiddleware: express.RequestHandler;
    };
    metricsApp.get('/mounted', bundle.metricsMiddleware);
    const port = await served.listen(metricsApp);
    const statuses = async () =>
      Promise.all(['/prom', '/metrics', '/mounted'].map((path) => fetchStatus({ port, path })));
    expect(await statuses()).to.deep.equal([200, 404, 200]);
    metrics.updateConfig({ prometheus: { enabled: false } });
    expect(await statuses()).to.deep.equal([404, 404, 404]);
  });

  it('functions get the status as a number', async () => {
    const renamed = served.make({
      ...EPB,
      transformLabels: (labels) => {
        if (labels['status_code'] === 404) labels['status_code'] = 'absent';
      },
    });
    await play(renamed, await served.listen(appOf(renamed)), ['/x', '/y']);
    expect(await samplesOf(renamed, `${DURATION}_count`)).to.deep.equal([
      '{path="/x",status_code="200"} 1',
      '{path="__unmatched__",status_code="absent"} 1',
    ]);
    const skipped = served.make({
      preset: 'promster',
      options: { skip: (_request, _response, labels) => labels['status_code'] === 404 },
    });
    await play(skipped, await served.listen(appOf(skipped)), ['/x', '/y']);
    expect(await samplesOf(skipped, 'http_requests_total')).to.have.length(1);
  });

  it('prometheus-api-metrics takes transformLabels beside its own function', async () => {
    const metrics = served.make({
      preset: 'prometheus-api-metrics',
      additionalLabels: ['tier', 'tenant'],
      extractAdditionalLabelValuesFn: () => ({ tier: 'gold' }),
      transformLabels: (labels) => ({ tenant: `${String(labels['tier'])} one` }),
    });
    await play(metrics, await served.listen(appOf(metrics)), ['/x']);
    expect(await samplesOf(metrics, `${DURATION}_count`)).to.deep.equal([
      '{method="GET",route="/x",code="200",tier="gold",tenant="gold one"} 1',
    ]);
  });

  it('prometheus-api-metrics counts a body of unknown length among the sizes', async () => {
    const metrics = served.make({ preset: 'prometheus-api-metrics' });
    const port = await served.listen(appOf(metrics));
    const upload = httpRequest({ port, path: '/x', method: 'POST' });
    upload.write('in chunks');
    upload.end();
    const [response] = (await once(upload, 'response')) as [NodeJS.ReadableStream];
    await once(response.resume(), 'end');
    await settled(metrics);
    const size = 'http_request_size_bytes';
    expect(await samplesOf(metrics, `${size}_count`)).to.deep.equal([
      '{method="POST",route="/x",code="200"} 1',
    ]);
    expect(await samplesOf(metrics, `${size}_sum`)).to.deep.equal([
      '{method="POST",route="/x",code="200"} 0',
    ]);
  });

  it('promster’s sizes have bounds of their own, and its up several names or none', async () => {
    const metricTypes = ['httpContentLengthHistogram'];
    const boundsOf = async (metrics: Metrics, name: string) =>
      (await samplesOf(metrics, `${name}_bucket`)).map((line) => /le="(.*?)"/.exec(line)?.[1]);
    const both = served.make({
      preset: 'promster',
      options: {
        metricTypes,
        metricBuckets: { httpResponseContentLengthInBytes: [7] },
        metricNames: { up: ['old_up', 'new_up'] },
      },
    });
    await play(both, await served.listen(appOf(both)), ['/x']);
    expect(await boundsOf(both, 'http_response_content_length_bytes')).to.have.members([
      '7',
      '+Inf',
    ]);
    expect(await boundsOf(both, 'http_request_content_length_bytes')).to.have.length(10);
    expect(await samplesOf(both, 'old_up')).to.deep.equal(['1']);
    expect(await samplesOf(both, 'new_up')).to.deep.equal(['1']);

    const requests = served.make({
      preset: 'promster',
      options: {
        metricTypes,
        metricBuckets: { httpRequestContentLengthInBytes: [7] },
        metricNames: { up: [] },
      },
    });
    await play(requests, await served.listen(appOf(requests)), ['/x']);
    expect(await boundsOf(requests, 'http_response_content_length_bytes')).to.have.length(10);
    expect(await samplesOf(requests, 'up')).to.deep.equal([]);
  });

  it('bounds are the very numbers that were given', async () => {
    const buckets = linearBuckets(0.1, 0.1, 12);
    const metrics = served.make({ ...EPB, buckets });
    await play(metrics, await served.listen(appOf(metrics)), ['/x']);
    const lines = await samplesOf(metrics, `${DURATION}_bucket`);
    const shown = lines.map((line) => /le="(.*?)"/.exec(line)?.[1]);
    expect(shown).to.have.members([...buckets.map(String), '+Inf']);
  });

  it('express-prom-bundle’s middleware has its metrics by name', async () => {
    const metrics = served.make(EPB);
    const { metrics: shown } = metrics.middleware(EPB) as unknown as {
      readonly metrics: { readonly up: Gauge };
    };
    expect(Object.keys(shown)).to.deep.equal([DURATION, 'up']);
    shown.up.set(0);
    expect(await samplesOf(metrics, 'up')).to.deep.equal(['0']);
  });

  for (const [what, options] of Object.entries({
    'no preset': { engine: 'inline' },
    'express-prom-bundle': { ...EPB, promClient: { collectDefaultMetrics: {} } },
    promster: { preset: 'promster' },
    'prometheus-api-metrics': { preset: 'prometheus-api-metrics' },
  } as Record<string, MiddlewareOptions>)) {
    it(`a middleware that is made after register.clear() shows its metrics, from zero: ${what}`, async () => {
      const metrics = served.make(options);
      const namesOf = () => metrics.register.getMetricsAsArray().map(({ name }) => name);
      const before = namesOf();
      await play(metrics, await served.listen(appOf(metrics)), ['/x', '/x']);
      metrics.register.clear();
      expect(await samplesOf(metrics, `${DURATION}_count`)).to.deep.equal([]);
      await play(metrics, await served.listen(appOf(metrics, options)), ['/x']);
      expect(namesOf().sort()).to.deep.equal(before.sort());
      const [line] = await samplesOf(metrics, `${DURATION}_count`);
      expect(line).to.match(/ 1$/);
      for (const up of before.filter((name) => name.endsWith('up')))
        expect(await samplesOf(metrics, up)).to.deep.equal(['1']);
    });
  }

  it('a metric that was taken out alone stays out', async () => {
    const metrics = served.make();
    metrics.register.removeSingleMetric('http_requests_total');
    await play(metrics, await served.listen(appOf(metrics)), ['/x']);
    expect(await samplesOf(metrics, 'http_requests_total')).to.deep.equal([]);
    expect(await samplesOf(metrics, `${DURATION}_count`)).to.have.length(1);
  });

  it('metrics that the application records first are no obstacle', async () => {
    const pipeline = new Pipeline();
    const register = new Registry(pipeline);
    const gauge = new Gauge({ name: 'build_info', help: 'h', registers: [register] });
    gauge.set(1);
    await register.metrics();
    const metrics = new Metrics({ pipeline, register }, { ...EPB, buckets: [0.5] });
    own.push(metrics);
    await play(metrics, await served.listen(appOf(metrics)), ['/x']);
    expect(await samplesOf(metrics, `${DURATION}_bucket`)).to.have.length(2);
    expect(await samplesOf(metrics, 'up')).to.deep.equal(['1']);
    expect(await samplesOf(metrics, 'build_info')).to.deep.equal(['1']);
  });

  it('a start that the preset’s own metrics refuse leaves nothing behind, and another may follow', async () => {
    const pipeline = new Pipeline();
    const register = new Registry(pipeline);
    const mine = new Counter({ name: 'mine_total', help: 'h', registers: [register] });
    mine.inc();
    const handle = collectDefaultMetrics({ register });
    const before = register.getMetricsAsArray();
    const timers = () =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const timersBefore = timers();
    for (const preset of ['promster', 'prometheus-api-metrics'] as const) {
      refusalOf(
        'OFFLOOP_ERR_DUPLICATE_METRIC',
        () => new Metrics({ pipeline, register }, { preset, engine: 'pool' }),
      );
      expect(register.getMetricsAsArray()).to.deep.equal(before);
    }
    expect(timers()).to.equal(timersBefore);
    mine.inc();
    const metrics = new Metrics({ pipeline, register }, { engine: 'inline' });
    own.push(metrics);
    await play(metrics, await served.listen(appOf(metrics)), ['/x']);
    expect(await samplesOf(metrics, 'mine_total')).to.deep.equal(['2']);
    expect(await samplesOf(metrics, `${DURATION}_count`)).to.have.length(1);
    expect(metrics.getSnapshot()).to.deep.include({ totalRequests: 1, requestsInFlight: 0 });
    expect(metrics.getSnapshot().routes).to.have.length(1);
    handle.stop();
  });

  it('a refused start leaves the engine to the next one', async () => {
    const pipeline = new Pipeline();
    const register = new Registry(pipeline);
    new Counter({ name: 'mine_total', help: 'h', registers: [register] }).inc();
    refusalOf(
      'OFFLOOP_ERR_METRIC_CONFIG',
      () =>
        new Metrics(
          { pipeline, register },
          { ...EPB, engine: 'pool', port: 0, metricType: 'summary', percentiles: [50, 95] },
        ),
    );
    const metrics = new Metrics({ pipeline, register }, { engine: 'inline', port: 0 });
    own.push(metrics);
    expect(metrics.health().status).to.equal('ok');
    expect(await metrics.portAddress()).to.have.property('port');
  });

  it('names that others took after register.clear() are left to them', async () => {
    const metrics = served.make({ preset: 'promster' });
    metrics.register.clear();
    const taken = new Counter({
      name: 'http_requests_total',
      help: 'Of the application.',
      registers: [metrics.register],
    });
    collectDefaultMetrics({ register: metrics.register }).stop();
    taken.inc(7);
    await play(metrics, await served.listen(appOf(metrics)), ['/x']);
    expect(await samplesOf(metrics, 'http_requests_total')).to.deep.equal(['7']);
    expect(await samplesOf(metrics, `${DURATION}_count`)).to.have.length(1);
  });

  it('what is undefined at any level leaves the preset’s own defaults', () => {
    const given = {
      ...EPB,
      http: { bucketsMs: undefined },
      labelNames: { method: undefined },
      prometheus: { includeUp: undefined },
    };
    const { http, labelNames, prometheus } = served.make(given).options;
    expect(http.bucketsMs).to.deep.equal([3, 30, 100, 300, 1500, 10000]);
    expect(labelNames.method).to.equal(false);
    expect(prometheus.includeUp).to.equal(true);
  });

  it('promster’s null stands for what is not given as well', async () => {
    const options = {
      labels: null,
      metricTypes: null,
      metricNames: null,
      metricBuckets: null,
      metricPercentiles: null,
      metricPrefix: null,
    };
    for (const each of [options, null]) {
      const given = { preset: 'promster', options: each, bypass: null } as never;
      const metrics = served.make(given);
      expect(metrics.register.getSingleMetric('http_request_duration_seconds')).to.not.equal(
        undefined,
      );
    }
  });

  it('null stands for what is not given, and a label without a value for one to come', async () => {
    const metrics = served.make({
      ...EPB,
      bypass: null,
      excludeRoutes: null,
      transformLabels: null,
      metricsApp: null,
      customLabels: { version: undefined },
    } as never);
    await play(metrics, await served.listen(appOf(metrics)), ['/x']);
    expect(await samplesOf(metrics, `${DURATION}_count`)).to.have.length(1);
  });

  it('bounds are refused by the name that they were given under', () => {
    const refused = (options: object) =>
      refusalOf('OFFLOOP_ERR_OPTION_TYPE', () => served.make(options as MiddlewareOptions));
    const rule = (unit: string) => `must be 1 to 256 numbers of ${unit} above 0, ascending, got`;
    expect(refused({ ...EPB, buckets: [0, 1] })).to.equal(`buckets ${rule('seconds')} [0, 1]`);
    expect(refused({ ...EPB, buckets: [] })).to.equal(`buckets ${rule('seconds')} []`);
    const pam = { preset: 'prometheus-api-metrics' };
    expect(refused({ ...pam, responseSizeBuckets: [2, 1] })).to.equal(
      `responseSizeBuckets ${rule('bytes')} [2, 1]`,
    );
    const metricBuckets = { httpRequestContentLengthInBytes: 'many' };
    expect(refused({ preset: 'promster', options: { metricBuckets } })).to.equal(
      `options.metricBuckets.httpRequestContentLengthInBytes ${rule('bytes')} "many"`,
    );
  });

  it('updateConfig() refuses what belongs to one middleware, and changes nothing', () => {
    const metrics = served.make();
    for (const options of [
      { bypass: () => true },
      { excludeRoutes: ['/x'] },
      { metricsPath: /x/ },
      { autoregister: false },
    ]) {
      const [name] = Object.keys(options);
      const refused = refusalOf('OFFLOOP_ERR_ARGUMENT', () =>
        metrics.updateConfig({ ...options, window: { seconds: 60 } } as MiddlewareOptions),
      );
      expect(refused).to.match(
        new RegExp(`^${name} must be given to the metricsMiddleware\\(options\\) that it is for`),
      );
    }
    expect(metrics.options.window.seconds).to.equal(300);
  });

  for (const [what, first, other, name] of [
    ['percentiles', { ...EPB, metricType: 'summary' }, { percentiles: [0.1] }, 'percentiles'],
    [
      'default metrics',
      EPB,
      { promClient: { collectDefaultMetrics: {} } },
      'promClient.collectDefaultMetrics',
    ],
    [
      'names of up',
      { preset: 'promster' },
      { options: { metricNames: { up: 'x' } } },
      'metricNames.up',
    ],
    [
      'queries in routes',
      { preset: 'prometheus-api-metrics' },
      { includeQueryParams: true },
      'includeQueryParams',
    ],
  ] as const) {
    it(`a further middleware that wants other ${what} is refused`, () => {
      const metrics = served.make(first as MiddlewareOptions);
      metrics.configure(first as MiddlewareOptions);
      const refused = refusalOf('OFFLOOP_ERR_ALREADY_STARTED', () =>
        metrics.configure({ ...first, ...other } as MiddlewareOptions),
      );
      expect(refused).to.match(new RegExp(`^${name} must be given when the metrics are made`));
    });
  }
});
