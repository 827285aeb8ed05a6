import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpSink } from '@offloop/express/internal/middleware/http-sink.js';

/** One response as the sink was told of it. */
export interface Recorded {
  readonly method: string;
  readonly route: string;
  readonly status: string;
  readonly durationSeconds: number;
}

/** A sink that keeps everything, for tests to look at. */
export class RecordingSink implements HttpSink {
  readonly recorded: Recorded[] = [];
  readonly series: Omit<Recorded, 'durationSeconds'>[] = [];
  seriesEpoch = 0;
  inFlight = 0;
  startedCount = 0;

  seriesIdOf(method: string, route: string, status: string): number {
    return this.series.push({ method, route, status }) - 1;
  }

  record(seriesId: number, durationSeconds: number): boolean {
    const labels = this.series[seriesId];
    if (labels === undefined) throw new RangeError(`no series ${seriesId}`);
    this.recorded.push({ ...labels, durationSeconds });
    return true;
  }

  requestStarted(): void {
    this.inFlight += 1;
    this.startedCount += 1;
  }

  requestEnded(): void {
    this.inFlight -= 1;
  }

  /** `method route status` of each response so far, in the order of their ends. */
  get lines(): string[] {
    return this.recorded.map(({ method, route, status }) => `${method} ${route} ${status}`);
  }
}

/** A server on loopback for the time of one test. */
export interface TestServer {
  readonly server: Server;
  readonly port: number;
  close(): Promise<void>;
}

export async function serve(listener: RequestListener): Promise<TestServer> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    server,
    port: portOf(server.address()),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export function portOf(address: string | AddressInfo | null): number {
  if (typeof address !== 'object' || address === null) throw new TypeError('not listening');
  return address.port;
}

/** Waits until the condition holds, as ends are learnt of some turns after the client has its answer. */
export async function eventually(isTrue: () => boolean, what = 'the condition'): Promise<void> {
  for (const deadline = Date.now() + 5_000; !isTrue(); ) {
    if (Date.now() > deadline) throw new Error(`waited 5 s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
