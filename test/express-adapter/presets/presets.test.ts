import { createRequire } from 'node:module';
import { isOffloopError, type Metrics, type MiddlewareOptions } from '@offloop/express';
import { expect } from 'chai';
import promBundle from 'express-prom-bundle';
import express from 'express5';
import prom from 'prom-client';
import { eventually } from '../../e2e/eventually.js';
import { collectGarbage } from '../../e2e/peer-examples.js';
import { RawClient } from '../middleware/http-clients.js';
import { play, ServedMetrics, samplesOf } from '../served-metrics.js';
import { shapeOf } from './page-shape.js';

const require = createRequire(import.meta.url);

/** The routes of express-prom-bundle's advanced example. */
function addRoutes(app: express.Application): void {
  app.get('/foo/:id', (_request, response) => void response.send('foo response\n'));
  app.delete('/foo/:id', (_request, response) => void response.send('foo deleted\n'));
  app.get('/bar', (_request, response) => void response.send('bar response\n'));
}

async function pageOf(metrics: Metrics): Promise<string> {
  return Buffer.from(await metrics.render()).toString('utf8');
}

describe('preset express-prom-bundle', () => {
  const served = new ServedMetrics();
  afterEach(() => served.close());

  const examples = {
    'its sample usage': { includeMethod: true },
    'all labels': { includeMethod: true, includePath: true },
    'no status': { includeStatusCode: false, includePath: true },
    'its advanced example': {
      buckets: [0.1, 0.4, 0.7],
      includeMethod: true,
      includePath: true,
      customLabels: { year: null },
      transformLabels: (labels: Record<string, unknown>) =>
        Object.assign(labels, { year: new Date().getFullYear() }),
      urlValueParser: {},
    },
    'a summary under another name': {
      metricType: 'summary',
      httpDurationMetricName: 'request_seconds',
      includeMethod: true,
      includeUp: false,
    },
    'statuses by hundreds': {
      formatStatusCode: (response: { statusCode: number }) =>
        `${Math.floor(response.statusCode / 100)}xx`,
    },
  };

  for (const [what, options] of Object.entries(examples)) {
    it(`shows what the package shows: ${what}`, async () => {
      const paths = ['/foo/1234', '/foo/5432', '/bar', '/bar'];
      const promRegistry = new prom.Registry();
      const theirs = express();
      theirs.use(promBundle({ ...options, promRegistry } as never));
      addRoutes(theirs);
      const metrics = served.make();
      await play(metrics, await served.listen(theirs), paths);

      const given = { preset: 'express-prom-bundle', ...options } as MiddlewareOptions;
      const own = served.make(given);
      const app = express();
      app.use(own.middleware(given) as express.RequestHandler);
      addRoutes(app);
      await play(own, await served.listen(app), paths);

      expect(shapeOf(await pageOf(own))).to.deep.equal(shapeOf(await promRegistry.metrics()));
    });
  }

  it('has the template where the package guesses, and no raw path', async () => {
    const given = { preset: 'express-prom-bundle', includePath: true } as const;
    const own = served.make(given);
    const app = express();
    app.use(own.middleware(given) as express.RequestHandler);
    addRoutes(app);
    await play(own, await served.listen(app), ['/foo/bob', '/foo/alice', '/nowhere/1']);
    expect(await samplesOf(own, 'http_request_duration_seconds_count')).to.deep.equal([
      '{path="/foo/:id",status_code="200"} 2',
      '{path="__unmatched__",status_code="404"} 1',
    ]);
    expect(own.getSnapshot().routes.map(({ route }) => route)).to.have.members([
      '/foo/:id',
      '__unmatched__',
    ]);
  });

  it('runs the examples of normalizePath: replacements, and a function', async () => {
    const replacements = [
      ['^/customer/.*', '/customer/#name'],
      ['^.*/order-list', '/#name/order-list'],
    ] as const;
    const byRoute = (request: express.Request) => request.route?.path ?? 'NULL';
    const labels: string[][] = [];
    for (const normalizePath of [replacements, byRoute]) {
      const given = { preset: 'express-prom-bundle', includePath: true, normalizePath } as const;
      const own = served.make(given as MiddlewareOptions);
      const app = express();
      app.use(own.middleware(given as MiddlewareOptions) as express.RequestHandler);
      app.get('/:name/order-list', (_request, response) => void response.send('ok'));
      await play(own, await served.listen(app), ['/customer/johnbobson', '/bobjohnson/order-list']);
      labels.push(await samplesOf(own, 'http_request_duration_seconds_count'));
    }
    expect(labels).to.deep.equal([
      [
        '{path="/#name/order-list",status_code="200"} 1',
        '{path="/customer/#name",status_code="404"} 1',
      ],
      ['{path="/:name/order-list",status_code="200"} 1', '{path="NULL",status_code="404"} 1'],
    ]);
  });

  it('collects default metrics where it is asked to, and stops them with the rest', async () => {
    const given = {
      preset: 'express-prom-bundle',
      promClient: { collectDefaultMetrics: { prefix: 'my_' } },
    } as const;
    const own = served.make(given);
    const page = await pageOf(own);
    expect(page).to.include('\nmy_process_cpu_seconds_total ').and.include('\nmy_up 1\n');
    await own.close();
    expect(await pageOf(own)).to.not.include('my_process_cpu_seconds_total');
  });

  it('refuses obsolete options and unknown types, as the package does', () => {
    for (const options of [
      { whitelist: [] },
      { prefix: 'x' },
      { metricType: 'gauge' },
      { formatStatusCode: 5 },
    ]) {
      const given = { preset: 'express-prom-bundle', ...options } as never;
      expect(() => served.make(given))
        .to.throw()
        .satisfies(isOffloopError);
    }
  });
});

describe('preset promster', () => {
  const served = new ServedMetrics();
  afterEach(() => served.close());

  it('runs its example, with locals, labels, normalisers and a summary', async () => {
    const app = express();
    const given: MiddlewareOptions = {
      preset: 'promster',
      app: app as never,
      options: {
        labels: ['proxied_to'],
        metricTypes: [
          'httpRequestsTotal',
          'httpRequestsHistogram',
          'httpRequestsSummary',
          'httpContentLengthHistogram',
        ],
        getLabelValues: (request: express.Request) => ({ proxied_to: request.hostname }),
        normalizeStatusCode: (status) => `${Math.floor(status / 100)}xx`,
        skip: (request: express.Request, _response: unknown, labels) =>
          request.path === '/bar' && labels['status_code'] === '2xx',
      },
    };
    const own = served.make(given);
    app.use(own.middleware(given) as express.RequestHandler);
    addRoutes(app);
    await play(own, await served.listen(app), ['/foo/1', '/bar', '/nowhere']);
    const of = (path: string, status: string) =>
      `{method="get",path="${path}",status_code="${status}",proxied_to="127.0.0.1"} 1`;
    const expected = [of('/foo/:id', '2xx'), of('__unmatched__', '4xx')];
    for (const name of [
      'http_requests_total',
      'http_request_duration_seconds_count',
      'http_request_duration_per_percentile_seconds_count',
      'http_request_content_length_bytes_count',
      'http_response_content_length_bytes_count',
    ]) {
      expect(await samplesOf(own, name), name).to.deep.equal(expected);
    }
    expect(await samplesOf(own, 'nodejs_up')).to.deep.equal(['1']);
    expect(own.getSnapshot().totalRequests, 'skipped').to.equal(2);
    const { Counter } = app.locals['Prometheus'] as typeof import('@offloop/express');
    expect(Counter).to.be.a('function');
  });

  it('emits a metric under several names for a migration', async () => {
    const given: MiddlewareOptions = {
      preset: 'promster',
      options: {
        metricPrefix: 'app_',
        metricNames: { httpRequestDurationInSeconds: ['old_seconds', 'new_seconds'] },
      },
    };
    const own = served.make(given);
    const app = express();
    app.use(own.middleware(given) as express.RequestHandler);
    addRoutes(app);
    await play(own, await served.listen(app), ['/bar', '/bar']);
    const [before, after] = [
      await samplesOf(own, 'app_old_seconds_bucket'),
      await samplesOf(own, 'app_new_seconds_bucket'),
    ];
    expect(before).to.have.length(11).and.to.deep.equal(after);
    expect(await samplesOf(own, 'app_http_requests_total')).to.have.length(1);
  });
});

describe('preset promster, beside requests', () => {
  const served = new ServedMetrics();
  afterEach(() => served.close());

  it('counts garbage collections, what they took and what they reclaimed', async () => {
    const own = served.make({ preset: 'promster', options: { metricPrefix: 'shop_' } });
    await pageOf(own);
    collectGarbage();
    for (const name of ['runs_total', 'pause_seconds_total', 'reclaimed_bytes_total']) {
      const [sample] = await samplesOf(own, `shop_nodejs_gc_${name}`);
      expect(sample, name).to.match(/^\{gctype="\w+"\} /);
      expect(Number(sample?.split(' ')[1]), name).to.be.greaterThan(0);
    }
  });

  it('counts none where they are disabled', async () => {
    const own = served.make({ preset: 'promster', options: { disableGcMetrics: true } });
    expect(await pageOf(own)).to.not.match(/nodejs_gc_(runs|pause|reclaimed)/);
  });

  it('measures nothing outside of Kubernetes where it is to detect that', async () => {
    const had = process.env['KUBERNETES_SERVICE_HOST'];
    delete process.env['KUBERNETES_SERVICE_HOST'];
    const counts: (readonly string[])[] = [];
    for (const host of [undefined, '10.0.0.1']) {
      if (host !== undefined) process.env['KUBERNETES_SERVICE_HOST'] = host;
      const given: MiddlewareOptions = { preset: 'promster', options: { detectKubernetes: true } };
      const own = served.make(given);
      const app = express();
      app.use(own.middleware(given) as express.RequestHandler);
      addRoutes(app);
      await play(own, await served.listen(app), ['/bar']);
      counts.push(await samplesOf(own, 'http_requests_total'));
    }
    delete process.env['KUBERNETES_SERVICE_HOST'];
    if (had !== undefined) process.env['KUBERNETES_SERVICE_HOST'] = had;
    expect(counts).to.deep.equal([[], ['{method="get",path="/bar",status_code="200"} 1']]);
  });

  it('refuses an interval that V8 would keep too much in', () => {
    const given: MiddlewareOptions = { preset: 'promster', options: { gcCollectionInterval: 0 } };
    expect(() => served.make(given))
      .to.throw('options.gcCollectionInterval must be in [1, 60000] milliseconds, got 0')
      .satisfies(isOffloopError);
  });
});

describe('preset prometheus-api-metrics', () => {
  const served = new ServedMetrics();
  afterEach(() => served.close());

  it('has its names, labels and buckets, its prefix and its parts of excluded routes', async () => {
    const given: MiddlewareOptions = {
      preset: 'prometheus-api-metrics',
      metricsPrefix: 'shop',
      excludeRoutes: ['/foo'],
      additionalLabels: ['tier'],
      extractAdditionalLabelValuesFn: () => ({ tier: 'gold' }),
    };
    const own = served.make(given);
    const app = express();
    app.use(own.middleware(given) as express.RequestHandler);
    addRoutes(app);
    await play(own, await served.listen(app), ['/bar', '/foo/1']);
    const labels = '{method="GET",route="/bar",code="200",tier="gold"}';
    for (const name of [
      'shop_http_request_duration_seconds',
      'shop_http_request_size_bytes',
      'shop_http_response_size_bytes',
    ]) {
      expect(await samplesOf(own, `${name}_count`), name).to.deep.equal([`${labels} 1`]);
    }
    expect(await samplesOf(own, 'shop_http_response_size_bytes_sum')).to.deep.equal([
      `${labels} 13`,
    ]);
    const bounds = (await samplesOf(own, 'shop_http_request_duration_seconds_bucket')).map(
      (line) => /le="([^"]+)"/.exec(line)?.[1],
    );
    expect(bounds).to.have.members([
      '0.001',
      '0.005',
      '0.015',
      '0.05',
      '0.1',
      '0.2',
      '0.3',
      '0.4',
      '0.5',
      '+Inf',
    ]);
  });
});

describe('preset prometheus-api-metrics, beside requests', () => {
  const served = new ServedMetrics();
  afterEach(() => served.close());

  async function serve(options: object) {
    const given = { preset: 'prometheus-api-metrics', ...options } as MiddlewareOptions;
    const own = served.make(given);
    const app = express();
    app.use(own.middleware(given) as express.RequestHandler);
    addRoutes(app);
    return { own, port: await served.listen(app) };
  }

  it('shows the default metrics, and the version of the application', async () => {
    const { own } = await serve({});
    const page = await pageOf(own);
    expect(page).to.include('\nprocess_cpu_seconds_total ');
    expect(page).to.match(/^app_version\{version="0.1.0",major="0",minor="1",patch="0"\} 1$/m);
    await own.close();
    expect(await pageOf(own)).to.not.include('\nprocess_cpu_seconds_total ');
  });

  it('counts the connections that are open', async () => {
    const { own, port } = await serve({});
    const open = () => samplesOf(own, 'expressjs_number_of_open_connections');
    expect(await open()).to.deep.equal(['0']);
    const client = new RawClient(port);
    client.send('GET /bar');
    await eventually(async () => ((await open())[0] === '1' ? true : undefined), {
      what: 'an open connection',
    });
    await client.leave();
    await eventually(async () => ((await open())[0] === '0' ? true : undefined), { what: 'none' });
  });

  it('is prefixed by the name of the project, or by another', async () => {
    const [unique, prefixed] = [
      await pageOf((await serve({ useUniqueHistogramName: true, metricsPrefix: 'no' })).own),
      await pageOf((await serve({ metricsPrefix: 'shop' })).own),
    ];
    for (const [prefix, page] of [
      ['_offloop_test', unique],
      ['shop', prefixed],
    ]) {
      expect(page).to.include(`\n${prefix}_app_version{`);
      expect(page).to.include(`\n# TYPE ${prefix}_http_request_duration_seconds histogram\n`);
      expect(page).to.include(`\n${prefix}_process_cpu_seconds_total `);
    }
  });

  it('names the parameters of queries where it is asked to, and excludes templates', async () => {
    const { own, port } = await serve({ includeQueryParams: true, excludeRoutes: ['/:id'] });
    await play(own, port, ['/bar?b=1&a=2', '/bar', '/foo/1', '/none?c=1']);
    expect(await samplesOf(own, 'http_request_duration_seconds_count')).to.deep.equal([
      '{method="GET",route="/bar",code="200"} 1',
      '{method="GET",route="/bar?a=<?>&b=<?>",code="200"} 1',
      '{method="GET",route="__unmatched__",code="404"} 1',
    ]);
  });
});

describe('presets', () => {
  const served = new ServedMetrics();
  afterEach(() => served.close());

  it('refuses one that there is not', () => {
    expect(() => served.make({ preset: 'statsd' } as never))
      .to.throw('preset must be one of "express-prom-bundle"')
      .satisfies((error: unknown) => isOffloopError(error, 'OFFLOOP_ERR_OPTION_TYPE'));
  });

  it('goes under what is given in offloop’s own words', async () => {
    const own = served.make({
      preset: 'express-prom-bundle',
      metricNames: { requests: ['requests_total'] },
      http: { bucketsMs: [5] },
    });
    expect(own.options.metricNames.requests).to.deep.equal(['requests_total']);
    expect(own.options.metricNames.duration).to.deep.equal(['http_request_duration_seconds']);
    expect(own.options.http.bucketsMs).to.deep.equal([5]);
  });

  it('works in the build for require', () => {
    expect(require('@offloop/express').instrumentRoute).to.be.a('function');
  });
});
