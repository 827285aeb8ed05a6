import { Readable } from 'node:stream';
import { instrumentRoute, isOffloopError, type Metrics } from '@offloop/express';
import { expect } from 'chai';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { type ExpressRelease, expressReleases } from '../middleware/express-releases.js';
import { RawClient } from '../middleware/http-clients.js';
import { eventually } from '../middleware/observed-server.js';
import { abandon, play, ServedMetrics, samplesOf, settled } from '../served-metrics.js';

type Wrap = <Handler extends RequestHandler | ErrorRequestHandler>(handler: Handler) => Handler;

const WAYS = ['the middleware', 'wrappers', 'both'] as const;

/** Routers in routers below parameters, and every way in which a response comes to its end. */
function nestedApp(release: ExpressRelease, metrics: Metrics, way: (typeof WAYS)[number]) {
  const wrap: Wrap =
    way === 'the middleware'
      ? (handler) => handler
      : (handler) => instrumentRoute(handler, { metrics });
  // Express 4 looks at no promise.
  const settle = (handler: RequestHandler): RequestHandler =>
    release.major === 5
      ? handler
      : (request, response, next) => {
          Promise.resolve(handler(request, response, next)).catch(next);
        };
  const inner = release.express.Router();
  inner.get(
    '/thrown',
    wrap(() => {
      throw Object.assign(new Error('no such form'), { name: 'ValidationError', status: 400 });
    }),
  );
  inner.get(
    '/rejected',
    settle(
      wrap(async () => {
        await Promise.resolve();
        throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED', status: 502 });
      }),
    ),
  );
  inner.get(
    '/next/:x',
    wrap<RequestHandler>((_request, _response, next) =>
      next(Object.assign(new Error('slow'), { code: 'ETIMEDOUT' })),
    ),
  );
  inner.get(
    '/next',
    wrap((_request, _response, next) => next('route')),
  );
  inner.get(
    '/next',
    wrap((_request, response) => void response.send('the second')),
  );
  inner.get(
    '/streamed',
    wrap((_request, response) => {
      response.write('begun ');
      setTimeout(() => response.end('and ended'), 2);
    }),
  );
  inner.get(
    '/piped',
    wrap((_request, response) => void Readable.from(['a', 'b']).pipe(response)),
  );
  inner.get(
    '/aborted',
    wrap((_request, response) => void response.write('begun')),
  );
  const outer = release.express.Router({ mergeParams: true });
  outer.use('/inner/:b', inner);
  const app = release.express();
  app.set('env', 'test');
  if (way !== 'wrappers') app.use(metrics.middleware() as RequestHandler);
  app.use('/outer/:a', outer);
  const answerError: ErrorRequestHandler = (error, _request, response, _next) =>
    void response.status(error.status ?? 500).send('failed');
  app.use(wrap(answerError));
  release.prepare(app);
  return app;
}

for (const release of expressReleases) {
  describe(`instrumentRoute on ${release.name}`, () => {
    const served = new ServedMetrics();
    afterEach(() => served.close());

    for (const way of WAYS) {
      it(`counts each response once, with its template, status and class, by ${way}`, async () => {
        const metrics = served.make();
        const port = await served.listen(nestedApp(release, metrics, way));
        const below = '/outer/1/inner/2';
        const names = ['thrown', 'rejected', 'next/7', 'next', 'streamed', 'piped'];
        const paths = names.map((name) => `${below}/${name}`);
        expect(await play(metrics, port, paths)).to.deep.equal([400, 502, 500, 200, 200, 200]);
        await abandon(metrics, port, `${below}/aborted`);

        const expected = [
          ['thrown', '400'],
          ['rejected', '502'],
          ['next/:x', '500'],
          ['next', '200'],
          ['streamed', '200'],
          ['piped', '200'],
          ['aborted', '499'],
        ].map(
          ([name, status]) =>
            `{method="GET",route="/outer/:a/inner/:b/${name}",status_code="${status}"} 1`,
        );
        expect(await samplesOf(metrics, 'http_requests_total')).to.deep.equal(expected.sort());
        const sees = way !== 'the middleware';
        const classes = [
          ['thrown', sees ? 'validation' : 'client'],
          ['rejected', sees ? 'dependency' : 'server'],
          ['next/:x', sees ? 'timeout' : 'server'],
          ['aborted', 'aborted'],
        ].map(
          ([name, each]) => `{method="GET",route="/outer/:a/inner/:b/${name}",class="${each}"} 1`,
        );
        expect(await samplesOf(metrics, 'http_request_errors_total')).to.deep.equal(classes.sort());
      });
    }

    it('counts a client that leaves during its upload once, beside the middleware', async () => {
      const metrics = served.make();
      const app = release.express();
      app.use(metrics.middleware());
      app.post('/post', release.express.json(), (_request, response) => void response.end());
      let handled = 0;
      app.use(
        instrumentRoute(
          ((_error, _request, response, _next) => {
            handled++;
            response.status(400).end();
          }) as ErrorRequestHandler,
          { metrics },
        ),
      );
      const port = await served.listen(app);
      for (let client = 0; client < 3; client++) {
        const leaving = new RawClient(port);
        leaving.socket.write(
          'POST /post HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a"',
        );
        await eventually(() => metrics.getSnapshot().requestsInFlight === 1, 'a request in flight');
        await leaving.leave();
        await settled(metrics);
      }
      await eventually(() => handled === 3, 'the errors handled');
      await settled(metrics);
      expect(metrics.getSnapshot().totalRequests).to.equal(3);
      expect(await samplesOf(metrics, 'http_request_errors_total')).to.deep.equal([
        '{method="POST",route="/post",class="aborted"} 3',
      ]);
    });

    it('counts no class for a request of which nobody noted an error, after one of which somebody did', async () => {
      const metrics = served.make();
      const app = release.express();
      app.set('env', 'test');
      app.use(metrics.middleware() as RequestHandler);
      app.get(
        '/maybe',
        instrumentRoute(
          ((request, response, next) => {
            if (request.query['fails'] !== undefined) next(new Error('it fails'));
            else response.send('ok');
          }) satisfies RequestHandler,
          { metrics },
        ),
      );
      // It answers well in spite of the error.
      app.use(
        ((_error, _request, response, _next) =>
          void response.send('ok')) satisfies ErrorRequestHandler,
      );
      const port = await served.listen(app);
      await play(metrics, port, ['/maybe', '/maybe?fails', '/maybe', '/maybe']);
      expect(await samplesOf(metrics, 'http_requests_total')).to.deep.equal([
        '{method="GET",route="/maybe",status_code="200"} 4',
      ]);
      expect(await samplesOf(metrics, 'http_request_errors_total')).to.deep.equal([
        '{method="GET",route="/maybe",class="server"} 1',
      ]);
    });
  });
}

describe('instrumentRoute', () => {
  const served = new ServedMetrics();
  afterEach(() => served.close());

  it('keeps name, number of parameters, this, arguments and result of the handler', async () => {
    const metrics = served.make();
    const seen: unknown[] = [];
    function handle(this: unknown, ...args: unknown[]): unknown {
      seen.push(this, ...args);
      return 'the result';
    }
    Object.defineProperty(handle, 'length', { value: 3 });
    const wrapped = instrumentRoute(handle, { metrics });
    expect([wrapped.name, wrapped.length]).to.deep.equal(['handle', 3]);
    const self = {};
    const [request, response] = [{}, {}];
    expect(Reflect.apply(wrapped, self, [request, response, 'no function'])).to.equal('the result');
    expect(seen).to.deep.equal([self, request, response, 'no function']);
    const handleError = (_error: unknown, _request: object, _response: object, _next: unknown) => 5;
    expect(instrumentRoute(handleError, { metrics }).length).to.equal(4);
    expect(instrumentRoute(handleError, { metrics })(new Error('x'), {}, {}, () => {})).to.equal(5);
  });

  it('leaves a thenable that is no promise alone, and lets rejections through', async () => {
    const metrics = served.make();
    let isAsked = false;
    const lazy = {
      // biome-ignore lint/suspicious/noThenProperty: what query builders return
      then: () => {
        isAsked = true;
      },
    };
    expect(instrumentRoute(() => lazy, { metrics })()).to.equal(lazy);
    expect(isAsked).to.equal(false);
    const error = new Error('it fails');
    const rejected = instrumentRoute(() => Promise.reject(error), { metrics })();
    expect(await rejected.catch((each: unknown) => each)).to.equal(error);
  });

  it('calls the handler where there are no metrics any more', async () => {
    const metrics = served.make();
    await metrics.close();
    const wrapped = instrumentRoute((_request: object, _response: object) => 'ok', { metrics });
    expect(wrapped({}, {})).to.equal('ok');
  });

  it('refuses what is no function, and a route that is no text', () => {
    for (const call of [
      () => instrumentRoute(5 as never),
      () => instrumentRoute(() => {}, { route: 5 as never }),
    ]) {
      expect(call)
        .to.throw()
        .satisfies((error: unknown) => isOffloopError(error, 'OFFLOOP_ERR_ARGUMENT'));
    }
  });

  it('names the route of a server that has none', async () => {
    const metrics = served.make();
    const port = await served.listen(
      instrumentRoute((_request: object, response: { end(): void }) => response.end(), {
        metrics,
        route: '/by/:hand',
      }),
    );
    await play(metrics, port, ['/by/1', '/by/2']);
    expect(await samplesOf(metrics, 'http_requests_total')).to.deep.equal([
      '{method="GET",route="/by/:hand",status_code="200"} 2',
    ]);
  });
});
