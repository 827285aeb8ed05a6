import { createMetrics, isOffloopError, type MiddlewareOptions } from '@offloop/express';
import { expect } from 'chai';
import express from 'express5';
import { abandon, play, ServedMetrics, samplesOf } from '../served-metrics.js';
import { fetchStatus, RawClient } from './http-clients.js';
import { eventually } from './observed-server.js';

describe('options of the middleware', () => {
  const served = new ServedMetrics();
  afterEach(() => served.close());

  async function start(options: MiddlewareOptions) {
    const metrics = served.make(options);
    const app = express();
    app.use(metrics.middleware(options) as express.RequestHandler);
    app.get('/users/:id', (_request, response) => void response.send('hello'));
    app.get('/streamed', (_request, response) => {
      response.write('abc');
      // Node 26 joins what is written in one turn into one chunk.
      setImmediate(() => response.end('def'));
    });
    app.get('/aborted', (_request, response) => void response.write('begun'));
    app.post('/upload', (request, response) => {
      request.resume().on('end', () => response.status(204).end());
    });
    return { metrics, app, port: await served.listen(app) };
  }
  const total = 'http_requests_total';
  const users = (count: number) => `{method="GET",route="/users/:id",status_code="200"} ${count}`;

  it('bypass leaves requests out at their beginning, or at their end', async () => {
    const whole = await start({ bypass: (request: express.Request) => request.url === '/users/1' });
    await play(whole.metrics, whole.port, ['/users/1', '/users/2']);
    expect(await samplesOf(whole.metrics, total)).to.deep.equal([users(1)]);

    const halves = await start({
      bypass: {
        onRequest: (request) => request.url === '/users/1',
        onFinish: (_request, response) => response.statusCode === 404,
      },
    });
    await play(halves.metrics, halves.port, ['/users/1', '/users/2', '/nowhere']);
    expect(await samplesOf(halves.metrics, total)).to.deep.equal([users(1)]);
    expect(halves.metrics.getSnapshot().totalRequests).to.equal(1);

    const throwing = await start({
      bypass: () => {
        throw new Error('on purpose');
      },
    });
    expect(await play(throwing.metrics, throwing.port, ['/users/1'])).to.deep.equal([200]);
    expect(await samplesOf(throwing.metrics, total)).to.deep.equal([users(1)]);
  });

  it('excludeRoutes leaves out whole URLs, and what an expression matches, with a memory or without', async () => {
    const { metrics, port } = await start({ excludeRoutes: ['/users/1', /^\/users\/2\d/g] });
    await play(metrics, port, ['/users/1', '/users/1?x', '/users/21', '/users/22', '/users/23']);
    expect(await samplesOf(metrics, total)).to.deep.equal([users(1)]);
  });

  it('metricsPath, autoregister and metricsApp say where scrapes are answered', async () => {
    const moved = await start({ metricsPath: '/scrape' });
    expect(await fetchStatus({ port: moved.port, path: '/scrape' })).to.equal(200);
    expect(await fetchStatus({ port: moved.port, path: '/metrics' })).to.equal(404);
    const matched = await start({ metricsPath: /^\/m[0-9]+$/ });
    expect(await fetchStatus({ port: matched.port, path: '/m15' })).to.equal(200);
    expect(await fetchStatus({ port: matched.port, path: '/metrics' })).to.equal(404);

    const metricsApp = express();
    const apart = await start({ autoregister: false, metricsApp });
    const port = await served.listen(metricsApp);
    expect(await fetchStatus({ port: apart.port, path: '/metrics' })).to.equal(404);
    expect(await fetchStatus({ port, path: '/metrics' })).to.equal(200);
  });

  it('normalizePath, normalizeStatusCode and transformLabels change labels, and the snapshot not', async () => {
    const { metrics, port } = await start({
      normalizePath: (_request: express.Request, { route }) =>
        route === '__unmatched__' ? undefined : `app:${route}`,
      normalizeStatusCode: (_response, { statusCode }) => `${Math.floor(statusCode / 100)}xx`,
      customLabels: { tier: 'none', zone: 'a', unset: null },
      transformLabels: (labels, request: express.Request) => {
        labels['tier'] = request.get('x-tier') ?? labels['tier'];
        labels['undeclared'] = 'x';
      },
    });
    await play(metrics, port, ['/users/1', '/nowhere']);
    expect(await samplesOf(metrics, total)).to.deep.equal([
      '{method="GET",route="__unmatched__",status_code="4xx",tier="none",zone="a"} 1',
      '{method="GET",route="app:/users/:id",status_code="2xx",tier="none",zone="a"} 1',
    ]);
    const routes = metrics.getSnapshot().routes.map(({ route }) => route);
    expect(routes).to.have.members(['/users/:id', '__unmatched__']);
    metrics.register.resetMetrics();
    expect(await samplesOf(metrics, total)).to.deep.equal([]);
    expect(metrics.getSnapshot().totalRequests).to.equal(0);
  });

  it('functions that throw leave labels as they were', async () => {
    const fail = (): never => {
      throw new Error('on purpose');
    };
    const { metrics, port } = await start({
      normalizePath: fail,
      normalizeStatusCode: fail,
      transformLabels: (labels) => {
        labels['route'] = 'half changed';
        fail();
      },
    });
    await play(metrics, port, ['/users/1']);
    expect(await samplesOf(metrics, total)).to.deep.equal([users(1)]);
  });

  it('labelNames renames labels and leaves them out', async () => {
    const { metrics, port } = await start({
      labelNames: { route: 'path', method: false, statusCode: 'code' },
    });
    await play(metrics, port, ['/users/1', '/nowhere']);
    expect(await samplesOf(metrics, total)).to.deep.equal([
      '{path="/users/:id",code="200"} 1',
      '{path="__unmatched__",code="404"} 1',
    ]);
    expect(await samplesOf(metrics, 'http_request_errors_total')).to.deep.equal([
      '{path="__unmatched__",class="client"} 1',
    ]);
    expect(metrics.getSnapshot().routes).to.have.length(2);
  });

  it('metricNames shows a metric under several names, or none', async () => {
    const { metrics, port } = await start({
      metricNames: {
        requests: ['old_total', 'new_total'],
        duration: [],
        inFlight: ['old_level', 'new_level'],
        errors: ['old_errors', 'new_errors'],
      },
    });
    await play(metrics, port, ['/users/1', '/nowhere']);
    for (const name of ['total', 'level', 'errors']) {
      const before = await samplesOf(metrics, `old_${name}`);
      expect(before).to.have.length.above(0);
      expect(await samplesOf(metrics, `new_${name}`)).to.deep.equal(before);
    }
    const page = Buffer.from(await metrics.render()).toString('utf8');
    expect(page).to.not.match(/^http_/m);
    expect(metrics.getSnapshot().totalRequests).to.equal(2);
    metrics.register.resetMetrics();
    expect(await samplesOf(metrics, 'new_total')).to.deep.equal([]);
  });

  it('http.sizes measures bodies, declared or streamed, whole or broken off', async () => {
    const { metrics, port } = await start({ http: { sizes: true, sizeBucketsBytes: [5, 100] } });
    await play(metrics, port, ['/users/1', '/streamed']);
    await fetch(`http://127.0.0.1:${port}/upload`, { method: 'POST', body: 'x'.repeat(1000) });
    await abandon(metrics, port, '/aborted');
    const of = (method: string, route: string, status: number) =>
      `{method="${method}",route="${route}",status_code="${status}"}`;
    // Chunks have frames: `3\r\nabc\r\n` twice, and `0\r\n\r\n`.
    expect(await samplesOf(metrics, 'http_response_size_bytes_sum')).to.deep.equal([
      `${of('GET', '/aborted', 499)} 10`,
      `${of('GET', '/streamed', 200)} 21`,
      `${of('GET', '/users/:id', 200)} 5`,
      `${of('POST', '/upload', 204)} 0`,
    ]);
    expect(await samplesOf(metrics, 'http_request_size_bytes_sum')).to.include(
      `${of('POST', '/upload', 204)} 1000`,
    );
  });

  it('http.sizes counts nothing of one response for another that waits behind it', async () => {
    const { metrics, port, app } = await start({ http: { sizes: true } });
    app.get('/large', (_request, response) => {
      response.write('begun');
      setTimeout(() => response.end('x'.repeat(100_000)), 20);
    });
    const client = new RawClient(port);
    client.send('GET /large', 'GET /streamed', 'GET /users/1');
    await eventually(() => metrics.getSnapshot().totalRequests === 3, 'three answers');
    await client.leave();
    const sums = await samplesOf(metrics, 'http_response_size_bytes_sum');
    const routes = sums.map((line) => /route="(.*?)"/.exec(line)?.[1]);
    expect(routes).to.deep.equal(['/large', '/users/:id']);
    expect(Number(sums[0]?.split(' ')[1])).to.be.within(100_005, 100_100);
    expect(sums[1]?.split(' ')[1]).to.equal('5');
  });

  it('http.timeToFirstByte measures until the head is written, and nothing where it never was', async () => {
    const { metrics, port, app } = await start({ http: { timeToFirstByte: true } });
    app.get('/slow', (_request, response) => {
      response.write('begun');
      setTimeout(() => response.end(), 40);
    });
    await play(metrics, port, ['/slow', '/users/1']);
    const sums = await samplesOf(metrics, 'http_time_to_first_byte_seconds_sum');
    const whole = await samplesOf(metrics, 'http_request_duration_seconds_sum');
    const seconds = (lines: string[]) =>
      Number(lines.find((line) => line.includes('/slow'))?.split(' ')[1]);
    expect(sums).to.have.length(2);
    expect(seconds(whole) - seconds(sums)).to.be.above(0.035);
  });

  it('errorRules decide before offloop, and can change at run time', async () => {
    const { metrics, port } = await start({ errorRules: [{ class: 'lost', status: 404 }] });
    await play(metrics, port, ['/nowhere']);
    metrics.updateConfig({ errorRules: [{ class: 'gone', status: 404 }] });
    await play(metrics, port, ['/nowhere']);
    expect(() => metrics.updateConfig({ errorRules: [{ class: 'x', pattern: '(' }] })).to.throw();
    await play(metrics, port, ['/nowhere']);
    expect(await samplesOf(metrics, 'http_request_errors_total')).to.deep.equal([
      '{method="GET",route="__unmatched__",class="gone"} 2',
      '{method="GET",route="__unmatched__",class="lost"} 1',
    ]);
  });

  it('a failure of which only the status is known counts under every name, and anew after a reset', async () => {
    const names = ['http_request_errors_total', 'failures_total'];
    const { metrics, port } = await start({ metricNames: { errors: names } });
    for (const count of [2, 3]) {
      metrics.register.resetMetrics();
      await play(
        metrics,
        port,
        Array.from({ length: count }, () => '/nowhere'),
      );
      for (const name of names) {
        expect(await samplesOf(metrics, name)).to.deep.equal([
          `{method="GET",route="__unmatched__",class="client"} ${count}`,
        ]);
      }
    }
  });

  it('prometheus.includeUp shows up', async () => {
    const metrics = served.make({ prometheus: { includeUp: true } });
    expect(await samplesOf(metrics, 'up')).to.deep.equal(['1']);
  });

  it('are checked by hand where they are no data, with path, rule and value', () => {
    for (const [options, message] of [
      [
        { bypass: 5 },
        'bypass must be a function, or an object with functions onRequest and onFinish, got 5',
      ],
      [{ bypass: { onStart: () => {} } }, 'bypass must be a function, or'],
      [
        { excludeRoutes: '/x' },
        'excludeRoutes must be an array of URLs and regular expressions, got "/x"',
      ],
      [{ normalizePath: [['x']] }, 'normalizePath must be a function, or an array of pairs'],
      [{ normalizePath: [['(', 'x']] }, 'normalizePath must be a function, or an array of pairs'],
      [{ normalizeStatusCode: '2xx' }, 'normalizeStatusCode must be a function, got "2xx"'],
      [{ transformLabels: {} }, 'transformLabels must be a function, got [object Object]'],
      [{ metricsPath: 'metrics' }, 'metricsPath must be a path that begins with "/"'],
      [{ metricsApp: {} }, 'metricsApp must be an Express application, or null'],
      [{ autoregister: 'no' }, 'autoregister must be true or false, got "no"'],
    ] as const) {
      expect(() => createMetrics(options as never))
        .to.throw(message)
        .satisfies((error: unknown) => isOffloopError(error, 'OFFLOOP_ERR_OPTION_TYPE'));
    }
  });

  it('refuse other functions, labels and names once the metrics are made, and take the same again', () => {
    const transformLabels = () => {};
    const metrics = served.make({ transformLabels });
    metrics.updateConfig({ transformLabels });
    for (const later of [
      { transformLabels: () => {} },
      { labelNames: { route: 'path' } },
      { metricNames: { duration: ['x'] } },
    ]) {
      expect(() => metrics.updateConfig(later))
        .to.throw()
        .satisfies((error: unknown) => isOffloopError(error, 'OFFLOOP_ERR_ALREADY_STARTED'));
    }
  });

  it('refuse a name that two metrics would have, and leave nothing behind', () => {
    const twice = { metricNames: { requests: ['x'], duration: ['x'] } };
    const withErrors = { metricNames: { errors: ['http_requests_total'] } };
    for (const options of [twice, withErrors]) {
      expect(() => createMetrics({ engine: 'inline', ...options }))
        .to.throw('already been registered')
        .satisfies((error: unknown) => isOffloopError(error, 'OFFLOOP_ERR_DUPLICATE_METRIC'));
    }
  });
});
