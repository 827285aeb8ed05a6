import { expect } from 'chai';
import { type RunningProcess, useProcesses } from '../support/processes.js';
import { DEMO_START_MS_MAX, isAlive, launchDemo, startDemo, trafficPid } from './demo-process.js';
import { eventually } from './eventually.js';
import { ask } from './http-client.js';

/** The traffic process may have to wait for an answer of the slow route, on a machine that is slow itself. */
const DEMO_END_MS_MAX = 20_000;

/** Time, requests a second, in flight, p50, p95, p99, lag (avg, p95), ring fill, drops. */
const LIVE_LINE =
  /^ *\d\d:\d\d +[\d,]+ +[\d,]+ +[\d.]+ +[\d.]+ +[\d.]+ +(?:[\d.]+|–) +(?:[\d.]+|–) +[\d.]+ % +0$/gm;

describe('the demo', function () {
  this.timeout(60_000);
  const startProcess = useProcesses();

  it('ends by itself after --seconds, with a line for each and a table of the routes', async () => {
    const demo = launchDemo(startProcess, ['--seconds', '3']);
    const traffic = await trafficPid(demo);
    const { exitCode, stdout, stderr } = await demo.waitForEnd(DEMO_START_MS_MAX + DEMO_END_MS_MAX);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    expect(isAlive(traffic)).to.equal(false);
    for (const path of [
      '/status',
      '/metrics',
      '/internal/metrics',
      '/diagnostics/metrics',
      '/health',
    ]) {
      expect(stdout).to.match(new RegExp(`http://127\\.0\\.0\\.1:\\d+${path}$`, 'm'));
    }
    expect(stdout).to.match(/http:\/\/127\.0\.0\.1:\d+\/metrics, also while/);
    expect(stdout).to.match(/time +req\/s .*p50 ms +p95 ms +p99 ms .*lag.*ring fill +drops$/m);
    // Three seconds, and the machine may be late by one.
    expect(stdout.match(LIVE_LINE)?.length, stdout).to.be.within(2, 4);
    expect(stdout).to.match(/^GET +\/teams\/:teamId\/players\/:playerId( +[\d,.]+){5}$/m);
    expect(stdout).to.match(/^GET +__unmatched__( +[\d,.]+){5}$/m);
    expect(stdout).to.match(/^Cache games: [1-9][\d,]* hits, [1-9]\d* misses$/m);
    expect(stdout).to.match(/^WebSockets: 5 connections, ([1-9]\d*) messages sent, \1 read$/m);
  });

  it('has measured every answer that its traffic process has read', async () => {
    const { stdout } = await launchDemo(startProcess, ['--seconds', '2']).waitForEnd(
      DEMO_START_MS_MAX + DEMO_END_MS_MAX,
    );
    const [, answers, requests] =
      stdout.match(/^Traffic: ([\d,]+) answers read; ([\d,]+) requests measured$/m) ?? [];
    expect(answers, stdout).to.be.a('string');
    expect(answers).to.equal(requests);
    const [, offered, recorded, dropped, aggregated] =
      stdout.match(
        /^Records: (\S+) offered = (\S+) recorded \+ (\S+) dropped; (\S+) aggregated, 0 in the ring$/m,
      ) ?? [];
    expect(dropped, stdout).to.equal('0');
    expect([offered, aggregated]).to.deep.equal([recorded, recorded]);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`ends cleanly on ${signal}, and its traffic process with it`, async () => {
      const { process: demo, port } = await startDemo(startProcess, []);
      const traffic = await trafficPid(demo);
      await eventually(async () => ((await requestCount(port)) > 10 ? true : undefined), {
        what: 'traffic',
      });
      expect(isAlive(traffic)).to.equal(true);
      // A terminal sends Ctrl-C to every process in it.
      process.kill(traffic, signal);
      const stdout = await endCleanly(demo, signal);
      expect(stdout).to.match(/requests measured$/m);
      expect(isAlive(traffic)).to.equal(false);
    });
  }

  it('takes its traffic process along when it is killed', async () => {
    const { process: demo } = await startDemo(startProcess, []);
    await trafficPid(demo);
    // Both write to one pipe, and stop() resolves when the last of them has let go of it. Whether the id is still there
    // would not tell: it stays until whoever inherits orphans on this machine looks after them.
    expect(await demo.stop('SIGKILL')).to.include({ signal: 'SIGKILL', stderr: '' });
  });

  it('starts no traffic with --rate 0', async () => {
    const { process: demo, port } = await startDemo(startProcess, ['--rate', '0']);
    expect(await requestCount(port)).to.equal(0);
    await ask({ port, path: '/version' });
    await eventually(async () => ((await requestCount(port)) === 1 ? true : undefined), {
      what: 'one request',
    });
    await endCleanly(demo, 'SIGINT');
  });

  it('says on the off-loop port that its main thread is blocked, while it is', async () => {
    const { process: demo, port } = await startDemo(startProcess, ['--rate', '0']);
    const [, offLoop] = await demo.waitForOutput(/:(\d+)\/metrics, also while/, 0);
    const blocking = ask({ port, path: '/blocking?ms=2000' });
    const live = await eventually(
      async () => {
        const answer = await ask({ port: Number(offLoop), path: '/health/live' });
        const { main_blocked_ms } = JSON.parse(answer.body);
        return main_blocked_ms > 0 ? answer : undefined;
      },
      { what: 'the block' },
    );
    expect(live.status).to.equal(200);
    await blocking;
    await endCleanly(demo, 'SIGINT');
  });

  for (const [preset, ...lines] of [
    [
      'express-prom-bundle',
      /^http_request_duration_seconds_count\{(?=.*status_code="200")(?=.*method="GET").*path="\/model\/:modelName\/health".*\} 1$/m,
      /^up 1$/m,
    ],
    [
      'promster',
      /^http_requests_total\{.*path="\/model\/:modelName\/health".*\} 1$/m,
      /^http_request_duration_seconds_count\{.*status_code="200".*\} 1$/m,
    ],
    [
      'prometheus-api-metrics',
      /^http_request_duration_seconds_count\{.*code="200".*\} 1$/m,
      /^http_response_size_bytes_count\{.*route="\/model\/:modelName\/health".*\} 1$/m,
    ],
  ] as const) {
    it(`has the metrics of ${preset} with --preset, and the same diagnostics`, async () => {
      const args = ['--rate', '0', '--preset', preset];
      const { process: demo, port } = await startDemo(startProcess, args);
      await ask({ port, path: '/model/phi3/health' });
      const page = await eventually(
        async () => {
          const { body } = await ask({ port, path: '/metrics' });
          return lines.every((line) => line.test(body)) ? body : undefined;
        },
        { what: 'the request on the page' },
      );
      expect(page).to.match(/^cache_/m);
      expect(await requestCount(port)).to.equal(1);
      await endCleanly(demo, 'SIGINT');
    });
  }

  for (const [args, reason] of [
    [['--unknown'], /--unknown/],
    [['--seconds'], /--seconds/],
    [['--seconds', '0'], /--seconds must be a number above 0 .*got "0"/],
    [['--seconds', 'ten'], /--seconds must be a number above 0 .*got "ten"/],
    [['--seconds', ''], /--seconds must be a number above 0 .*got ""/],
    [['--rate', '1.5'], /--rate must be a whole number in .*got "1\.5"/],
    [['--rate=-1'], /--rate must be a whole number in .*got "-1"/],
    [['--preset', 'other'], /--preset must be one of express-prom-bundle, .*got "other"/],
    [['--port', '65536'], /--port must be a whole number in .*got "65536"/],
    [['10'], /'10'/],
  ] as const) {
    it(`refuses ${args.join(' ') || '(nothing)'} with exit code 2 and starts nothing`, async () => {
      const { exitCode, stdout, stderr } = await launchDemo(startProcess, args).waitForEnd(
        DEMO_START_MS_MAX,
      );
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: '' });
      expect(stderr).to.match(reason).and.to.include('Usage: npm run demo');
      expect(stderr).to.not.match(/^ +at /m);
    });
  }

  it('explains itself with --help', async () => {
    const { exitCode, stdout, stderr } = await launchDemo(startProcess, ['--help']).waitForEnd(
      DEMO_START_MS_MAX,
    );
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    expect(stdout)
      .to.include('--seconds')
      .and.to.include('--rate')
      .and.to.include('--port')
      .and.to.include('--preset');
  });

  it('says so when its port is taken, with exit code 1 and no stack', async () => {
    const { process: first, port } = await startDemo(startProcess, ['--rate', '0']);
    const { exitCode, stderr } = await launchDemo(startProcess, [
      '--port',
      String(port),
    ]).waitForEnd(DEMO_START_MS_MAX);
    expect(exitCode).to.equal(1);
    expect(stderr).to.match(new RegExp(`^Cannot listen on port ${port} of 127\\.0\\.0\\.1: .*\n$`));
    await first.stop('SIGINT');
  });
});

async function endCleanly(demo: RunningProcess, signal: NodeJS.Signals): Promise<string> {
  const { stdout = '', ...end } = (await demo.stop(signal)) ?? {};
  expect(end, stdout).to.deep.equal({ exitCode: 0, signal: null, stderr: '' });
  return stdout;
}

async function requestCount(port: number): Promise<number> {
  const { body } = await ask({ port, path: '/diagnostics/metrics' });
  return JSON.parse(body).total_requests;
}
