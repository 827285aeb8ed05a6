import { isDeepStrictEqual } from 'node:util';
import { OPTION_RULES } from '@offloop/core/adapter';
import { createMetrics } from '@offloop/express';
import { expect } from 'chai';
import fc from 'fast-check';
import { valueAt } from '../core/config/option-cases.js';
import { documents, refusalBy, verdictOf } from '../core/config/random-options.js';
import { ask } from '../e2e/http-client.js';
import { useServers } from '../e2e/served-app.js';
import { runSeed } from '../support/random.js';

const RUNS = 10_000;

/** What a live instance was started with. */
const STARTED = { engine: 'inline' } as const;

/** Asked over HTTP now and then; what the snapshot says is looked at each time. */
const ASK_EVERY = 250;
const PATHS = ['/metrics', '/internal/metrics', '/x'];

describe(`updateConfig(): laws, seed ${runSeed}`, () => {
  const serve = useServers();

  it('puts all of a document to work, or nothing of it', async function () {
    this.timeout(240_000);
    const metrics = createMetrics(STARTED);
    const middleware = metrics.middleware();
    const port = await serve((request, response) =>
      middleware(request, response, () => response.writeHead(404).end()),
    );
    const paths = Object.keys(OPTION_RULES);
    const expected = new Map(paths.map((path) => [path, valueAt(metrics.options, path)]));
    let runs = 0;
    let accepted = 0;

    await fc.assert(
      fc.asyncProperty(documents(), async (document) => {
        const { values, refusals } = verdictOf(document);
        const rightRefusals = refusals.size > 0 ? refusals : bakedIn(values, expected);
        const before = metrics.options;
        let returned: unknown;
        const refusal = refusalBy(() => {
          returned = metrics.updateConfig(document as object);
        });
        if (refusal !== undefined || rightRefusals.size > 0) {
          expect(refusal).to.be.oneOf([...rightRefusals]);
          expect(metrics.options, 'as before').to.equal(before);
        } else {
          accepted++;
          for (const [path, value] of values) expected.set(path, value);
          expect(returned).to.equal(metrics.options);
        }
        const wrong = paths.filter(
          (path) => !isDeepStrictEqual(valueAt(metrics.options, path), expected.get(path)),
        );
        expect(wrong).to.have.length(0);
        expect(metrics.getSnapshot().eventLoop.monitoringActive).to.equal(
          expected.get('eventLoop.enabled'),
        );
        runs++;
        if (runs % ASK_EVERY === 0) await expectScrapes(port, expected);
      }),
      // What came before is part of a failure: a shorter document alone would not show it.
      { seed: runSeed, numRuns: RUNS, endOnFailure: true },
    );

    expect(accepted, 'of both kinds there are many').to.be.within(RUNS / 10, RUNS * 0.9);
    await metrics.close();
  });
});

async function expectScrapes(port: number, options: ReadonlyMap<string, unknown>): Promise<void> {
  const scrapePaths = options.get('scrapePaths') as readonly string[];
  for (const path of PATHS) {
    const isScrape = options.get('prometheus.enabled') === true && scrapePaths.includes(path);
    expect((await ask({ port, path })).status, path).to.equal(isScrape ? accessOf(options) : 404);
  }
}

/** What somebody from 127.0.0.1 without credentials gets. */
function accessOf(options: ReadonlyMap<string, unknown>): 200 | 401 | 403 {
  const allow = options.get('access.allow') as readonly string[];
  const hasCredentials = options.get('access.token') !== '' || options.get('access.basic') !== '';
  // The only function that random options have says yes.
  if (allow.includes('loopback') || allow.includes('127.0.0.1')) return 200;
  if (options.get('access.custom') !== '') return 200;
  if (hasCredentials) return 401;
  return allow.length === 0 ? 200 : 403;
}

function momentOf(path: string): string {
  const { fixedBy } = OPTION_RULES[path] ?? {};
  if (fixedBy === 'memory')
    return 'before the first label set, record or page, when memory is laid out and the engine started';
  return `with the first metricsMiddleware(options) or getMetrics(options), when the ${
    fixedBy === 'engine' ? 'engine is started' : 'metrics of requests are made'
  }`;
}

/** Refusals of what cannot change any more. */
function bakedIn(
  values: ReadonlyMap<string, unknown>,
  expected: ReadonlyMap<string, unknown>,
): Set<string> {
  const refusals = new Set<string>();
  for (const [path, value] of values) {
    const [had, wanted] = [JSON.stringify(expected.get(path)), JSON.stringify(value)];
    if (OPTION_RULES[path]?.fixedBy === undefined || had === wanted) continue;
    refusals.add(
      `OFFLOOP_ERR_ALREADY_STARTED ${path} must be given ${momentOf(path)} with ${
        OPTION_RULES[path]?.isSecret ? 'another value' : `${had}; got ${wanted}`
      }`,
    );
  }
  return refusals;
}
