import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { useProcesses } from '../support/processes.js';

const FLAGS = ['--enable-source-maps', '--conditions=offloop-internal', '--expose-gc'];
const main = fileURLToPath(new URL('../../../bench/.build/main.js', import.meta.url));

/** 15 s alone, and several times that where every core is busy. */
const SMOKE_MS_MAX = 180_000;

describe('bench', () => {
  const start = useProcesses();

  it('passes the correctness gate of every suite in smoke mode', async function () {
    this.timeout(SMOKE_MS_MAX);
    const listing = await start(process.execPath, [...FLAGS, main, '--list']).waitForEnd();
    const suites = listing.stdout.trim().split('\n');
    const running = start(process.execPath, [...FLAGS, main, '--smoke']);
    const { exitCode, stdout, stderr } = await running.waitForEnd(SMOKE_MS_MAX);
    expect(exitCode, `${stdout}\n${stderr}`).to.equal(0);
    for (const suite of suites) expect(`\n${stdout}`).to.include(`\n${suite}: `);
  });

  it('refuses to write figures of a smoke run into the README', async () => {
    const running = start(process.execPath, [...FLAGS, main, '--smoke', '--write-readme']);
    const { exitCode, stderr } = await running.waitForEnd();
    expect(exitCode).to.equal(1);
    expect(stderr).to.match(/--write-readme/);
  });

  it('fails when no suite is called what was asked for', async () => {
    const running = start(process.execPath, [...FLAGS, main, 'no-such-suite']);
    const { exitCode, stderr } = await running.waitForEnd();
    expect(exitCode).to.equal(1);
    expect(stderr).to.match(/no-such-suite/);
  });
});
