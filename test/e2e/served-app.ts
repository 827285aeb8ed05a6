import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createMetrics, type Metrics, type MetricsOptions } from '@offloop/express';

/** Gives the enclosing suite a way to serve apps on loopback; each is closed after its test. Resolves with the port. */
export function useServers(): (app: RequestListener) => Promise<number> {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(closers.splice(0).map((close) => close()));
  });
  return async (app) => {
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    });
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new TypeError('not listening');
    return address.port;
  };
}

/** Gives the enclosing suite metrics of their own; they are closed after each test. On a thread, where nothing else is said. */
export function useMetrics(): (options?: MetricsOptions) => Metrics {
  const made: Metrics[] = [];
  afterEach(async () => {
    await Promise.all(made.splice(0).map((metrics) => metrics.close()));
  });
  return (options) => {
    const metrics = createMetrics({ engine: 'pool', ...options });
    made.push(metrics);
    return metrics;
  };
}
