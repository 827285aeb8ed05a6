// Scrapes the off-loop port of a process of its own: `node port-subject.js <condition> <ms>`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { BlockOrder, BlockWay, PortAppAddress } from './port-app.js';

/** What the process tells its parent. */
export interface PortLatencies {
  /** Of each scrape of the port, ms. */
  readonly scrapesMs: readonly number[];
  /** Of each request to the app itself, ms; none where its main thread is blocked. */
  readonly appMs: readonly number[];
  readonly failures: number;
}

const SCRAPE_EVERY_MS = 100;
const HOSTILE_CONNECTIONS = 1_000;

const [, , condition = '', duration = '0'] = process.argv;
const durationMs = Number(duration);
const app = fork(fileURLToPath(new URL('./port-app.js', import.meta.url)), [], {
  execArgv: ['--conditions=offloop-internal'],
});
const [address] = (await once(app, 'message')) as [PortAppAddress];
const isBlocked = condition !== 'idle' && condition !== 'hostile clients';
const hostile = condition === 'hostile clients' ? await attack(address.port) : [];

let isOver = false;
const over = isBlocked ? blocked(condition as BlockWay) : pause(durationMs);
void over.then(() => {
  isOver = true;
});
const latencies: PortLatencies & { scrapesMs: number[]; appMs: number[]; failures: number } = {
  scrapesMs: [],
  appMs: [],
  failures: 0,
};
// The order to block is on its way.
await pause(50);
while (!isOver) {
  const next = pause(SCRAPE_EVERY_MS);
  await measure(address.port, '/metrics', latencies.scrapesMs);
  if (!isBlocked) await measure(address.appPort, '/', latencies.appMs);
  for (const socket of hostile) if (!socket.destroyed) socket.write('a');
  await next;
}
for (const socket of hostile) socket.destroy();
process.send?.(latencies);
app.kill();
process.disconnect();

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

async function measure(port: number, path: string, into: number[]): Promise<void> {
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
