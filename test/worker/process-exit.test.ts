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

/** Measures wherever it is loaded, as the set-up of an application that is brought in by `--require` does. */
const PRELOAD = `
  const { appendFileSync } = require('node:fs');
  const { isMainThread } = require('node:worker_threads');
  const { createRecorder, Segment } = require(${JSON.stringify(resolve('@offloop/core/engine'))});
  const { createEngine } = require(${JSON.stringify(resolve('@offloop/worker'))});
  const sizes = { maxFamilies: 16, maxSeries: 16, catalogBytes: 65_536, aggregateCells: 65_536 };
  const segment = Segment.create({ capacityRecords: 256, ...sizes });
  const engine = createEngine({ segment, recorder: createRecorder(segment) });
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

  it('starts no thread in a thread, where a preload measures', async () => {
    const folder = temporaryFolder();
    const log = join(folder, 'engines.log');
    const preload = join(folder, 'preload.cjs');
    writeFileSync(log, '');
    writeFileSync(preload, PRELOAD);
    const end = await run('measures-in-its-preload', {
      env: { NODE_OPTIONS: `--require=${preload}`, OFFLOOP_TEST_LOG: log },
    });
    expect(end.stderr).to.equal('');
    expect(readFileSync(log, 'utf8')).to.equal('main: pool\nthread: inline\n');
  });

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
