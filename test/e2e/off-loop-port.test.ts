import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { useProcesses } from '../support/processes.js';
import { useTemporaryFolders } from '../support/temporary-folder.js';
import { needTool } from '../support/tools.js';
import { eventually } from './eventually.js';
import { ask } from './http-client.js';
import { PrometheusServer } from './prometheus-server.js';

const BLOCK_MS = 5_000;
const SCRAPE_EVERY_MS = 100;
/** Of the fifty in the five seconds of a block, whose beginning and end are not known to a tenth. */
const SCRAPES_MIN = 45;
/** The scrape at which the other paths are asked as well. */
const LIVE_AT = 25;
/** Those at which the port is asked for how long; by the first of them it knows why. */
const SIGHTS_AT = [15, 25, 35];
/** How far off the length of a stall may be. */
const ERROR_MS_MAX = 150;
/** The lag is sampled so often; a block's lag is too short by up to so much. */
const LAG_INTERVAL_MS = 1_000;
const WAYS = [
  ['busy loop', 'javascript'],
  ['catastrophic regex', 'javascript'],
  ['Atomics.wait', 'waiting'],
  ['execSync', 'system_call'],
  ['pbkdf2Sync', 'javascript'],
] as const;
/** Causes are read from /proc. */
const HAS_CAUSES = process.platform === 'linux';

interface Word {
  readonly kind: 'listens' | 'blocks' | 'is back';
  readonly port?: number;
  /** Of the block, by the real clock. */
  readonly startedMs?: number;
  readonly endedMs?: number;
}

/** What the port says of the loop while it is blocked. */
interface Sight {
  readonly atMs: number;
  readonly main_blocked_ms: number;
  readonly main_blocked_by: string | null;
}

interface Scrape {
  readonly status: number;
  readonly body: string;
  /** Whether it was answered while main was blocked. */
  readonly isMeanwhile: boolean;
}

describe('the off-loop port of a main thread that is blocked for 5 s', function () {
  this.timeout(120_000);
  const startProcess = useProcesses();
  const temporaryFolder = useTemporaryFolders();
  let app: ChildProcess;
  let port: number;

  before(async () => {
    const program = fileURLToPath(new URL('./programs/blocks-its-loop.js', import.meta.url));
    app = fork(program, [String(BLOCK_MS)], { execArgv: ['--conditions=offloop-internal'] });
    port = (await wordOf('listens')).port as number;
  });
  after(async () => {
    app.kill('SIGKILL');
    if (app.exitCode === null && app.signalCode === null) await once(app, 'exit');
  });

  for (const [way, cause] of WAYS) {
    it(`answers every scrape, ten a second, and says for how long and why: ${way}`, async () => {
      app.send(way);
      await wordOf('blocks');
      let isBack = false;
      const scrape = async (): Promise<Scrape> => {
        const { status, body } = await ask({ port, path: '/metrics' });
        return { status, body, isMeanwhile: !isBack };
      };
      const back = wordOf('is back').then((word) => {
        isBack = true;
        return word;
      });
      await delay(200);
      const scrapes: Promise<Scrape>[] = [];
      const sights: Sight[] = [];
      const firstMs = performance.now();
      while (!isBack) {
        scrapes.push(scrape());
        if (SIGHTS_AT.includes(scrapes.length)) {
          const { body } = await ask({ port, path: '/health/live' });
          sights.push({ ...JSON.parse(body), atMs: Date.now() });
        }
        if (scrapes.length === LIVE_AT) {
          const ready = await ask({ port, path: '/health/ready' });
          const diagnostics = await ask({ port, path: '/diagnostics/metrics' });
          expect(isBack, 'these were answered while main was blocked').to.equal(false);
          expect(ready.status).to.equal(503);
          expect(JSON.parse(diagnostics.body)).to.include({ total_requests: 0 });
        }
        const nextMs = firstMs + scrapes.length * SCRAPE_EVERY_MS;
        await delay(Math.max(0, nextMs - performance.now()));
      }
      const answered = await Promise.all(scrapes);
      const whileBlocked = answered.filter(({ isMeanwhile }) => isMeanwhile);
      expect(whileBlocked.length).to.be.at.least(SCRAPES_MIN);
      const statuses = answered.map(({ status }) => status);
      for (const { body } of answered) expect(body).to.include('\nblocks_total 0\n');
      expect(new Set(statuses)).to.deep.equal(new Set([200]));
      const { startedMs = 0, endedMs = 0 } = await back;
      expect(sights).to.have.lengthOf(SIGHTS_AT.length);
      for (const { atMs, main_blocked_ms, main_blocked_by } of sights) {
        expect(main_blocked_ms).to.be.closeTo(atMs - startedMs, ERROR_MS_MAX);
        if (HAS_CAUSES) expect(main_blocked_by).to.equal(cause);
      }
      const lengthMs = endedMs - startedMs;
      const loop = await eventually(
        async () => {
          const { body } = await ask({ port, path: '/diagnostics/metrics' });
          const { last_stall, max_lag_ms, p99_lag_ms } = JSON.parse(body).event_loop;
          const isSeen = Date.parse(last_stall?.started_at) >= startedMs - 2 * ERROR_MS_MAX;
          const isSampled = max_lag_ms >= lengthMs - LAG_INTERVAL_MS - ERROR_MS_MAX;
          return isSeen && isSampled ? { last_stall, p99_lag_ms } : undefined;
        },
        { what: 'the stall and its lag' },
      );
      expect(loop.last_stall.duration_ms).to.be.closeTo(lengthMs, ERROR_MS_MAX);
      if (HAS_CAUSES) expect(loop.last_stall.cause).to.equal(cause);
      expect(loop.p99_lag_ms).to.be.at.least((lengthMs - LAG_INTERVAL_MS) * 0.9);
      // The stall may still count, as the next one may follow; and it is over.
      const ready = JSON.parse((await ask({ port, path: '/health/ready' })).body);
      expect(ready.reasons).to.not.include('main_blocked');
      expect(JSON.parse((await ask({ port, path: '/health' })).body).main_blocked_ms).to.equal(0);
    });
  }

  it('keeps the target of a real Prometheus up throughout', async function () {
    const program = needTool(this, 'prometheus');
    const prometheus = await PrometheusServer.start({
      program,
      startProcess,
      folder: temporaryFolder(),
      scrapedPort: port,
    });
    await eventually(
      async () => ((await prometheus.target())?.health === 'up' ? true : undefined),
      { what: 'a target that is up' },
    );
    app.send('busy loop');
    await wordOf('is back');
    const [lowest] = await prometheus.query('min_over_time(up[10s])');
    const [scrapes] = await prometheus.query('count_over_time(up[10s])');
    expect(lowest?.value).to.equal(1);
    expect(scrapes?.value).to.be.at.least(4);
    await prometheus.stop();
  });

  it('lets the process end by itself', async () => {
    app.send('end');
    const [exitCode] = await once(app, 'exit');
    expect(exitCode).to.equal(0);
  });

  function wordOf(kind: Word['kind']): Promise<Word> {
    return new Promise((resolve) => {
      const listen = (word: Word) => {
        if (word.kind !== kind) return;
        app.off('message', listen);
        resolve(word);
      };
      app.on('message', listen);
    });
  }
});
