// `node refused-start.js <scenario>`: asks for what must be refused, prints the refusal and what is left of it, then whether the
// right thing can be had afterwards. The process has to end by itself.
import { Counter, createMetrics, getMetrics, metricsMiddleware, register } from '@offloop/express';
import { keptBy, printLine } from './kept-resources.js';

interface Scenario {
  /** Must throw. */
  readonly wrong: () => unknown;
  /** Must not, afterwards. */
  readonly right: () => { close(): Promise<void>; render(): Promise<Uint8Array> };
}

const separate = () => createMetrics({ engine: 'inline' });
const ofProcess = () => getMetrics();

const scenarios: Readonly<Record<string, Scenario>> = {
  'unknown option': {
    wrong: () => createMetrics({ engin: 'pool' } as object),
    right: separate,
  },
  'wrong type': {
    wrong: () => createMetrics({ engine: 'pool', ring: 5 } as object),
    right: separate,
  },
  'out of range': {
    wrong: () => createMetrics({ engine: 'pool', ring: { capacityRecords: 1000 } }),
    right: separate,
  },
  'own option out of range': {
    wrong: () => createMetrics({ engine: 'pool', scrapePaths: ['metrics'] }),
    right: separate,
  },
  'missing thread file': {
    wrong: () => createMetrics({ engine: 'pool', threadFile: '/nowhere/thread.js' }),
    right: separate,
  },
  // With the next three something is known to be wrong only after the memory is laid out.
  'catalog too small': {
    wrong: () => {
      new Counter({ name: 'wordy_total', help: 'x'.repeat(64_000) });
      getMetrics({ engine: 'pool', memory: { catalogBytes: 65_536 } });
    },
    right: separate,
  },
  // Of 16 the middleware's own metrics take three, and the loop lag one.
  'too many metrics': {
    wrong: () => {
      declareCounters(14);
      getMetrics({ engine: 'pool', memory: { maxFamilies: 16 } });
    },
    right: separate,
  },
  'one metric too many': {
    wrong: () => {
      declareCounters(13);
      getMetrics({ engine: 'pool', memory: { maxFamilies: 16 } });
    },
    right: separate,
  },
  'bad option of the process': {
    wrong: () => metricsMiddleware({ eventLoop: { intervalMs: 1 } }),
    right: ofProcess,
  },
  'bad variable': {
    wrong: () => {
      process.env['METRICS_HISTOGRAM_BUCKETS'] = '5,3';
      try {
        getMetrics({ engine: 'pool' });
      } finally {
        delete process.env['METRICS_HISTOGRAM_BUCKETS'];
      }
    },
    right: ofProcess,
  },
  'duplicate metric': {
    wrong: () => {
      new Counter({ name: 'http_requests_total', help: "The application's own." });
      getMetrics({ engine: 'pool' });
    },
    right: () => {
      register.removeSingleMetric('http_requests_total');
      return getMetrics();
    },
  },
  nothing: {
    wrong: () => createMetrics({ engine: 'pool' }),
    right: separate,
  },
};

const scenario = scenarios[process.argv[2] ?? ''];
if (scenario === undefined) throw new Error(`no scenario ${process.argv[2]}`);

function declareCounters(count: number): void {
  for (let index = 0; index < count; index++) {
    new Counter({ name: `own_${index}_total`, help: 'One of many.' });
  }
}

let refusal: { readonly code?: unknown; readonly message?: unknown } = {};
const kept = await keptBy(() => {
  try {
    scenario.wrong();
  } catch (error) {
    refusal = error as Error;
  }
});
printLine({ code: refusal.code, message: refusal.message, ...kept });

const metrics = scenario.right();
const page = Buffer.from(await metrics.render()).toString('utf8');
printLine({ hasPage: page.includes('# TYPE http_requests_total counter') });
await metrics.close();
