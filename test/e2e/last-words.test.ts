import { fileURLToPath } from 'node:url';
import { createMetrics } from '@offloop/express';
import { expect } from 'chai';
import { refusalOf } from '../core/refusal.js';
import { useProcesses } from '../support/processes.js';

const JOBS = 12_345;
const BY_EXIT = (exitCode: number) => ({ by: 'exit', exitCode });

describe('the last words of a process', function () {
  this.timeout(60_000);
  const start = useProcesses();

  for (const engine of ['pool', 'booting', 'inline']) {
    for (const [route, end, exit] of [
      ['natural end', BY_EXIT(0), 0],
      ['natural end with a code', BY_EXIT(3), 3],
      ['process.exit', BY_EXIT(4), 4],
      ['SIGTERM', { by: 'signal', signal: 'SIGTERM' }, 'SIGTERM'],
      ['SIGINT', { by: 'signal', signal: 'SIGINT' }, 'SIGINT'],
      ['SIGTERM that is handled', BY_EXIT(5), 5],
      ['SIGTERM that is handled once', BY_EXIT(5), 5],
      ['SIGTERM beside signal-exit', { by: 'signal', signal: 'SIGTERM' }, 'SIGTERM'],
      ['SIGTERM beside a later signal-exit', { by: 'signal', signal: 'SIGTERM' }, 'SIGTERM'],
      ['SIGTERM beside both signal-exits', { by: 'signal', signal: 'SIGTERM' }, 'SIGTERM'],
      ['uncaught exception', BY_EXIT(1), 1],
      ['unhandled rejection', BY_EXIT(1), 1],
    ] as const) {
      it(`hold all that was recorded, and leave its end as it is: ${route}, engine ${engine}`, async () => {
        const { exitCode, signal, stdout, stderr } = await run(engine, route);
        expect(stdout.trim().split('\n')).to.have.lengthOf(1);
        expect(JSON.parse(stdout)).to.deep.equal({ end, isWhole: true, backlog: 0, jobs: JOBS });
        expect(signal ?? exitCode, stderr).to.equal(exit);
        if (typeof exit === 'number' && exit !== 1) expect(stderr).to.equal('');
      });
    }
  }

  it('are an error on stderr where the exporter throws, and change no exit code', async () => {
    const { exitCode, stderr } = await run('pool', 'exporter that throws');
    expect(exitCode).to.equal(6);
    expect(stderr).to.match(/^offloop: the final exporter failed: Error: no disk\n/);
  });

  it('are a line on stderr where what is thrown cannot be shown', async () => {
    const { exitCode, stderr } = await run('pool', 'exporter that throws what cannot be shown');
    expect(exitCode).to.equal(7);
    expect(stderr).to.equal('offloop: the final exporter failed: a value that cannot be shown\n');
  });

  it('are not said by metrics that were closed', async () => {
    const { exitCode, stdout, stderr } = await run('pool', 'closed');
    expect(stderr).to.equal('');
    expect(stdout).to.equal('');
    expect(exitCode).to.equal(0);
  });

  it('leave no listener once they are taken back, and none without an exporter', async () => {
    const listeners = () =>
      (['exit', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const).map((name) => process.listenerCount(name));
    const before = listeners();
    const metrics = createMetrics({ engine: 'inline' });
    expect(listeners()).to.deep.equal(before);
    const forget = metrics.onExit(() => {});
    metrics.onExit(() => {});
    expect(listeners()).to.deep.equal(before.map((count) => count + 2));
    forget();
    await metrics.close();
    expect(listeners()).to.deep.equal(before);
  });

  it('are refused to what is no exporter', async () => {
    const metrics = createMetrics({ engine: 'inline' });
    expect(refusalOf('OFFLOOP_ERR_ARGUMENT', () => metrics.onExit('file' as never))).to.equal(
      'onExit: exporter must be a function, got "file"',
    );
    expect(
      refusalOf('OFFLOOP_ERR_ARGUMENT', () => metrics.onExit(() => {}, { waitMs: -1 })),
    ).to.equal('onExit: waitMs must be a number in [0, 60000], got -1');
    await metrics.close();
  });

  async function run(engine: string, route: string) {
    const path = fileURLToPath(new URL('./programs/ends.js', import.meta.url));
    const running = start(
      process.execPath,
      ['--conditions=offloop-internal', path, engine, route],
      { env: { NODE_OPTIONS: undefined } },
    );
    return running.waitForEnd(20_000);
  }
});
