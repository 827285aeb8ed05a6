import { setTimeout as delay } from 'node:timers/promises';
import type { Snapshot } from '@offloop/express';
import { expect } from 'chai';
import { useProcesses } from '../support/processes.js';
import type { StallKind } from '../support/programs/stalls.js';
import { skip } from '../support/skip.js';
import { type StalledApp, startStalledApp } from '../support/stalled-app.js';
import { needTool } from '../support/tools.js';
import { eventually } from './eventually.js';

const STALL_MS = 3_000;
/** Of the ways that a main thread is blocked. */
const BLOCK_MS = 5_000;
/** The lag is sampled so often here; a block's lag is too short by up to so much. */
const INTERVAL_MS = 200;
const ERROR_MS_MAX = 150;

describe('a loop that stands still for some seconds', function () {
  this.timeout(60_000);
  const start = useProcesses();
  let app: StalledApp;

  before(async () => {
    app = await startStalledApp(start, { eventLoop: { intervalMs: INTERVAL_MS } });
  });

  for (const [kind, cause] of [
    ['busy loop', 'javascript'],
    ['catastrophic regex', 'javascript'],
    ['Atomics.wait', 'waiting'],
    ['execSync', 'system_call'],
    ['pbkdf2Sync', 'javascript'],
  ] as const satisfies readonly (readonly [StallKind, string])[]) {
    it(`by ${kind} is seen while it does, for how long and why, and remembered`, async function () {
      if (process.platform !== 'linux') skip(this, 'causes are read from /proc');
      const { startedMs, endedMs, atOnce } = await app.stall(kind, BLOCK_MS);
      const lengthMs = endedMs - startedMs;
      const during = app.seen().filter(({ atMs }) => atMs > startedMs + 500 && atMs < endedMs);
      expect(during.length).to.be.at.least(10);
      for (const { atMs, blockedMs } of during) {
        expect(blockedMs).to.be.closeTo(atMs - startedMs, ERROR_MS_MAX);
      }
      const late = during.filter(({ atMs }) => atMs > startedMs + 1_200);
      expect(new Set(late.map(({ blockedBy }) => blockedBy))).to.deep.equal(new Set([cause]));
      expect(atOnce.blockedMs).to.be.closeTo(lengthMs, ERROR_MS_MAX);

      const { longestStall, lastStall, blockedMs, maxLagMs, p99LagMs } = await eventually(
        async () => {
          const eventLoop = await loopOf(app);
          const { maxLagMs } = eventLoop;
          return maxLagMs !== null && maxLagMs > lengthMs - 2 * INTERVAL_MS ? eventLoop : undefined;
        },
        { what: 'the lag of the stall' },
      );
      expect(blockedMs).to.equal(0);
      expect(lastStall?.cause).to.equal(cause);
      expect(lastStall?.durationMs).to.be.closeTo(lengthMs, ERROR_MS_MAX);
      expect(Date.parse(lastStall?.startedAt ?? '')).to.be.closeTo(startedMs, 2 * ERROR_MS_MAX);
      expect(longestStall?.durationMs).to.be.at.least(lastStall?.durationMs as number);
      expect(maxLagMs).to.be.at.least(lengthMs - INTERVAL_MS - ERROR_MS_MAX);
      expect(p99LagMs).to.be.at.least((lengthMs - INTERVAL_MS) * 0.9);
    });
  }

  it('because the whole process was stopped is told from one that its own code blocked', async function () {
    if (process.platform !== 'linux') skip(this, 'causes are read from /proc');
    const pid = app.process.pid as number;
    const startedMs = Date.now();
    process.kill(pid, 'SIGSTOP');
    await delay(STALL_MS);
    process.kill(pid, 'SIGCONT');
    const lengthMs = Date.now() - startedMs;
    const lastStall = await stallAfter(startedMs - ERROR_MS_MAX);
    expect(lastStall.cause).to.equal('paused');
    expect(lastStall.durationMs).to.be.closeTo(lengthMs, ERROR_MS_MAX);
  });

  it('for want of a processor is told from one that computes', async function () {
    const taskset = needTool(this, 'taskset');
    const hungry = await startStalledApp(start, {}, [taskset, '-c', '0', 'nice', '-n', '19']);
    const others = Array.from({ length: 3 }, () =>
      start(taskset, ['-c', '0', process.execPath, '-e', 'for (;;);']),
    );
    await hungry.stall('busy loop', STALL_MS);
    await Promise.all(others.map((other) => other.stop('SIGKILL')));
    // It may have starved before and after that as well.
    const { longestStall } = await loopOf(hungry);
    expect(longestStall?.cause).to.equal('starved');
    expect(longestStall?.durationMs).to.be.at.least(STALL_MS - ERROR_MS_MAX);
  });

  it('is counted by cause on the page, a second after its end', async () => {
    const page = await eventually(
      async () => {
        const text = await (await fetch(`http://127.0.0.1:${app.port}/page`)).text();
        return /^offloop_event_loop_stalls_total\{cause="paused"\} 1$/m.test(text)
          ? text
          : undefined;
      },
      { what: 'all stalls to be counted' },
    );
    const value = (name: string): number =>
      Number(new RegExp(`^offloop_event_loop_${name} (.*)$`, 'm').exec(page)?.[1]);
    expect(value('stalls_total\\{cause="javascript"\\}')).to.be.at.least(3);
    expect(value('stalls_total\\{cause="waiting"\\}')).to.equal(1);
    expect(value('stalls_total\\{cause="system_call"\\}')).to.equal(1);
    expect(value('stall_seconds_total\\{cause="waiting"\\}')).to.be.closeTo(5, 0.15);
    expect(value('longest_stall_seconds')).to.be.at.least(4.85);
    expect(value('lag_max_seconds')).to.be.at.least(4.65);
    expect(value('lag_p99_seconds')).to.be.at.least(4.3);
    expect(value('blocked_seconds')).to.equal(0);
    expect(value('utilization_ratio')).to.be.within(0, 1);
  });

  describe('with stacks asked for', () => {
    let asked: StalledApp;
    before(async () => {
      asked = await startStalledApp(start, { eventLoop: { stacksPerHour: 2 } });
    });

    for (const [kind, isAnswered] of [
      ['busy loop', true],
      ['pbkdf2Sync', false],
      ['busy loop', false],
    ] as const) {
      it(`${isAnswered ? 'has' : 'has no'} stack by ${kind}, of two an hour, and goes on`, async () => {
        const { startedMs } = await asked.stall(kind, STALL_MS);
        const { stack } = await stallAfter(startedMs - ERROR_MS_MAX, asked);
        if (isAnswered) {
          // The loop looks at the clock, and may be found in Node's code for that.
          const [frame, ...others] =
            stack?.split('\n').filter((line) => !/(^|\()node:/.test(line)) ?? [];
          expect(frame).to.match(/^busy loop \(file:.*stalls\.js:\d+:\d+\)$/);
          expect(others.length).to.be.at.least(1);
        } else {
          expect(stack).to.equal(null);
        }
      });
    }
  });

  async function stallAfter(
    unixMs: number,
    of = app,
  ): Promise<NonNullable<Snapshot['eventLoop']['lastStall']>> {
    return eventually(
      async () => {
        const { lastStall, blockedMs } = await loopOf(of);
        const isThere = lastStall !== null && Date.parse(lastStall.startedAt) >= unixMs;
        // The verdict may come a moment after the end.
        return isThere && blockedMs === 0 && lastStall.cause !== 'unknown' ? lastStall : undefined;
      },
      { what: 'the stall to be over and explained' },
    );
  }
});

async function loopOf({ port }: StalledApp): Promise<Snapshot['eventLoop']> {
  const response = await fetch(`http://127.0.0.1:${port}/snapshot`);
  return ((await response.json()) as Snapshot).eventLoop;
}
