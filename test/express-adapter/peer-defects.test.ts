import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMetrics, type Metrics } from '@offloop/express';
import { expect } from 'chai';
import promBundle from 'express-prom-bundle';
import express from 'express5';
import prom from 'prom-client';

// Defects of others that concern HTTP, by the numbers of the table in core/peer-defects.test.ts. Most of 18 is in
// middleware/route-templates.test.ts, on every release of Express.

/** Runs an app on loopback for as long as the requests take; gives the bodies and content types of the answers. */
async function answersOf(app: RequestListener, paths: readonly string[]) {
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answers: { status: number; type: string; body: string }[] = [];
  for (const path of paths) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { connection: 'close' },
    });
    const type = answer.headers.get('content-type') ?? '';
    answers.push({ status: answer.status, type, body: await answer.text() });
  }
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
  return answers;
}

async function routesOf(metrics: Metrics): Promise<string[]> {
  await metrics.flush();
  return metrics.getSnapshot().routes.map(({ route }) => route);
}

describe('defects of others in HTTP', () => {
  const made: Metrics[] = [];
  const make = (): Metrics => {
    const metrics = createMetrics({ engine: 'inline' });
    made.push(metrics);
    return metrics;
  };
  afterEach(async () => {
    await Promise.all(made.splice(0).map((metrics) => metrics.close()));
  });

  function ownApp(metrics: Metrics) {
    const app = express();
    app.use(metrics.middleware());
    return app;
  }

  it('15: a parameter that equals a part of the path changes no template', async () => {
    const metrics = make();
    const app = ownApp(metrics);
    app.get('/users/:id/users', (_request, response) => void response.send('ok'));
    await answersOf(app, ['/users/users/users', '/users/id/users', '/users/7/users']);
    expect(await routesOf(metrics)).to.deep.equal(['/users/:id/users']);
  });

  it('15: two instances have options of their own', () => {
    const [one, other] = [
      createMetrics({ engine: 'inline', http: { bucketsMs: [1, 2] } }),
      createMetrics({ engine: 'inline', http: { bucketsMs: [5] }, scrapePaths: ['/other'] }),
    ];
    made.push(one, other);
    expect(one.options.http.bucketsMs).to.deep.equal([1, 2]);
    expect(other.options.http.bucketsMs).to.deep.equal([5]);
    expect(one.options.scrapePaths).to.not.deep.equal(other.options.scrapePaths);
  });

  it('16: a scrape resets nothing', async () => {
    const metrics = make();
    const app = ownApp(metrics);
    app.get('/', (_request, response) => void response.send('ok'));
    const [, , first, second] = await answersOf(app, ['/', '/', '/metrics', '/metrics']);
    const counted = /http_requests_total\{method="GET",route="\/",status_code="200"\} 2\n/;
    expect(first?.body).to.match(counted);
    expect(second?.body).to.match(counted);
  });

  it('17: names in paths make no series, nor do paths that nothing answers', async () => {
    const paths = ['/teams/red/players', '/teams/blue/players', '/nowhere/one', '/nowhere/two'];
    const play = async (app: ReturnType<typeof express>) => {
      const teams = express.Router({ mergeParams: true });
      teams.get('/players', (_request, response) => void response.send('ok'));
      app.use('/teams/:team', teams);
      return answersOf(app, paths);
    };
    const metrics = make();
    await play(ownApp(metrics));
    expect((await routesOf(metrics)).sort()).to.deep.equal([
      '/teams/:team/players',
      '__unmatched__',
    ]);

    const promRegistry = new prom.Registry();
    const theirs = express();
    theirs.use(promBundle({ includePath: true, includeMethod: true, promRegistry } as never));
    await play(theirs);
    const labelled = (await promRegistry.metrics()).match(/_count\{.*?path="[^"]+"/g);
    expect(new Set(labelled)).to.have.property('size', paths.length);
  });

  it('17: the content type of a page names its version and charset', async () => {
    const [own] = await answersOf(ownApp(make()), ['/metrics']);
    expect(own?.type).to.equal('text/plain; version=0.0.4; charset=utf-8');
    const theirs = express();
    theirs.use(promBundle({ promRegistry: new prom.Registry() } as never));
    const [other] = await answersOf(theirs, ['/metrics']);
    expect(other?.type).to.not.include('version=');
  });

  it('18: a mount with a parameter, lists and expressions, and failures keep their template', async () => {
    const metrics = make();
    const app = ownApp(metrics);
    const router = express.Router({ mergeParams: true });
    router.get('/sub', (_request, response) => void response.send('ok'));
    router.get('/fails', () => {
      throw new Error('it fails');
    });
    app.use('/users/:id', router);
    app.get(['/a', '/b'], (_request, response) => void response.send('ok'));
    app.use((_error: unknown, _request: unknown, response: express.Response, _next: unknown) => {
      response.status(500).send('failed');
    });
    const paths = ['/users/1/sub', '/users/2/sub', '/users/3/fails', '/a', '/b', '/%E0%A4%A'];
    const answers = await answersOf(app, paths);
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 500, 200, 200, 404]);
    const routes = await routesOf(metrics);
    expect(routes).to.include.members(['/users/:id/sub', '/users/:id/fails', '__unmatched__']);
    expect(routes.filter((route) => /[0-9]/.test(route))).to.deep.equal([]);
    expect(routes).to.have.length.within(4, 5);
  });
});
