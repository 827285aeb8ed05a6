import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { useProcesses } from '../support/processes.js';
import { skip } from '../support/skip.js';
import type { LongRun } from './programs/observes-for-long.js';

const PROGRAM = fileURLToPath(new URL('./programs/observes-for-long.js', import.meta.url));
const RUN_MS_MAX = 240_000;

const GROWTH_BYTES_MAX = 2 * 2 ** 20;
const SEGMENT_BYTES_MAX = 8 * 2 ** 20;

describe('memory of 50 million observations over 200 routes, default options', function () {
  this.timeout(RUN_MS_MAX);
  const start = useProcesses();
  let run: LongRun;

  before(async () => {
    const flags = ['--expose-gc', '--max-semi-space-size=1'];
    const running = start(process.execPath, [...flags, PROGRAM]);
    const { exitCode, stdout, stderr } = await running.waitForEnd(RUN_MS_MAX);
    expect(exitCode, stderr).to.equal(0);
    run = JSON.parse(stdout);
    expect(run.observations).to.be.at.least(50_000_000);
  });

  it('is flat within 2 MB', () => {
    const [first = Number.NaN, ...later] = run.residentBytes;
    for (const bytes of later) expect(bytes - first).to.be.at.most(GROWTH_BYTES_MAX);
  });

  it('is at most 8 MB of the segment', function () {
    if (run.segmentResidentBytes === undefined) skip(this, 'the system has no /proc/self/smaps');
    expect(run.segmentResidentBytes).to.be.within(1, SEGMENT_BYTES_MAX);
  });
});
