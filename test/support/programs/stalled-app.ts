// An Express app whose loop stands still when it is asked to, and a thread of the test's that watches it meanwhile:
// `node stalled-app.js`, whose output is lines of JSON (StalledAppLine). `GET /stall?kind=…&ms=…` stalls it, `GET /snapshot` tells.
import { writeSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { createMetrics, type Snapshot } from '@offloop/express';
import express from 'express5';
import { STALLS, type StallKind } from './stalls.js';

/** What the program prints. Times are Unix time, ms. */
export type StalledAppLine =
  | { readonly line: 'listening'; readonly port: number }
  /** How it was, by the app's own clock. */
  | {
      readonly line: 'stalled';
      readonly kind: StallKind;
      readonly startedMs: number;
      readonly endedMs: number;
      /** In the turn of the stall. */
      readonly atOnce: Snapshot['eventLoop'];
    }
  /** What another thread could tell, ten times a second. */
  | {
      readonly line: 'seen';
      readonly atMs: number;
      readonly blockedMs: number | null;
      readonly blockedBy: string | null;
    };

const metrics = createMetrics({
  engine: 'pool',
  ...(JSON.parse(process.env['OFFLOOP_TEST_OPTIONS'] ?? '{}') as object),
});
const app = express();
app.use(metrics.middleware());
app.get('/stall', (request, response) => {
  const { kind, ms } = request.query as { kind: StallKind; ms: string };
  response.end();
  response.once('close', () => {
    // A turn later, so that the answer is out.
    setTimeout(() => {
      const startedMs = performance.timeOrigin + performance.now();
      STALLS[kind](Number(ms));
      const endedMs = performance.timeOrigin + performance.now();
      const atOnce = metrics.getSnapshot().eventLoop;
      print({ line: 'stalled', kind, startedMs, endedMs, atOnce });
    }, 50);
  });
});
app.get('/snapshot', (_request, response) => {
  response.json(metrics.getSnapshot());
});
app.get('/page', async (_request, response) => {
  response.end(await metrics.render());
});
const server = app.listen(0, '127.0.0.1', () => {
  print({ line: 'listening', port: (server.address() as AddressInfo).port });
});

const { segment } = (
  metrics as unknown as {
    readonly pipeline: { readonly producer: { readonly segment: { readonly buffer: unknown } } };
  }
).pipeline.producer;
new Worker(new URL('./stall-observer.js', import.meta.url), {
  workerData: segment.buffer,
  execArgv: ['--conditions=offloop-internal'],
}).unref();

function print(line: StalledAppLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}
