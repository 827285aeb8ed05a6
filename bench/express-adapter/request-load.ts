import { connect, type Socket } from 'node:net';

const CONNECTION_COUNT = 8;
const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Sends so many requests to a server on loopback over a few connections that are kept, one at a time on each.
 *
 * Ends by itself: when all are answered, or with an error when a connection is lost.
 */
export class RequestLoad {
  readonly #sockets: Socket[] = [];
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async open(): Promise<void> {
    for (let count = 0; count < CONNECTION_COUNT; count += 1) {
      const socket = connect(this.#port, '127.0.0.1').setNoDelay(true);
      await new Promise((resolve, reject) => {
        socket.once('connect', resolve).once('error', reject);
      });
      this.#sockets.push(socket);
    }
  }

  async send(requestCount: number, pathOf: (index: number) => string): Promise<void> {
    let startedCount = 0;
    const next = (): string | undefined => {
      if (startedCount >= requestCount) return undefined;
      startedCount += 1;
      return `GET ${pathOf(startedCount)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    };
    await Promise.all(this.#sockets.map((socket) => exchange(socket, next)));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function exchange(socket: Socket, next: () => string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const finish = (error?: Error): void => {
      socket.removeAllListeners();
      if (error === undefined) resolve();
      else reject(error);
    };
    const send = (): void => {
      const request = next();
      if (request === undefined) finish();
      else socket.write(request);
    };
    if (socket.destroyed) return finish(new Error('the server hung up'));
    socket.on('error', finish).on('close', () => finish(new Error('the server hung up')));
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const headEnd = received.indexOf(HEAD_END);
      if (headEnd === -1) return;
      const head = received.toString('latin1', 0, headEnd);
      if (!head.startsWith('HTTP/1.1 200 ')) return finish(new Error(head));
      const bodyBytes = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (received.length < headEnd + HEAD_END.length + bodyBytes) return;
      received = Buffer.alloc(0);
      send();
    });
    send();
  });
}
