import { request } from 'node:http';
import type { MetricsOptions } from '@offloop/express';
import { expect } from 'chai';
import express4 from 'express4';
import express5 from 'express5';
import { useMetrics, useServers } from '../../e2e/served-app.js';

const PRIVATE = [
  '/ops/diagnostics/metrics',
  '/ops/diagnostics/performance',
  '/ops/health/extended',
];
const SCRAPES = ['/metrics', '/internal/metrics', '/ops/metrics'];
const PUBLIC = ['/ops/health'];

for (const [name, express] of [
  ['Express 4', express4],
  ['Express 5', express5],
] as const) {
  describe(`access to the routes of ${name}`, () => {
    const serve = useServers();
    const makeMetrics = useMetrics();
    const environment = process.env['NODE_ENV'];
    afterEach(() => {
      if (environment === undefined) delete process.env['NODE_ENV'];
      else process.env['NODE_ENV'] = environment;
    });

    async function start(access: MetricsOptions['access'] = {}, trustProxy: unknown = false) {
      const metrics = makeMetrics({ engine: 'inline', access });
      const app = express();
      app.set('trust proxy', trustProxy);
      app.use(metrics.middleware());
      app.use('/ops', metrics.router());
      const port = await serve(app);
      const statuses = async (paths: readonly string[], headers = {}) => [
        ...new Set(await Promise.all(paths.map((path) => statusOf(port, path, headers)))),
      ];
      return { metrics, port, statuses };
    }

    it('is open to everybody where nothing is given and NODE_ENV is not production', async () => {
      process.env['NODE_ENV'] = 'development';
      const { statuses } = await start({}, true);
      const far = { 'x-forwarded-for': '203.0.113.7' };
      expect(await statuses([...PUBLIC, ...SCRAPES, ...PRIVATE], far)).to.deep.equal([200]);
    });

    it('is closed to other machines for diagnostics in production, and says how to open it', async () => {
      process.env['NODE_ENV'] = 'production';
      const { statuses, port } = await start({}, true);
      const far = { 'x-forwarded-for': '203.0.113.7' };
      expect(await statuses(PRIVATE)).to.deep.equal([200]);
      expect(await statuses(PRIVATE, far)).to.deep.equal([403]);
      expect(await statuses([...PUBLIC, ...SCRAPES], far)).to.deep.equal([200]);
      const { body } = await get(port, PRIVATE[0] as string, far);
      expect(body).to.match(/NODE_ENV is production; to open them, give the option access/);
    });

    it('takes a forwarded address for nothing where the proxy is not trusted', async () => {
      process.env['NODE_ENV'] = 'production';
      const { statuses } = await start({ allow: ['203.0.113.0/24'] });
      expect(await statuses(PRIVATE, { 'x-forwarded-for': '203.0.113.7' })).to.deep.equal([403]);
    });

    it('lets in who comes from an allowed address, by what trust proxy says', async () => {
      const { statuses } = await start({ allow: ['203.0.113.0/24', '2001:db8::/32'] }, 'loopback');
      for (const address of ['203.0.113.7', '2001:db8::1', '::ffff:203.0.113.7']) {
        expect(
          await statuses([...SCRAPES, ...PRIVATE], { 'x-forwarded-for': address }),
          address,
        ).to.deep.equal([200]);
      }
      for (const address of ['203.0.114.7', 'nonsense', '203.0.113.7, 10.0.0.1']) {
        expect(
          await statuses([...SCRAPES, ...PRIVATE], { 'x-forwarded-for': address }),
          address,
        ).to.deep.equal([403]);
        expect(await statuses(PUBLIC, { 'x-forwarded-for': address })).to.deep.equal([200]);
      }
    });

    it('lets in who sends the token, or the user and password', async () => {
      const { statuses } = await start({ token: 'tok', basic: 'me:pw' });
      const guarded = [...SCRAPES, ...PRIVATE];
      expect(await statuses(guarded)).to.deep.equal([401]);
      expect(await statuses(guarded, { authorization: 'Bearer nope' })).to.deep.equal([401]);
      expect(await statuses(guarded, { authorization: 'Bearer tok' })).to.deep.equal([200]);
      const basic = `Basic ${Buffer.from('me:pw').toString('base64')}`;
      expect(await statuses(guarded, { authorization: basic })).to.deep.equal([200]);
      expect(await statuses(PUBLIC)).to.deep.equal([200]);
    });

    for (const [what, custom, expected] of [
      ['true', () => true, 200],
      ['a promise of true', async () => true, 200],
      ['false', () => false, 403],
      ['what is not true', () => 'yes' as never, 403],
      [
        'an error',
        () => {
          throw new Error('x');
        },
        403,
      ],
      [
        'a promise that rejects',
        async () => {
          throw new Error('x');
        },
        403,
      ],
    ] as const) {
      it(`goes by the application's function: ${what}`, async () => {
        const { statuses } = await start({ custom });
        expect(await statuses([...SCRAPES, ...PRIVATE])).to.deep.equal([expected]);
      });
    }

    it('changes at run time, or not at all', async () => {
      const { metrics, statuses } = await start();
      metrics.updateConfig({ access: { token: 'tok' } });
      expect(await statuses(SCRAPES)).to.deep.equal([401]);
      expect(() => metrics.updateConfig({ access: { allow: ['1:2:3'] } })).to.throw(
        /access\.allow/,
      );
      expect(await statuses(SCRAPES, { authorization: 'Bearer tok' })).to.deep.equal([200]);
    });
  });
}

async function statusOf(port: number, path: string, headers: object): Promise<number> {
  return (await get(port, path, headers)).status;
}

function get(
  port: number,
  path: string,
  headers: object,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request(
      { host: '127.0.0.1', port, path, agent: false, headers: { ...headers } },
      (response) => {
        let body = '';
        response.on('data', (part) => {
          body += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      },
    )
      .on('error', reject)
      .end();
  });
}
