import { once } from 'node:events';
import { type Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface ClientRequest {
  readonly port: number;
  readonly method?: string | undefined;
  /** Sent as it is. */
  readonly path?: string | undefined;
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
}

/** Sends one request, reads the answer to its end, and tells the status. */
export function fetchStatus({
  port,
  method = 'GET',
  path = '/',
  headers = {},
  agent,
}: ClientRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, method, path, headers, agent: agent ?? false },
      (response) => {
        response.on('end', () => resolve(response.statusCode ?? 0)).on('error', reject);
        response.resume();
      },
    );
    sent.on('error', reject).end();
  });
}

/** A connection on which a test writes what it likes. */
export class RawClient {
  readonly socket: Socket;
  received = '';

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1').setEncoding('latin1');
    this.socket.on('data', (text) => {
      this.received += text;
    });
    // A reset is what some tests are about.
    this.socket.on('error', () => {});
  }

  /** Sends heads of requests without a body, all at once. */
  send(...lines: string[]): void {
    for (const line of lines) this.socket.write(`${line} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  }

  get statuses(): string[] {
    return [...this.received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status ?? '');
  }

  /** Leaves, whatever is under way. */
  async leave(): Promise<void> {
    if (this.socket.closed) return;
    const closed = once(this.socket, 'close');
    this.socket.destroy();
    await closed;
  }
}
