// What a library costs a process that does nothing: `node idle-subject.js <subject> <ms to settle> <ms to measure>`.
import { once } from 'node:events';
import { createServer } from 'node:http';

/** What the process tells its parent. */
export interface IdleCost {
  /** CPU of all threads, as a share of one core. */
  readonly cpuShare: number;
}

const [, , subject = '', settle = '0', measure = '0'] = process.argv;
const close = await start();
const server = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
await once(server, 'listening');
await pause(Number(settle));
const startedMs = performance.now();
const before = process.cpuUsage();
await pause(Number(measure));
const { user, system } = process.cpuUsage(before);
const cost: IdleCost = { cpuShare: (user + system) / 1000 / (performance.now() - startedMs) };
process.send?.(cost);
server.close();
await close();
process.disconnect();

async function start(): Promise<() => Promise<void>> {
  if (subject === 'offloop') {
    const { collectDefaultMetrics, createMetrics } = await import('@offloop/express');
    const metrics = createMetrics({ engine: 'pool' });
    metrics.middleware();
    const handle = collectDefaultMetrics({ register: metrics.register });
    await metrics.render();
    return async () => {
      handle.stop();
      await metrics.close();
    };
  }
  if (subject === 'loop lag and stalls') {
    const { createMetrics } = await import('@offloop/express');
    const metrics = createMetrics({ engine: 'inline' });
    return () => metrics.close();
  }
  if (subject === 'prom-client') {
    const { default: prom } = await import('prom-client');
    prom.collectDefaultMetrics();
    await prom.register.metrics();
  }
  return async () => {};
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
