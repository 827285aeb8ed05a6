import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMetrics, type Metrics, type MiddlewareOptions } from '@offloop/express';
import { fetchStatus, RawClient } from './middleware/http-clients.js';
import { eventually } from './middleware/observed-server.js';

/** Metrics and servers of one test, closed after it. */
export class ServedMetrics {
  readonly #made: Metrics[] = [];
  readonly #closings: (() => Promise<void>)[] = [];

  make(options: MiddlewareOptions = {}): Metrics {
    const metrics = createMetrics({ ...options, engine: 'inline' } as MiddlewareOptions);
    this.#made.push(metrics);
    return metrics;
  }

  async listen(listener: RequestListener): Promise<number> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#closings.push(async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    });
    return (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const close of this.#closings.splice(0)) await close();
    for (const metrics of this.#made.splice(0)) await metrics.close();
  }
}

/** Sends requests one after the other, and waits until all ends were told. */
export async function play(
  metrics: Metrics,
  port: number,
  paths: readonly string[],
): Promise<number[]> {
  const statuses: number[] = [];
  for (const path of paths) statuses.push(await fetchStatus({ port, path }));
  await settled(metrics);
  return statuses;
}

/** Asks, and leaves once the answer has begun. */
export async function abandon(metrics: Metrics, port: number, path: string): Promise<void> {
  const client = new RawClient(port);
  client.send(`GET ${path}`);
  await eventually(() => client.received !== '', path);
  await client.leave();
  await settled(metrics);
}

export async function settled(metrics: Metrics): Promise<void> {
  await eventually(() => metrics.getSnapshot().requestsInFlight === 0, 'the ends of all requests');
  // A second count of the same response would come within some turns.
  await new Promise((resolve) => setTimeout(resolve, 5));
  await metrics.flush();
}

/** Samples of one name, `{labels} value` each, in the order of their text. */
export async function samplesOf(metrics: Metrics, name: string): Promise<string[]> {
  const page = Buffer.from(await metrics.render()).toString('utf8');
  return page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.slice(name.length).trim())
    .sort();
}
