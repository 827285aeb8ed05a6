// An app with the off-loop port on, which blocks its main thread when it is told to: `node port-app.js`.
import { execSync } from 'node:child_process';
import { pbkdf2Sync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Histogram } from '@offloop/core';
import { createMetrics } from '@offloop/express';

/** What the app tells once it serves. */
export interface PortAppAddress {
  readonly port: number;
  readonly appPort: number;
}

/** To the app: block in this way for so long. It answers with anything when it is back. */
export interface BlockOrder {
  readonly way: BlockWay;
  readonly durationMs: number;
}

export type BlockWay = 'busy loop' | 'regex' | 'Atomics.wait' | 'execSync' | 'pbkdf2Sync';

const SERIES = 1_000;

const metrics = createMetrics({ engine: 'pool', port: 0 });
const histogram = new Histogram({
  name: 'work_seconds',
  help: 'h',
  labelNames: ['kind'],
  registers: [metrics.register],
});
for (let index = 0; index < SERIES; index++)
  histogram.observe({ kind: String(index) }, index / 100);
const server = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
await once(server, 'listening');
const address = await metrics.portAddress();
process.on('message', ({ way, durationMs }: BlockOrder) => {
  block(way, durationMs);
  process.send?.('back');
});
// Ended along with the one who asked for it.
process.on('disconnect', () => process.exit(0));
process.send?.({
  port: address?.port as number,
  appPort: (server.address() as AddressInfo).port,
} satisfies PortAppAddress);

function block(way: BlockWay, durationMs: number): void {
  const endMs = performance.now() + durationMs;
  if (way === 'Atomics.wait') {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
  } else if (way === 'execSync') {
    execSync(`sleep ${durationMs / 1_000}`);
  } else {
    while (performance.now() < endMs) {
      if (way === 'regex') /^(a+)+$/.test(`${'a'.repeat(24)}!`);
      if (way === 'pbkdf2Sync') pbkdf2Sync('password', 'salt', 50_000, 64, 'sha512');
    }
  }
}
