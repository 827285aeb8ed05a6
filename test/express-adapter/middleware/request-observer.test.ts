import { hasSubscribers } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Agent, IncomingMessage, ServerResponse } from 'node:http';
import * as http2 from 'node:http2';
import { Socket } from 'node:net';
import { type Duplex, PassThrough, Readable } from 'node:stream';
import { RequestObserver } from '@offloop/express/internal/middleware/request-observer.js';
import { expect } from 'chai';
import type { Application, ErrorRequestHandler, RequestHandler, Response } from 'express';
import { type Express, expressReleases } from './express-releases.js';
import { fetchStatus, RawClient } from './http-clients.js';
import { eventually, portOf, RecordingSink, serve, type TestServer } from './observed-server.js';

const FINISH_CHANNEL = 'http.server.response.finish';

for (const release of expressReleases) {
  describe(`request observer on ${release.name}`, () => {
    let sink: RecordingSink;
    let observer: RequestObserver;
    let server: TestServer | undefined;

    beforeEach(() => {
      sink = new RecordingSink();
      observer = new RequestObserver(sink);
    });

    afterEach(async () => {
      observer.close();
      await server?.close();
      server = undefined;
      expect(hasSubscribers(FINISH_CHANNEL), 'subscribers left').to.equal(false);
    });

    async function start(build: (app: Application, express: Express) => void): Promise<number> {
      const app = release.express();
      app.set('env', 'test');
      app.use(observing(observer));
      build(app, release.express);
      server = await serve(app);
      return server.port;
    }

    async function expectLines(...lines: string[]): Promise<void> {
      await eventually(() => sink.recorded.length >= lines.length, lines.join(', '));
      // A second count of the same response would come within some turns.
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(sink.lines.sort()).to.deep.equal(lines.sort());
      expect(sink.inFlight, 'in flight').to.equal(0);
    }

    it('counts each answer with its status, and knows it again by its series', async () => {
      const port = await start((app) => {
        app.get('/ok', (_req, res) => void res.send('ok'));
        app.get('/created', (_req, res) => void res.status(201).json({}));
        app.get('/empty', (_req, res) => void res.status(204).end());
        app.get('/cached', (_req, res) => void res.status(304).end());
        app.get('/piped', (_req, res) => void Readable.from(['a', 'b', 'c']).pipe(res));
        app.get('/broken', () => {
          throw new Error('on purpose');
        });
      });
      for (const path of ['ok', 'created', 'empty', 'cached', 'piped', 'broken', 'none', 'ok']) {
        await fetchStatus({ port, path: `/${path}` });
      }
      await fetchStatus({ port, path: '/ok', method: 'HEAD' });
      await fetchStatus({ port, path: '/ok', method: 'HEAD' });
      await expectLines(
        'GET /ok 200',
        'GET /ok 200',
        'GET /created 201',
        'GET /empty 204',
        'GET /cached 304',
        'GET /piped 200',
        'GET /broken 500',
        'GET __unmatched__ 404',
        'HEAD /ok 200',
        'HEAD /ok 200',
      );
      expect(sink.series).to.have.lengthOf(8);
    });

    it('measures from the middleware to the end of the answer, in seconds', async () => {
      const port = await start((app) => {
        app.get('/slow', (_req, res) => {
          res.write('begun');
          setTimeout(() => res.end(), 60);
        });
      });
      await fetchStatus({ port, path: '/slow' });
      await expectLines('GET /slow 200');
      expect(sink.recorded[0]?.durationSeconds).to.be.within(0.055, 5);
    });

    it('has a request in flight from its beginning to its end', async () => {
      let answer = (): void => {};
      const port = await start((app) => {
        app.get('/held', (_req, res) => {
          answer = () => res.end();
        });
      });
      const [first, second] = [new RawClient(port), new RawClient(port)];
      first.send('GET /held');
      await eventually(() => sink.inFlight === 1);
      second.send('GET /held');
      await eventually(() => sink.inFlight === 2);
      answer();
      await eventually(() => sink.inFlight === 1);
      await first.leave();
      await second.leave();
      await expectLines('GET /held 200', 'GET /held 499');
    });

    it('counts 499 where the client leaves before the answer, in the middle of it, or after a failure', async () => {
      const port = await start((app) => {
        app.get('/never/:x', () => {});
        app.get('/half/:x', (_req, res) => void res.write('half'));
        app.use('/plain', () => {});
      });
      for (const line of ['GET /never/1', 'GET /half/1', 'GET /plain', 'HEAD /never/2']) {
        const client = new RawClient(port);
        client.send(line);
        await eventually(() => sink.inFlight === 1);
        if (line.includes('half')) await eventually(() => client.received.includes('half'));
        await client.leave();
        await eventually(() => sink.inFlight === 0, line);
      }
      await expectLines(
        'GET /never/:x 499',
        'GET /half/:x 499',
        'GET __unmatched__ 499',
        'HEAD /never/:x 499',
      );
    });

    it('counts once where the handler ends the answer after the client has left', async () => {
      const late: Response[] = [];
      const port = await start((app) => {
        app.get('/late', (_req, res) => void late.push(res));
        app.get('/begun', (_req, res) => {
          res.flushHeaders();
          late.push(res);
        });
      });
      for (const path of ['/late', '/begun']) {
        const client = new RawClient(port);
        client.send(`GET ${path}`);
        await eventually(() => sink.inFlight === 1);
        await client.leave();
        await eventually(() => sink.inFlight === 0);
        late.at(-1)?.end('too late');
      }
      await expectLines('GET /late 499', 'GET /begun 499');
    });

    it('counts once, and as over, a request whose client has left before the observer comes', async () => {
      const port = await start((app) => {
        app.use('/again', async (req, res, next) => {
          await once(req.socket, 'close');
          observing(observer)(req, res, next);
        });
        app.get('/again', (_req, res) => void res.end());
      });
      const late = release.express();
      late.use((req, _res, next) => void req.socket.once('close', () => setImmediate(next)));
      late.use(observing(observer), observing(observer));
      late.get('/late', (_req, res) => void res.end());
      const other = await serve(late);
      const clients = [new RawClient(port), new RawClient(other.port)];
      clients[0]?.send('GET /again', 'GET /again');
      clients[1]?.send('GET /late', 'GET /late');
      await eventually(() => sink.inFlight === 2);
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (const client of clients) await client.leave();
      await eventually(() => sink.recorded.length === 4);
      await other.close();
      await expectLines(...Array(4).fill('GET __unmatched__ 499'));
    });

    it('counts 499 where the server destroys the answer or the socket', async () => {
      const port = await start((app) => {
        app.get('/response', (_req, res) => void res.destroy());
        app.get('/socket', (req) => void req.socket.destroy());
        app.get('/error', (_req, res) => {
          res.write('half');
          res.destroy(new Error('on purpose'));
        });
      });
      for (const path of ['/response', '/socket', '/error']) {
        await fetchStatus({ port, path }).catch(() => 0);
      }
      await expectLines('GET /response 499', 'GET /socket 499', 'GET /error 499');
    });

    it('counts 499 for what is under way when the server closes its connections', async () => {
      const port = await start((app) => app.get('/never', () => {}));
      new RawClient(port).send('GET /never');
      await eventually(() => sink.inFlight === 1);
      await server?.close();
      server = undefined;
      await expectLines('GET /never 499');
    });

    it('counts every request of a kept connection, with one listener on it', async () => {
      let socket: Socket | undefined;
      const port = await start((app) => {
        app.get('/:n', (req, res) => {
          socket = req.socket;
          res.end();
        });
      });
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      await fetchStatus({ port, agent, path: '/0' });
      const first = socket;
      const listenerCount = first?.listenerCount('close');
      for (let n = 1; n < 20; n += 1) await fetchStatus({ port, agent, path: `/${n}` });
      expect(socket).to.equal(first);
      expect(socket?.listenerCount('close')).to.equal(listenerCount);
      agent.destroy();
      await expectLines(...Array.from({ length: 20 }, () => 'GET /:n 200'));
    });

    it('counts pipelined requests one by one, whatever order their handlers answer in', async () => {
      const port = await start((app) => {
        app.get('/slow', (_req, res) => void setTimeout(() => res.status(201).end(), 20));
        app.get('/fast/:n', (_req, res) => void res.status(202).end());
        app.get('/middle', (_req, res) => void setTimeout(() => res.status(203).end(), 5));
      });
      const client = new RawClient(port);
      const fast = Array.from({ length: 15 }, (_, n) => `GET /fast/${n}`);
      client.send('GET /slow', ...fast, 'GET /middle', 'GET /slow');
      await eventually(() => client.statuses.length === 18);
      client.send('GET /fast/9');
      await eventually(() => client.statuses.length === 19);
      await client.leave();
      const fastLines = Array.from({ length: 16 }, () => 'GET /fast/:n 202');
      await expectLines('GET /slow 201', 'GET /slow 201', 'GET /middle 203', ...fastLines);
    });

    it('does not count a request again that meets the observer once more after the next one was read', async () => {
      let meetAgain = (): void => {};
      const port = await start((app) => {
        app.get('/first', (_req, _res, next) => {
          meetAgain = next;
        });
        app.use('/first', observing(observer));
        app.get('/first', (_req, res) => void res.end());
        app.get('/second', (_req, res) => {
          meetAgain();
          res.end();
        });
      });
      const client = new RawClient(port);
      client.send('GET /first', 'GET /second');
      await eventually(() => client.statuses.length === 2);
      await client.leave();
      await expectLines('GET /first 200', 'GET /second 200');
    });

    it('counts 499 for every pipelined request whose client leaves', async () => {
      const port = await start((app) => {
        app.get('/first', (_req, res) => void res.write('begun'));
        app.get('/never', () => {});
        app.get('/ready', (_req, res) => void res.end());
      });
      const client = new RawClient(port);
      client.send('GET /first', 'GET /ready', 'GET /never', 'GET /ready');
      await eventually(() => sink.inFlight === 4);
      await client.leave();
      await expectLines('GET /first 499', 'GET /ready 499', 'GET /ready 499', 'GET /never 499');
    });

    it('counts a request that waits for 100 Continue', async () => {
      const port = await start((app) => {
        app.post('/upload', (req, res) => void req.resume().on('end', () => res.status(201).end()));
      });
      const client = new RawClient(port);
      client.socket.write(
        'POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n',
      );
      await eventually(() => client.received.includes('100 Continue'));
      client.socket.write('ok');
      await eventually(() => client.received.includes('201 Created'));
      await client.leave();
      await expectLines('POST /upload 201');
    });

    it('counts an upgrade only if it gets an HTTP answer, and never as in flight', async () => {
      const port = await start((app) => {
        app.get('/refused', (_req, res) => void res.status(401).end());
        app.get('/accepted', () => {});
      });
      const sockets: Duplex[] = [];
      server?.server.on('upgrade', (req, socket) => {
        sockets.push(socket);
        const response = new ServerResponse(req);
        if (socket instanceof Socket && req.url === '/refused') response.assignSocket(socket);
        const [listener] = server?.server.listeners('request') ?? [];
        listener?.(req, response);
        response.on('finish', () => socket.end());
      });
      // On a connection that has been observed already.
      const client = new RawClient(port);
      client.send('GET /none');
      await eventually(() => sink.recorded.length === 1);
      client.socket.write(upgradeOf('/refused'));
      await eventually(() => client.received.includes('401'));
      await client.leave();
      const other = new RawClient(port);
      other.socket.write(upgradeOf('/accepted'));
      await eventually(() => sockets.length === 2);
      expect(sockets[1]?.listenerCount('close'), 'listeners while upgraded').to.be.above(0);
      expect(sink.inFlight).to.equal(0);
      await other.leave();
      // Node leaves upgraded sockets to whoever took them.
      for (const socket of sockets) socket.destroy();
      await expectLines('GET __unmatched__ 404', 'GET /refused 401');
    });

    it('counts a request with an Upgrade header that nobody upgrades', async () => {
      const port = await start((app) => app.get('/x', (_req, res) => void res.end()));
      const client = new RawClient(port);
      client.socket.write(upgradeOf('/x'));
      await eventually(() => client.statuses.length === 1);
      await client.leave();
      await expectLines('GET /x 200');
    });

    it('counts injected requests, which have no connection', async () => {
      await start((app) => {
        app.get('/x/:x', (_req, res) => void res.status(202).end('ok'));
        app.get('/gone', (_req, res) => void res.destroy());
      });
      const [listener] = server?.server.listeners('request') ?? [];
      for (const url of ['/x/1', '/gone']) {
        const request = new IncomingMessage(new Socket());
        Object.assign(request, { method: 'GET', url });
        const response = new ServerResponse(request);
        const output = new PassThrough();
        response.assignSocket(Object.assign(new Socket(), { write: output.write.bind(output) }));
        listener?.(request, response);
        await once(response, url === '/gone' ? 'close' : 'finish');
      }
      await expectLines('GET /x/:x 202', 'GET /gone 499');
    });

    it('counts once where it stands on the app and on a router of it', async () => {
      const port = await start((app, { Router }) => {
        app.use(observing(observer));
        const router = Router()
          .use(observing(observer))
          .get('/x', (_req, res) => void res.end());
        router.get('/handed-on', async (_req, res, next) => {
          res.end();
          await once(res, 'finish');
          next();
        });
        app.use('/r', router, observing(observer), () => {});
      });
      await fetchStatus({ port, path: '/r/x' });
      await fetchStatus({ port, path: '/r/handed-on' });
      const client = new RawClient(port);
      client.send('GET /r/x', 'GET /r/x');
      await eventually(() => client.statuses.length === 2);
      await client.leave();
      await expectLines(...Array(3).fill('GET /r/x 200'), 'GET /r/handed-on 200');
      expect(sink.startedCount).to.equal(4);
    });

    it('does not notice another observer, nor its end', async () => {
      const [otherSink, thirdSink] = [new RecordingSink(), new RecordingSink()];
      const [other, third] = [new RequestObserver(otherSink), new RequestObserver(thirdSink)];
      const port = await start((app, { Router }) => {
        app.use(observing(other), observing(third));
        app.use(
          '/:r',
          Router()
            .get('/x', (_req, res) => void res.end())
            .get('/never', () => {}),
        );
      });
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      await fetchStatus({ port, agent, path: '/1/x' });
      const client = new RawClient(port);
      client.send('GET /1/never', 'GET /1/never');
      await eventually(() => sink.inFlight === 2);
      other.close();
      await fetchStatus({ port, agent, path: '/1/x' });
      await client.leave();
      agent.destroy();
      const lines = ['GET /:r/never 499', 'GET /:r/never 499', 'GET /:r/x 200', 'GET /:r/x 200'];
      await expectLines(...lines);
      expect(thirdSink.lines.sort()).to.deep.equal(lines);
      expect(thirdSink.inFlight).to.equal(0);
      expect(otherSink.lines).to.deep.equal(['GET /:r/x 200']);
      third.close();
    });

    it('lets go of everything when it is closed', async () => {
      const held: Response[] = [];
      let socket: Socket | undefined;
      const port = await start((app) => {
        app.get('/held', (req, res) => {
          held.push(res);
          socket = req.socket;
        });
      });
      const client = new RawClient(port);
      client.send('GET /held', 'GET /held');
      await eventually(() => held.length === 2);
      const closeListeners = socket?.listenerCount('close') ?? 0;
      const finishListeners = held[1]?.listenerCount('finish') ?? 0;
      observer.close();
      observer.close();
      expect(hasSubscribers(FINISH_CHANNEL)).to.equal(false);
      expect(socket?.listenerCount('close')).to.equal(closeListeners - 1);
      expect(held[1]?.listenerCount('finish')).to.equal(finishListeners - 1);
      expect(Object.getOwnPropertySymbols(socket).map(String)).to.not.include(
        'Symbol(offloop.observed)',
      );
      for (const response of held) response.end();
      client.send('GET /held');
      await eventually(() => held.length === 3);
      held[2]?.end();
      await eventually(() => client.statuses.length === 3);
      await client.leave();
      expect(sink.lines).to.deep.equal([]);
      expect(sink.startedCount).to.equal(2);
    });

    for (const broken of ['seriesIdOf', 'record', 'requestStarted', 'requestEnded'] as const) {
      it(`answers as ever while the sink's ${broken} throws`, async () => {
        sink[broken] = () => {
          throw new Error('a broken sink');
        };
        const port = await start((app) => {
          app.get('/x', (_req, res) => void res.end());
          app.get('/never', () => {});
        });
        expect(await fetchStatus({ port, path: '/x' })).to.equal(200);
        expect(await fetchStatus({ port, path: '/none' })).to.equal(404);
        const client = new RawClient(port);
        client.send('GET /x', 'GET /x', 'GET /never', 'GET /x');
        await eventually(() => client.statuses.length === 2);
        await client.leave();
        // An error in the channel's subscriber would end the process within the next turns.
        await new Promise((resolve) => setTimeout(resolve, 20));
      });
    }

    it('keeps rare methods where a route answers, and folds them where none does', async () => {
      const port = await start((app) => app.all('/dav/:x', (_req, res) => void res.end()));
      for (const method of ['PROPFIND', 'MKCOL', 'PATCH']) {
        await fetchStatus({ port, method, path: '/dav/1' });
        await fetchStatus({ port, method, path: '/none' });
      }
      await expectLines(
        'PROPFIND /dav/:x 200',
        'MKCOL /dav/:x 200',
        'PATCH /dav/:x 200',
        '_OTHER __unmatched__ 404',
        '_OTHER __unmatched__ 404',
        'PATCH __unmatched__ 404',
      );
    });

    it('follows routes and mounts that are added later', async () => {
      let grow = (): void => {};
      const port = await start((app, { Router }) => {
        const inner = Router().get('/x', (_req, res) => void res.end());
        const outer = Router().use('/inner', inner);
        app.use('/first', outer);
        app.use('/leave/room', (_req, _res, next) => next());
        grow = () => {
          inner.get('/y', (_req, res) => void res.end());
          app.use('/second/:s', inner);
        };
      });
      await fetchStatus({ port, path: '/first/inner/x' });
      grow();
      await fetchStatus({ port, path: '/first/inner/y' });
      await fetchStatus({ port, path: '/second/2/x' });
      await fetchStatus({ port, path: '/second/2/y' });
      await fetchStatus({ port, path: '/first/inner/x' });
      await expectLines(
        'GET /first/inner/x 200',
        'GET /first/inner/x 200',
        'GET /first/inner/y 200',
        'GET /second/:s/x 200',
        'GET /second/:s/y 200',
      );
    });

    it('tells apart two apps that share a router', async () => {
      const shared = release.express.Router().get('/x', (_req, res) => void res.end());
      const port = await start((app) => app.use('/one', shared));
      const second = release.express().use(observing(observer)).use('/two/:t', shared);
      const other = await serve(second);
      for (let round = 0; round < 2; round += 1) {
        await fetchStatus({ port, path: '/one/x' });
        await fetchStatus({ port: other.port, path: '/two/2/x' });
      }
      await other.close();
      await expectLines(
        'GET /one/x 200',
        'GET /one/x 200',
        'GET /two/:t/x 200',
        'GET /two/:t/x 200',
      );
    });

    it('tells the whole template where it stands in a sub-app only', async () => {
      const sub = release.express().use(observing(observer));
      sub.get('/x/:x', (_req, res) => void res.end());
      server = await serve(release.express().use('/sub/:s', sub));
      await fetchStatus({ port: server.port, path: '/sub/1/x/2' });
      await expectLines('GET /sub/:s/x/:x 200');
    });

    it('tells the safe part of a failed route in a sub-app that no request was answered in', async () => {
      const port = await start((app, express) => {
        const router = express.Router();
        router.get('/x/:x', (req, res) => {
          if (req.headers['fail'] !== undefined) throw new Error('on purpose');
          res.end();
        });
        const catchError: ErrorRequestHandler = (_error, _req, res, _next) => {
          res.status(500).end();
        };
        app.use('/sub/:s', express().use('/router/:r', router)).use(catchError);
      });
      const path = '/sub/1/router/2/x/3';
      await fetchStatus({ port, path, headers: { fail: 'yes' } });
      await fetchStatus({ port, path });
      await fetchStatus({ port, path, headers: { fail: 'yes' } });
      await expectLines(
        'GET /sub/:s/*/x/:x 500',
        'GET /sub/:s/router/:r/x/:x 200',
        'GET /sub/:s/router/:r/x/:x 500',
      );
    });

    it('has no more labels than routes where routers are made anew for each request', async () => {
      const port = await start((app, { Router }) => {
        app.use((req, res, next) => {
          Router().get('/made/:anew', (_req, answer) => void answer.end())(req, res, next);
        });
      });
      for (let n = 0; n < 20; n += 1) await fetchStatus({ port, path: `/made/${n}` });
      await expectLines(...Array(20).fill('GET /made/:anew 200'));
      expect(sink.series).to.have.lengthOf(1);
    });

    it('answers for a route that somebody has frozen', async () => {
      const port = await start((app) => {
        Object.freeze(app.route('/x/:x').get((_req, res) => void res.end()));
      });
      await fetchStatus({ port, path: '/x/1' });
      await fetchStatus({ port, path: '/x/2' });
      await expectLines('GET /x/:x 200', 'GET /x/:x 200');
    });
  });
}

describe('request observer over HTTP/2', () => {
  it('counts answers by their status and resets by the client as 499', async () => {
    const sink = new RecordingSink();
    const observer = new RequestObserver(sink);
    const server = http2.createServer((req, res) => {
      observer.observe(req, res);
      observer.observe(req, res);
      if (req.url === '/never') return;
      if (req.url === '/half') {
        res.write('half');
        return;
      }
      res.statusCode = 203;
      res.end('ok');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const session = http2.connect(`http://127.0.0.1:${portOf(server.address())}`);
    try {
      for (const method of ['GET', 'POST', 'HEAD', 'BREW', '__proto__']) {
        const stream = session.request({ ':path': '/x', ':method': method }).resume();
        await once(stream.end(), 'close');
      }
      const streams = ['/never', '/half'].map((path) =>
        session.request({ ':path': path }).resume(),
      );
      await eventually(() => sink.inFlight === 2);
      for (const stream of streams) stream.close(http2.constants.NGHTTP2_CANCEL);
      await eventually(() => sink.inFlight === 0);
      const lost = session.request({ ':path': '/never' }).on('error', () => {});
      await eventually(() => sink.inFlight === 1);
      session.destroy();
      await once(lost, 'close');
      await eventually(() => sink.inFlight === 0);
      expect(sink.lines).to.deep.equal([
        'GET __unmatched__ 203',
        'POST __unmatched__ 203',
        'HEAD __unmatched__ 203',
        '_OTHER __unmatched__ 203',
        '_OTHER __unmatched__ 203',
        'GET __unmatched__ 499',
        'GET __unmatched__ 499',
        'GET __unmatched__ 499',
      ]);
    } finally {
      observer.close();
      session.destroy();
      server.close();
    }
  });
});

function observing(observer: RequestObserver): RequestHandler {
  return (req, res, next) => {
    observer.observe(req, res);
    next();
  };
}

function upgradeOf(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
}
