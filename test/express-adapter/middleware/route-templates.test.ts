import { RequestObserver } from '@offloop/express/internal/middleware/request-observer.js';
import { expect } from 'chai';
import type { Application, ErrorRequestHandler, RequestHandler } from 'express';
import { type Express, type ExpressRelease, expressReleases } from './express-releases.js';
import { fetchStatus } from './http-clients.js';
import { eventually, RecordingSink, serve } from './observed-server.js';

/** `METHOD url` (GET where none is said), and the template that must be the label. */
type Expectation = readonly [request: string, template: string];

interface Case {
  readonly what: string;
  readonly build: (app: Application, express: Express) => void;
  readonly expected: readonly Expectation[];
  /** Where the syntax of paths or the behaviour differs. */
  readonly major?: 4 | 5;
  /** For routers that keep a matcher only: the template is then pieced together from requests. */
  readonly expectedFromMatcher?: readonly Expectation[];
}

const ok: RequestHandler = (_req, res) => void res.end('ok');
const fail: RequestHandler = () => {
  throw new Error('on purpose');
};
const pass: RequestHandler = (_req, _res, next) => next();
const catchError: ErrorRequestHandler = (_error, _req, res, _next) => void res.status(500).end();
const unmatched = '__unmatched__';

const cases: readonly Case[] = [
  {
    what: 'routes of the app itself',
    build: (app) => {
      app.get('/', ok);
      app.get('/version', ok);
      app.get('/users/:id', ok);
      app.route('/books/:isbn/pages/:page').get(ok).put(ok);
      app.all('/anything/:at/all', ok);
    },
    expected: [
      ['/', '/'],
      ['/?a=1', '/'],
      ['/version', '/version'],
      ['/VERSION/', '/version'],
      ['/users/42?next=/users/43', '/users/:id'],
      ['/users/version', '/users/:id'],
      ['PUT /books/1/pages/2', '/books/:isbn/pages/:page'],
      ['HEAD /users/1', '/users/:id'],
      ['PATCH /anything/x/all', '/anything/:at/all'],
      ['OPTIONS /anything/x/all', '/anything/:at/all'],
    ],
  },
  {
    what: 'what no route answers',
    build: (app) => {
      app.use('/static/:file', (req, res, next) =>
        req.method === 'GET' ? ok(req, res, next) : next(),
      );
      app.post('/only/post', ok);
      app.get('/users/:id', ok);
    },
    expected: [
      ['/nowhere', unmatched],
      ['/nowhere/%E2%82%AC', unmatched],
      ['/static/4711', unmatched],
      ['/users/%zz', unmatched],
      ['/%', unmatched],
      ['GET /only/post', unmatched],
      ['HEAD /only/post', unmatched],
      ['OPTIONS /only/post', unmatched],
      ['DELETE /users/1', unmatched],
    ],
  },
  {
    what: 'nested routers',
    build: (app, { Router }) => {
      const orders = Router({ mergeParams: true }).get('/', ok).get('/:order', ok);
      const users = Router().use('/:user/orders', orders).get('/:user', ok);
      app.use('/api', Router().use('/v1/', Router().use('/users', users)));
    },
    expected: [
      ['/api/v1/users/7', '/api/v1/users/:user'],
      ['/api/v1/users/7/orders', '/api/v1/users/:user/orders'],
      ['/api/v1/users/7/orders/', '/api/v1/users/:user/orders'],
      ['/api/v1/users/7/orders/8', '/api/v1/users/:user/orders/:order'],
      ['/api/v1/users/orders/orders/orders', '/api/v1/users/:user/orders/:order'],
      ['/api/v1/users', unmatched],
    ],
  },
  {
    what: 'a parametrised mount with values that look like other parts',
    build: (app, { Router }) => {
      const sub = Router({ mergeParams: true }).get('/:id', ok).get('/', ok);
      app.use('/users/:id/sub', sub);
      app.use('/:a/:b-:c/x', sub);
    },
    expected: [
      ['/users/42/sub/1', '/users/:id/sub/:id'],
      ['/users/users/sub/users', '/users/:id/sub/:id'],
      ['/users/sub/sub/sub', '/users/:id/sub/:id'],
      ['/users/:id/sub/:id', '/users/:id/sub/:id'],
      ['/users/a%2Fb%20c/sub/%C3%A9', '/users/:id/sub/:id'],
      ['/users/$&/sub/(.*)', '/users/:id/sub/:id'],
      ['/x/x-x/x', '/:a/:b-:c/x'],
      ['/1/1-1/x/1', '/:a/:b-:c/x/:id'],
      ['/users/u-u/x/u', '/:a/:b-:c/x/:id'],
    ],
  },
  {
    what: 'one router mounted at several places',
    build: (app, { Router }) => {
      const shared = Router().get('/', ok).get('/items/:item', ok);
      app.use('/a', shared);
      app.use('/b/:b', shared);
      app.use('/c', Router().use('/d', shared).use('/:e', shared));
    },
    expected: [
      ['/a', '/a'],
      ['/a/items/1', '/a/items/:item'],
      ['/b/1', '/b/:b'],
      ['/b/a/items/1', '/b/:b/items/:item'],
      ['/c/d/items/2', '/c/d/items/:item'],
      ['/c/e/items/2', '/c/:e/items/:item'],
    ],
  },
  {
    what: 'arrays of paths, of mounts and of routes',
    build: (app, { Router }) => {
      const router = Router().get(['/x', '/y/:y'], ok).get('/z', ok);
      app.use(['/a', '/b/:b'], router);
      app.get(['/one', '/two/:two', '/three/:three'], ok);
      app.use(['/deep'], router);
    },
    expected: [
      ['/a/x', '/a/x'],
      ['/a/y/1', '/a/y/:y'],
      ['/b/1/x', '/b/:b/x'],
      ['/b/x/y/x', '/b/:b/y/:y'],
      ['/b/1/z', '/b/:b/z'],
      ['/one', '/one'],
      ['/two/one', '/two/:two'],
      ['/three/2', '/three/:three'],
      ['/deep/z', '/deep/z'],
    ],
  },
  {
    what: 'RegExps, of routes and of mounts',
    build: (app, { Router }) => {
      app.get(/^\/files\/(\d+)\/?$/i, ok);
      app.get(['/named', /^\/num-(?<num>\d+)$/], ok);
      app.use(/^\/v\d+/, Router().get('/status', ok));
      app.use(['/plain', /^\/lang-[a-z]{2}/i], Router().get('/:page', ok));
    },
    expected: [
      ['/files/12', '/^\\/files\\/(\\d+)\\/?$/i'],
      ['/files/13/', '/^\\/files\\/(\\d+)\\/?$/i'],
      ['/named', '/named'],
      ['/num-5', '/^\\/num-(?<num>\\d+)$/'],
      ['/v1/status', '/^\\/v\\d+//status'],
      ['/v22/status', '/^\\/v\\d+//status'],
      ['/plain/p', '/plain/:page'],
      ['/lang-en/p', '/^\\/lang-[a-z]{2}/i/:page'],
      ['/lang-de/q', '/^\\/lang-[a-z]{2}/i/:page'],
    ],
    expectedFromMatcher: [
      ['/files/12', '/^\\/files\\/(\\d+)\\/?$/i'],
      ['/num-5', '/^\\/num-(?<num>\\d+)$/'],
      ['/v1/status', '/*/status'],
      ['/v22/status', '/*/status'],
      ['/plain/p', '/plain/:page'],
      ['/lang-en/p', '/*/:page'],
      ['/lang-de/q', '/*/:page'],
    ],
  },
  {
    what: 'wildcards and optional parts as Express 4 writes them',
    major: 4,
    build: (app, { Router }) => {
      const router = Router().get('/leaf', ok);
      app.get('*.css', ok);
      app.get('/flights/:from-:to.:format?', ok);
      app.get('/ab?cd', ok);
      app.use('/api/:version?/x', router);
      app.use('/id/:id(\\d+)', router);
      app.use('/pre*post', router);
      app.use('/o(pt)?', router);
      app.use('/(group)/y', router);
      app.use('/rep/:rep*', router);
      app.use('/dot.:ext', router);
      app.use('/some.:a.:b/:c-:d', router);
      app.use('/hex/:hex([0-9a-f]+)/:lang(en|de)', router);
      app.use('/plus+', router);
      app.use(['/q/:q', '/r/:r(\\d+)/:s?', /^\/t(\d+)/i], router);
      app.get('/rest/*', ok);
      app.get('*', ok);
    },
    expected: [
      ['/a/b.css', '/*.css'],
      ['/flights/LAX-SFO.json', '/flights/:from-:to.:format?'],
      ['/flights/LAX-SFO', '/flights/:from-:to.:format?'],
      ['/acd', '/ab?cd'],
      ['/api/v1/x/leaf', '/api/:version?/x/leaf'],
      ['/api/x/leaf', '/api/:version?/x/leaf'],
      ['/id/7/leaf', '/id/:id(\\d+)/leaf'],
      ['/pre-and-post/leaf', '/pre*post/leaf'],
      ['/opt/leaf', '/o(pt)?/leaf'],
      ['/o/leaf', '/o(pt)?/leaf'],
      ['/group/y/leaf', '/(group)/y/leaf'],
      ['/dot.txt/leaf', '/dot.:ext/leaf'],
      ['/some.1.2/3-4/leaf', '/some.:a.:b/:c-:d/leaf'],
      ['/hex/beef/de/leaf', '/hex/:hex([0-9a-f]+)/:lang(en|de)/leaf'],
      ['/plusssss/leaf', '/plus+/leaf'],
      ['/q/1/leaf', '/q/:q/leaf'],
      // The optional part takes `leaf`, so nothing is left for the router.
      ['/r/1/leaf', '/*'],
      ['/r/1/2/leaf', '/r/:r(\\d+)/:s?/leaf'],
      ['/t77/leaf', '/^\\/t(\\d+)/i/leaf'],
      ['/rest/of/it', '/rest/*'],
      ['/nowhere', '/*'],
    ],
  },
  {
    what: 'wildcards and optional groups as Express 5 writes them',
    major: 5,
    build: (app, { Router }) => {
      const router = Router().get('/leaf', ok).get('/', ok);
      app.get('/files/*path', ok);
      app.get('/flights/:from-:to{.:format}', ok);
      app.use('/api{/:version}/x', router);
      app.use('/w/*rest/end', router);
      app.use('/"quoted"/:"odd name"', router);
      app.get('/{*splat}', ok);
    },
    expected: [
      ['/files/a/b', '/files/*path'],
      ['/flights/LAX-SFO.json', '/flights/:from-:to{.:format}'],
      ['/api/v1/x/leaf', '/api{/:version}/x/leaf'],
      ['/api/x/leaf', '/api{/:version}/x/leaf'],
      ['/w/1/2/3/end/leaf', '/w/*rest/end/leaf'],
      ['/w/end/end/leaf', '/w/*rest/end/leaf'],
      ['/nowhere', '/{*splat}'],
    ],
    expectedFromMatcher: [
      ['/files/a/b', '/files/*path'],
      ['/api/v1/x/leaf', '/api/:version/x/leaf'],
      ['/api/v2/x/leaf', '/api/:version/x/leaf'],
      ['/api/x/x/leaf', '/api/:version/x/leaf'],
      ['/api/x/leaf', '/api/x/leaf'],
      ['/w/1/2/3/end/leaf', '/w/*rest/end/leaf'],
      ['/w/a/b/end/leaf', '/w/*rest/end/leaf'],
      ['/w/end/end', '/w/*rest/end'],
      ['/nowhere', '/{*splat}'],
    ],
  },
  {
    what: 'letter case and trailing slashes, as the router takes them',
    build: (app, { Router }) => {
      app.use(
        '/Mixed',
        Router({ caseSensitive: true, strict: true }).get('/Case/:x', ok).get('/s/', ok),
      );
      app.use('/plain', Router().get('/Route', ok));
    },
    expected: [
      ['/Mixed/Case/1', '/Mixed/Case/:x'],
      ['/mixed/Case/1', '/Mixed/Case/:x'],
      ['/Mixed/case/1', unmatched],
      ['/Mixed/s/', '/Mixed/s'],
      ['/Mixed/s', unmatched],
      ['/PLAIN/ROUTE/', '/plain/Route'],
    ],
    // The letters of the first request that reached a route.
    expectedFromMatcher: [
      ['/Mixed/Case/1', '/Mixed/Case/:x'],
      ['/mixed/Case/1', '/Mixed/Case/:x'],
      ['/plain/ROUTE', '/plain/Route'],
      ['/PLAIN/ROUTE/', '/plain/Route'],
    ],
  },
  {
    what: 'error handlers, after which nothing tells the mount',
    build: (app, { Router }) => {
      const router = Router({ mergeParams: true })
        .get('/fail/:x', fail)
        .get('/next', (_q, _s, next) => {
          next(Object.assign(new Error('gone'), { status: 410 }));
        });
      const guarded = Router().get('/fail', fail).use(catchError);
      app.use('/t/:tenant', router);
      app.use('/guarded/:g', guarded);
      app.use(
        '/param',
        Router()
          .param('id', (_q, _s, next) => next(new Error('bad')))
          .get('/:id', ok),
      );
      app.get('/late', async (_req, _res, next) => {
        await Promise.resolve();
        next(new Error('late'));
      });
      app.use(catchError);
    },
    expected: [
      ['/t/1/fail/2', '/t/:tenant/fail/:x'],
      ['/t/fail/fail/fail', '/t/:tenant/fail/:x'],
      ['/t/1/next', '/t/:tenant/next'],
      ['/guarded/1/fail', '/guarded/:g/fail'],
      ['/param/1', '/param/:id'],
      ['/late', '/late'],
      ['/t/1/none', unmatched],
    ],
  },
  {
    what: 'an error that nobody handles',
    build: (app, { Router }) => {
      app.set('env', 'test');
      app.use('/t/:tenant', Router().get('/fail/:x', fail));
    },
    expected: [['/t/1/fail/2', '/t/:tenant/fail/:x']],
  },
  {
    what: 'sub-apps, mounted on apps and on routers',
    build: (app, express) => {
      const inner = express().get('/deep/:d', ok);
      const admin = express().get('/', ok).get('/users/:id', ok).get('/fail/:x', fail);
      admin.use('/inner/:i', inner);
      admin.use('/r/:r', express.Router().get('/leaf/:l', ok));
      app.use('/admin/:a', admin);
      app.use('/other', express().get('/page', ok));
      app.use(
        '/by-router',
        express.Router().use('/:r', express().get('/x/:x', ok).get('/f', fail)),
      );
      app.use(catchError);
    },
    expected: [
      ['/admin/1/fail/2', '/admin/:a/fail/:x'],
      ['/admin/1', '/admin/:a'],
      ['/admin/admin/users/admin', '/admin/:a/users/:id'],
      ['/admin/1/inner/2/deep/3', '/admin/:a/inner/:i/deep/:d'],
      ['/admin/1/r/2/leaf/3', '/admin/:a/r/:r/leaf/:l'],
      ['/admin/1/fail/2', '/admin/:a/fail/:x'],
      ['/other/page', '/other/page'],
      ['/by-router/1/x/2', '/by-router/:r/x/:x'],
      ['/by-router/1/f', '/by-router/:r/f'],
    ],
  },
  {
    what: 'a sub-app mounted twice, and one on an array of paths',
    build: (app, express) => {
      const sub = express().get('/x/:x', ok).get('/fail', fail);
      app.use('/one/:a', sub);
      app.use('/two', sub);
      app.use(['/three', '/four/:f'], express().get('/y', ok));
      app.use(catchError);
    },
    expected: [
      ['/one/1/x/2', '/one/:a/x/:x'],
      ['/two/x/2', '/two/x/:x'],
      ['/one/1/fail', '/one/:a/fail'],
      ['/two/fail', '/two/fail'],
      ['/three/y', '/three/y'],
      ['/four/4/y', '/four/:f/y'],
    ],
  },
  {
    what: 'an app that a function of the user calls, as for virtual hosts',
    build: (app, express) => {
      const hosted = express().get('/x/:x', ok).get('/fail', fail);
      hosted.use('/r/:r', express.Router().get('/y/:y', ok));
      app.use('/host/:h', (req, res, next) => hosted(req, res, next));
      app.use(catchError);
    },
    expected: [
      ['/host/1/x/2', '/host/:h/x/:x'],
      ['/host/1/r/2/y/3', '/host/:h/r/:r/y/:y'],
      ['/host/1/fail', '/host/:h/fail'],
    ],
  },
  {
    what: 'many sub-apps that hold sub-apps',
    build: (app, express) => {
      for (let n = 0; n < 12; n += 1) {
        const inner = express().get('/x/:x', ok);
        app.use(`/app${n}`, express().use('/inner/:i', inner).get('/y/:y', ok));
      }
    },
    expected: Array.from({ length: 12 }, (_, n): Expectation[] => [
      [`/app${n}/y/1`, `/app${n}/y/:y`],
      [`/app${n}/inner/2/x/3`, `/app${n}/inner/:i/x/:x`],
    ]).flat(),
  },
  {
    what: 'a router behind a function of the user',
    build: (app, { Router }) => {
      const nested = Router().use('/n/:n', Router().get('/leaf', ok).get('/fail', fail));
      const hidden = Router().get('/', ok).get('/x/:x', ok).get('/fail/:f', fail).use(nested);
      app.use('/plain', pass);
      app.use('/h/:id', (req, res, next) => hidden(req, res, next));
      const other = Router().get('/y/:y', ok);
      app.use(Router().use('/r/:r', (req, res, next) => other(req, res, next)));
      app.use((req, res, next) => Router().get('/made/:anew', ok)(req, res, next));
      app.use(catchError);
    },
    expected: [
      ['/h/1', '/h/:id'],
      ['/h/1/x/2', '/h/:id/x/:x'],
      ['/h/h/x/x', '/h/:id/x/:x'],
      ['/h/1/fail/2', '/h/:id/fail/:f'],
      ['/r/1/y/2', '/r/:r/y/:y'],
      ['/made/3', '/made/:anew'],
      ['/made/4', '/made/:anew'],
      // Two routers deep nothing tells the mount between them: the safe part.
      ['/h/1/n/2/leaf', '/h/:id/*/leaf'],
      ['/h/1/n/2/fail', '/h/:id/*/fail'],
    ],
  },
  {
    what: 'URLs that a middleware rewrites',
    build: (app, { Router }) => {
      const router = Router().get('/x/:x', ok);
      app.use((req, _res, next) => {
        req.url = req.url.replace(/^\/en\b/, '');
        next();
      });
      app.use('/old', (req, _res, next) => {
        req.url = `/x${req.url}`;
        next();
      });
      app.use(['/a', '/b/:b', '/old'], router);
      app.get(['/c', '/d'], (req, res) => {
        req.url = '/upstream';
        res.end();
      });
    },
    expected: [
      ['/en/a/x/1', '/a/x/:x'],
      ['/en/b/1/x/1', '/b/:b/x/:x'],
      ['/d', '/d'],
    ],
  },
  {
    what: 'a router that is mounted in itself',
    build: (app, { Router }) => {
      const router = Router().get('/leaf/:x', ok);
      router.use('/again', router);
      app.use('/r', router);
    },
    expected: [
      ['/r/leaf/1', '/r/leaf/:x'],
      ['/r/again/leaf/1', '/r/*/leaf/:x'],
    ],
  },
  {
    what: 'routes that hand on',
    build: (app, { Router }) => {
      const router = Router().get('/x/:x', (_q, _s, next) => next('router'));
      app.use('/r', router);
      app.get('/r/:a/:b', (_q, _s, next) => next('route'), fail);
      app.get('/r/x/:last', ok);
    },
    expected: [['/r/x/1', '/r/x/:last']],
  },
];

for (const release of expressReleases) {
  describe(`route templates on ${release.name}`, () => {
    for (const example of cases) {
      if (example.major !== undefined && example.major !== release.major) continue;
      it(`tells the template of ${example.what}`, () => check(release, example));
    }
  });
}

async function check(release: ExpressRelease, example: Case): Promise<void> {
  const sink = new RecordingSink();
  const observer = new RequestObserver(sink);
  const app = release.express();
  // Silences what Express prints of errors that nobody handles.
  app.set('env', 'test');
  app.use((req, res, next) => {
    observer.observe(req, res);
    next();
  });
  example.build(app, release.express);
  release.prepare(app);
  const server = await serve(app);
  const expected =
    release.keeps === 'matcher'
      ? (example.expectedFromMatcher ?? example.expected)
      : example.expected;
  try {
    // Twice, as the second request finds what the first has left behind.
    for (const [request, template] of [...expected, ...expected]) {
      const [method, url] = request.startsWith('/') ? ['GET', request] : request.split(' ');
      const before = sink.recorded.length;
      await fetchStatus({ port: server.port, method, path: url });
      await eventually(() => sink.recorded.length > before, request);
      expect(sink.recorded.at(-1)?.route, request).to.equal(template);
    }
    expect(sink.inFlight).to.equal(0);
  } finally {
    observer.close();
    await server.close();
  }
}
