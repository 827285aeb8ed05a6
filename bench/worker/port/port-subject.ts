// Scrapes the off-loop port of a process of its own: `node port-subject.js <ms a condition>`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { BlockOrder, BlockWay, PortAppAddress } from './port-app.js';

/** What the process tells its parent. */
export interface PortLatencies {
  readonly condition: string;
  /** Of each scrape of the port, ms. */
  readonly scrapesMs: readonly number[];
  /** Of each request to the app itself, ms; none where its main thread is blocked. */
  readonly appMs: readonly number[];
  readonly failures: number;
}

interface Measured extends PortLatencies {
  readonly scrapesMs: number[];
  readonly appMs: number[];
  failures: number;
}

const BLOCKS: readonly BlockWay[] = [
  'busy loop',
  'regex',
  'Atomics.wait',
  'execSync',
  'pbkdf2Sync',
];
const SCRAPE_EVERY_MS = 100;
const HOSTILE_CONNECTIONS = 1_000;

const durationMs = Number(process.argv[2]);
const app = fork(fileURLToPath(new URL('./port-app.js', import.meta.url)), [], {
  execArgv: ['--conditions=offloop-internal'],
});
const [address] = (await once(app, 'message')) as [PortAppAddress];
const measured: PortLatencies[] = [await first()];
for (const condition of ['idle', ...BLOCKS, 'hostile clients']) {
  measured.push(await measureUnder(condition));
}
process.send?.(measured);
app.kill();
process.disconnect();

/** Code that runs for the first time, in the thread and here. */
async function first(): Promise<PortLatencies> {
  const latencies = { condition: 'first of the process', scrapesMs: [], appMs: [], failures: 0 };
  await measure(address.port, '/metrics', { latencies, into: latencies.scrapesMs });
  return latencies;
}

async function measureUnder(condition: string): Promise<PortLatencies> {
  const latencies: Measured = { condition, scrapesMs: [], appMs: [], failures: 0 };
  const isBlocked = (BLOCKS as readonly string[]).includes(condition);
  const hostile = condition === 'hostile clients' ? await attack(address.port) : [];
  let isOver = false;
  const over = isBlocked ? blocked(condition as BlockWay) : pause(durationMs);
  void over.then(() => {
    isOver = true;
  });
  // The order to block is on its way.
  await pause(50);
  while (!isOver) {
    const next = pause(SCRAPE_EVERY_MS);
    await measure(address.port, '/metrics', { latencies, into: latencies.scrapesMs });
    if (!isBlocked) await measure(address.appPort, '/', { latencies, into: latencies.appMs });
    for (const socket of hostile) if (!socket.destroyed) socket.write('a');
    await next;
  }
  for (const socket of hostile) socket.destroy();
  return latencies;
}

async function blocked(way: BlockWay): Promise<void> {
  app.send({ way, durationMs } satisfies BlockOrder);
  await once(app, 'message');
}

/** Half of them idle, half with headers that never end. Whoever is closed comes back. */
async function attack(port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let index = 0; index < HOSTILE_CONNECTIONS; index++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
    if (index % 2 === 0) socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ');
  }
  return sockets;
}

async function measure(
  port: number,
  path: string,
  { latencies, into }: { readonly latencies: { failures: number }; readonly into: number[] },
): Promise<void> {
  const startedMs = performance.now();
  try {
    await new Promise<void>((resolve, reject) => {
      request({ host: '127.0.0.1', port, path, agent: false }, (response) => {
        response.resume().on('end', resolve).on('error', reject);
        if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      })
        .on('error', reject)
        .end();
    });
    into.push(performance.now() - startedMs);
  } catch {
    latencies.failures++;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
