import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { UNKNOWN_PART } from '@offloop/express/internal/middleware/layer-path.js';
import { RequestObserver } from '@offloop/express/internal/middleware/request-observer.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { type Express, expressReleases } from './express-releases.js';
import { eventually, RecordingSink, serve } from './observed-server.js';
import { answerError, RandomRoutes } from './random-routes.js';

const TREE_COUNT = 30;
const REQUESTS_PER_TREE = 40;
/** Larger trees are made anew: every way is taken once. */
const WAY_COUNT_MAX = 100;

describe(`route templates of random routers, seed ${runSeed}`, () => {
  for (const release of expressReleases) {
    it(`are those of the source on ${release.name}`, async function () {
      this.timeout(60_000);
      const random = new Random(runSeed);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      let exactCount = 0;
      let hiddenCount = 0;
      let checkCount = 0;
      for (let tree = 0; tree < TREE_COUNT; tree += 1) {
        const sink = new RecordingSink();
        const observer = new RequestObserver(sink);
        const routes = smallRoutes(random, release.express);
        const app = release.express();
        app.use((req, res, next) => {
          observer.observe(req, res);
          next();
        });
        app.use(routes.router, answerError);
        release.prepare(app);
        const server = await serve(app);
        const labelOf = async (url: string, isFailing: boolean): Promise<[string, unknown]> => {
          const before = sink.recorded.length;
          const headers = await headersOf({ port: server.port, url, agent, isFailing });
          await eventually(() => sink.recorded.length > before, url);
          return [sink.recorded.at(-1)?.route ?? '', headers['trail']];
        };
        try {
          const checks = routes.examples().map((example) => ({ ...example, isFailing: false }));
          for (let count = 0; count < REQUESTS_PER_TREE; count += 1) {
            checks.push({ ...routes.example(), isFailing: random.unit() < 0.4 });
          }
          for (const { url, template, trail, isFailing, isHiddenAtFirst } of checks) {
            const [label, actualTrail] = await labelOf(url, isFailing);
            // Another route may come first and take the URL; its label is one of the others then.
            const isTaken = actualTrail !== trail;
            if (label.includes(UNKNOWN_PART)) {
              hiddenCount += 1;
              expect(isTaken || isHiddenAtFirst, `${url} by ${trail}: ${label}`).to.equal(true);
            } else if (!isTaken) {
              exactCount += 1;
              expect(label, `${url} by ${trail}`).to.equal(template);
            } else if (label !== '__unmatched__') {
              expect(routes.templates, url).to.include(label);
            }
          }
          checkCount += checks.length;
          const labels = new Set(
            sink.recorded
              .map(({ route }) => route)
              .filter((label) => !label.includes(UNKNOWN_PART)),
          );
          expect(labels.size).to.be.at.most(routes.templates.size + 1);
          expect(sink.inFlight).to.equal(0);
        } finally {
          observer.close();
          await server.close();
        }
      }
      agent.destroy();
      expect(exactCount).to.be.above(checkCount / 3);
      expect(hiddenCount).to.be.below(checkCount / 100);
    });
  }
});

function smallRoutes(random: Random, express: Express): RandomRoutes {
  for (;;) {
    const routes = new RandomRoutes(random, express);
    if (routes.examples().length <= WAY_COUNT_MAX) return routes;
  }
}

function headersOf({
  port,
  url,
  agent,
  isFailing,
}: {
  port: number;
  url: string;
  agent: Agent;
  isFailing: boolean;
}): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    const headers = isFailing ? { fail: 'yes' } : {};
    const sent = request({ host: '127.0.0.1', port, path: url, agent, headers }, (response) => {
      response.on('end', () => resolve(response.headers)).on('error', reject);
      response.resume();
    });
    sent.on('error', reject).end();
  });
}
