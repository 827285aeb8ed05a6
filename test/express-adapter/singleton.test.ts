import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { useProcesses } from '../support/processes.js';

/** Runs in a process of its own, which no other test has measured in. */
const SCRIPT = `
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { getMetrics, metricsMiddleware, updateConfig } from '@offloop/express';
const copy = createRequire(import.meta.url)('@offloop/express');

const code = (call) => { try { call(); } catch (error) { return error.code; } };
assert.equal(code(() => updateConfig({ window: { seconds: 0 } })), 'OFFLOOP_ERR_OPTION_RANGE');

// Where there are no metrics yet, they are made with these.
const made = updateConfig({ engine: 'inline', window: { seconds: 60 } });
assert.equal(made.window.seconds, 60);
assert.equal(getMetrics().options, made);

metricsMiddleware({ quantiles: [0.5], engine: 'inline' });
assert.deepEqual(getMetrics().options.quantiles, [0.5]);
assert.equal(getMetrics().options.window.seconds, 60);

const changed = copy.updateConfig({ scrapePaths: ['/x'] });
assert.equal(getMetrics().options, changed);
assert.equal(code(() => updateConfig({ scrapePaths: [], engine: 'pool' })), 'OFFLOOP_ERR_ALREADY_STARTED');
assert.equal(code(() => metricsMiddleware({ scrapePaths: [], engine: 'pool' })), 'OFFLOOP_ERR_ALREADY_STARTED');
assert.equal(updateConfig(), changed, 'nothing was asked for');
assert.deepEqual(updateConfig({}), changed);
console.log('one configuration');
`;

describe('the metrics of the process', () => {
  const start = useProcesses();

  it('have one configuration, which updateConfig() and metricsMiddleware() change', async function () {
    this.timeout(20_000);
    const end = await start(process.execPath, ['--input-type=module', '--eval', SCRIPT], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
    }).waitForEnd(15_000);
    expect(end).to.deep.include({ exitCode: 0, stderr: '', stdout: 'one configuration\n' });
  });
});
