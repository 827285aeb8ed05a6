import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type ProcessOptions, useProcesses } from '../support/processes.js';
import { useTemporaryFolders } from '../support/temporary-folder.js';

/** From the program's last word to its end; a thread that boots is waited for. */
const LINGER_MS_MAX = 5_000;

const { resolve } = createRequire(import.meta.url);

/**
 * Measures wherever it is loaded, as the set-up of an application that is brought in by `--require` does. Where OFFLOOP_TEST_THREAD names one, with that
 * thread's file.
 */
const PRELOAD = `
  const { appendFileSync } = require('node:fs');
  const { isMainThread } = require('node:worker_threads');
  const { createRecorder, Segment } = require(${JSON.stringify(resolve('@offloop/core/engine'))});
  const { createEngine } = require(${JSON.stringify(resolve('@offloop/worker'))});
  const sizes = { maxFamilies: 16, maxSeries: 16, catalogBytes: 65_536, aggregateCells: 65_536 };
  const segment = Segment.create({ capacityRecords: 256, ...sizes });
  const threadFile = process.env.OFFLOOP_TEST_THREAD;
  const engine = createEngine({ segment, recorder: createRecorder(segment), threadFile });
  globalThis.offloopTestEngine = engine;
  appendFileSync(process.env.OFFLOOP_TEST_LOG, (isMainThread ? 'main: ' : 'thread: ') + engine.kind + '\\n');
`;

describe('a process with a pool engine', function () {
  this.timeout(60_000);
  const start = useProcesses();
  const temporaryFolder = useTemporaryFolders();

  for (const [program, what, stderr] of [
    ['only-starts', 'that it has just started', /^$/],
    ['records-and-reads', 'that is at work', /^$/],
    ['closes', 'that it has closed', /^$/],
    ['loses-threads', 'whose threads cannot start', /^$/],
    [
      'has-a-hung-thread',
      'that has replaced a thread',
      /^\(node:\d+\) \[OFFLOOP_ERR_THREAD_LOST\] OffloopWarning: offloop: .+\n\(Use `node .+\n$/,
    ],
  ] as const) {
    it(`${what} ends by itself, and says nothing but what it must`, async () => {
      const end = await run(program);
      expect(end.stdout).to.equal('done\n');
      expect(end.stderr).to.match(stderr);
    });
  }

  it('measures once, where a preload does so', async () => {
    expect(await enginesOf('')).to.equal('main: pool\n');
  });

  it('starts no thread in a thread, where that measures', async () => {
    const thread = `require(process.env.OFFLOOP_TEST_PRELOAD);
      module.exports = require(${JSON.stringify(resolve('@offloop/worker/thread'))});`;
    expect(await enginesOf(thread)).to.equal('main: pool\nthread: inline\n');
  });

  /** @param thread Source of the thread's file, where it is not the usual one. */
  async function enginesOf(thread: string): Promise<string> {
    const folder = temporaryFolder();
    const log = join(folder, 'engines.log');
    const preload = join(folder, 'preload.cjs');
    const threadFile = join(folder, 'thread.cjs');
    writeFileSync(log, '');
    writeFileSync(preload, PRELOAD);
    writeFileSync(threadFile, thread);
    const end = await run('flushes-its-preload', {
      env: {
        NODE_OPTIONS: `--require=${preload}`,
        OFFLOOP_TEST_LOG: log,
        OFFLOOP_TEST_PRELOAD: preload,
        OFFLOOP_TEST_THREAD: thread === '' ? undefined : threadFile,
      },
    });
    expect(end.stderr).to.equal('');
    return readFileSync(log, 'utf8');
  }

  async function run(program: string, options: ProcessOptions = {}) {
    const path = fileURLToPath(new URL(`./programs/${program}.js`, import.meta.url));
    const running = start(process.execPath, ['--conditions=offloop-internal', path], {
      env: { NODE_OPTIONS: undefined },
      ...options,
    });
    await running.waitForOutput(/done/, 30_000);
    const end = await running.waitForEnd(LINGER_MS_MAX);
    expect(end.exitCode, end.stderr).to.equal(0);
    return end;
  }
});
