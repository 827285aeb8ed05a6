import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { useProcesses } from '../support/processes.js';

const PROGRAM = fileURLToPath(new URL('./programs/refused-start.js', import.meta.url));

/** Node starts in half a second on a slow machine; whatever keeps it alive does so for longer. */
const END_MS_MAX = 20_000;

const NOTHING_KEPT = { resources: [], hasSubscribers: false, processListeners: 0 };

/** Scenario of the program → code and message of the refusal. */
const REFUSALS: readonly (readonly [scenario: string, code: string, message: RegExp])[] = [
  ['unknown option', 'OFFLOOP_ERR_OPTION_UNKNOWN', /^engin must be .*got "pool"$/],
  ['wrong type', 'OFFLOOP_ERR_OPTION_TYPE', /^ring must be an object, got 5$/],
  ['out of range', 'OFFLOOP_ERR_OPTION_RANGE', /^ring\.capacityRecords must be .*got 1000$/],
  [
    'own option out of range',
    'OFFLOOP_ERR_OPTION_RANGE',
    /^scrapePaths must be .*got \["metrics"\]$/,
  ],
  ['missing thread file', 'OFFLOOP_ERR_THREAD_START', /\/nowhere\/thread\.js/],
  ['catalog too small', 'OFFLOOP_ERR_CATALOG_FULL', /memory\.catalogBytes/],
  [
    'bad option of the process',
    'OFFLOOP_ERR_OPTION_RANGE',
    /^eventLoop\.intervalMs must be .*got 1$/,
  ],
  ['bad variable', 'OFFLOOP_ERR_ENVIRONMENT', /^METRICS_HISTOGRAM_BUCKETS must be .*got "5,3"$/],
  ['duplicate metric', 'OFFLOOP_ERR_DUPLICATE_METRIC', /http_requests_total/],
  ['too many metrics', 'OFFLOOP_ERR_FAMILIES_FULL', /memory\.maxFamilies/],
  ['one metric too many', 'OFFLOOP_ERR_FAMILIES_FULL', /memory\.maxFamilies/],
];

describe('a start that is refused', function () {
  this.timeout(2 * END_MS_MAX);
  const startProcess = useProcesses();

  for (const [scenario, code, message] of REFUSALS) {
    it(`leaves nothing behind, and the process ends by itself: ${scenario}`, async () => {
      const { refusal, afterwards } = await run(scenario);
      const { code: actualCode, message: actualMessage, ...kept } = refusal;
      expect(actualCode).to.equal(code);
      expect(actualMessage).to.match(message);
      expect(kept).to.deep.equal(NOTHING_KEPT);
      expect(afterwards).to.deep.equal({ hasPage: true });
    });
  }

  it('differs from one that succeeds, which has a thread and a subscription', async () => {
    const { refusal } = await run('nothing');
    expect(refusal['code']).to.equal(undefined);
    expect(refusal['resources']).to.include.members(['WORKER', 'Timeout']);
    expect(refusal['hasSubscribers']).to.equal(true);
  });

  async function run(scenario: string) {
    const { exitCode, stdout, stderr } = await startProcess(process.execPath, [
      '--enable-source-maps',
      '--expose-gc',
      PROGRAM,
      scenario,
    ]).waitForEnd(END_MS_MAX);
    expect({ exitCode, stderr }, stdout).to.deep.equal({ exitCode: 0, stderr: '' });
    const [refusal, afterwards] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    if (refusal === undefined) throw new Error('the program printed nothing');
    return { refusal, afterwards };
  }
});
