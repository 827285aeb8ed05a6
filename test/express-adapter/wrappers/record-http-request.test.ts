import { isOffloopError, recordHttpRequest } from '@offloop/express';
import { expect } from 'chai';
import express from 'express5';
import { play, ServedMetrics, samplesOf, settled } from '../served-metrics.js';

describe('recordHttpRequest', () => {
  const served = new ServedMetrics();
  afterEach(() => served.close());
  const route = '/jobs/:id';

  it('records a function until it returns or its promise is settled, and gives what it gives', async () => {
    const metrics = served.make();
    const context = { method: 'POST', route, metrics };
    expect(recordHttpRequest(context, () => 'sync')).to.equal('sync');
    const later = recordHttpRequest(context, async (recording) => {
      await Promise.resolve();
      recording.statusCode = 202;
      return 'async';
    });
    expect(metrics.getSnapshot().requestsInFlight).to.equal(1);
    expect(await later).to.equal('async');
    const error = Object.assign(new Error('no'), { status: 422, name: 'ValidationError' });
    const thrown = (): never => {
      throw error;
    };
    expect(() => recordHttpRequest(context, thrown)).to.throw(error);
    const rejected = recordHttpRequest(context, () => Promise.reject(new Error('no')));
    expect(await rejected.catch(({ message }: Error) => message)).to.equal('no');
    await settled(metrics);
    expect(await samplesOf(metrics, 'http_requests_total')).to.deep.equal(
      ['200', '202', '422', '500'].map(
        (status) => `{method="POST",route="${route}",status_code="${status}"} 1`,
      ),
    );
    expect(await samplesOf(metrics, 'http_request_errors_total')).to.deep.equal([
      `{method="POST",route="${route}",class="server"} 1`,
      `{method="POST",route="${route}",class="validation"} 1`,
    ]);
  });

  it('records the block of its using form, once', async () => {
    const metrics = served.make();
    {
      using recording = recordHttpRequest({ method: 'GET', route, metrics });
      recording.statusCode = 404;
      expect(metrics.getSnapshot().requestsInFlight).to.equal(1);
      recording.end();
      recording.end();
    }
    const fail = (): void => {
      using recording = recordHttpRequest({ method: 'GET', route, metrics });
      recording.fail(Object.assign(new Error('away'), { code: 'ENOTFOUND' }));
    };
    fail();
    await settled(metrics);
    expect(await samplesOf(metrics, 'http_requests_total')).to.deep.equal([
      `{method="GET",route="${route}",status_code="404"} 1`,
      `{method="GET",route="${route}",status_code="500"} 1`,
    ]);
    expect(await samplesOf(metrics, 'http_request_errors_total')).to.deep.equal([
      `{method="GET",route="${route}",class="client"} 1`,
      `{method="GET",route="${route}",class="dependency"} 1`,
    ]);
  });

  it('counts a request that the middleware counts no second time, and names its route and error', async () => {
    const metrics = served.make();
    const app = express();
    app.use(metrics.middleware() as express.RequestHandler);
    app.use((request, response) => {
      recordHttpRequest({ request, response, route: '/rpc/:method', metrics }, (recording) => {
        recording.fail(Object.assign(new Error('late'), { name: 'TimeoutError' }));
        response.status(500).send('failed');
      });
    });
    const port = await served.listen(app);
    await play(metrics, port, ['/rpc/one', '/rpc/two']);
    expect(await samplesOf(metrics, 'http_requests_total')).to.deep.equal([
      '{method="GET",route="/rpc/:method",status_code="500"} 2',
    ]);
    expect(await samplesOf(metrics, 'http_request_errors_total')).to.deep.equal([
      '{method="GET",route="/rpc/:method",class="timeout"} 2',
    ]);
  });

  it('records a plain server by its responses', async () => {
    const metrics = served.make();
    const port = await served.listen((request, response) => {
      using _recording = recordHttpRequest({ request, response, route: '/plain', metrics });
      setTimeout(() => response.writeHead(201).end('made'), 2);
    });
    await play(metrics, port, ['/a', '/b']);
    expect(await samplesOf(metrics, 'http_requests_total')).to.deep.equal([
      '{method="GET",route="/plain",status_code="201"} 2',
    ]);
  });

  it('has unknown methods and routes as every request has them', async () => {
    const metrics = served.make();
    recordHttpRequest({ metrics }, () => {});
    recordHttpRequest({ method: 'BREW', metrics }, () => {});
    await settled(metrics);
    expect(await samplesOf(metrics, 'http_requests_total')).to.deep.equal([
      '{method="_OTHER",route="__unmatched__",status_code="200"} 2',
    ]);
  });

  it('runs the function where the metrics are closed, and refuses what is no context', async () => {
    const metrics = served.make();
    await metrics.close();
    expect(recordHttpRequest({ metrics }, () => 5)).to.equal(5);
    for (const context of [undefined, 5, { method: 5 }, { route: null }, { response: 'x' }]) {
      expect(() => recordHttpRequest(context as never, () => 5))
        .to.throw()
        .satisfies((error: unknown) => isOffloopError(error, 'OFFLOOP_ERR_ARGUMENT'));
    }
  });
});
