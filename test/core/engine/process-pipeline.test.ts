import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { useProcesses } from '../../support/processes.js';

const core = dirname(createRequire(import.meta.url).resolve('@offloop/core/package.json'));

/** Runs in a process of its own, which no other test has put anything into. */
const script = `
import { createRequire } from 'node:module';
import assert from 'node:assert/strict';
const esm = await import(${JSON.stringify(join(core, 'dist/esm/index.js'))});
const cjs = createRequire(import.meta.url)(${JSON.stringify(join(core, 'dist/cjs/index.js'))});
assert.notEqual(esm.Counter, cjs.Counter, 'these are two copies');

assert.equal(esm.register, cjs.register);
assert.equal(esm.processPipeline(), cjs.processPipeline());
assert.deepEqual(Object.keys(globalThis).filter((key) => key.includes('offloop')), []);

const labelNames = ['a'];
const fromEsm = new esm.Counter({ name: 'esm_total', help: 'x', labelNames });
const fromCjs = new cjs.Histogram({ name: 'cjs_seconds', help: 'x', labelNames, buckets: [1] });
fromEsm.inc({ a: '1' });
fromCjs.observe({ a: '1' }, 0.5);
fromEsm.labels('1').inc();
fromCjs.labels('1').observe(2);
const page = await cjs.register.metrics();
assert.equal(page, await esm.register.metrics());
assert.match(page, /^esm_total\\{a="1"\\} 2$/m);
assert.match(page, /^cjs_seconds_count\\{a="1"\\} 2$/m);

const refusal = (call) => { try { call(); } catch (error) { return error; } };
const duplicate = refusal(() => new cjs.Counter({ name: 'esm_total', help: 'x' }));
assert.ok(esm.isOffloopError(duplicate, 'OFFLOOP_ERR_DUPLICATE_METRIC'));
assert.ok(cjs.isOffloopError(duplicate, 'OFFLOOP_ERR_DUPLICATE_METRIC'));
const late = refusal(() => esm.processPipeline().configure({ ring: { capacityRecords: 256 } }));
assert.ok(cjs.isOffloopError(late, 'OFFLOOP_ERR_ALREADY_STARTED'));

const own = new cjs.Registry(new cjs.Pipeline());
new esm.Counter({ name: 'esm_total', help: 'x', registers: [own] }).inc(9);
assert.match(await own.metrics(), /^esm_total 9$/m);
assert.match(await esm.register.metrics(), /^esm_total\\{a="1"\\} 2$/m);
console.log('two copies, one register');
`;

describe('the process’s pipeline and register', () => {
  const start = useProcesses();

  it('are one for the ESM and the CommonJS copy of the package', async () => {
    const end = await start(process.execPath, ['--input-type=module', '-e', script]).waitForEnd();
    expect(end.stderr).to.equal('');
    expect(end.stdout).to.equal('two copies, one register\n');
    expect(end.exitCode).to.equal(0);
  });
});
