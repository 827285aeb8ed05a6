import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A client that has been reading its answer for so long may lose its place to another. */
const ANSWER_MS_MAX = 10_000;

interface Connection {
  readonly socket: Socket;
  requestCount: number;
  /** Since when it has been as it is, at an answer or idle. */
  sinceMs: number;
}

/**
 * The connections of a port, of which there are only so many: beyond that the one that has been idle the longest is closed, whether it has never
 * asked anything, is slow to ask, or is kept alive. So clients that do nothing cannot keep others out.
 */
export class PortConnections {
  private readonly max: number;
  /** By their other end; the one that has been as it is the longest stands first. */
  private readonly open = new Map<string, Connection>();

  constructor(max: number) {
    this.max = max;
  }

  /** Follows the connections of a server. TCP's, also under TLS: who never begins to speak TLS counts as well. */
  attach(server: Server): void {
    server.on('connection', (socket: Socket) => this.add(socket));
  }

  /** Notes that a request has come, until its answer is over. */
  note(request: IncomingMessage, response: ServerResponse): void {
    const key = keyOf(request.socket);
    const connection = this.open.get(key);
    if (connection === undefined) return;
    connection.requestCount++;
    this.changed(key, connection);
    response.once('close', () => {
      connection.requestCount--;
      if (this.open.get(key) === connection) this.changed(key, connection);
    });
  }

  /** Breaks all of them off. */
  close(): void {
    for (const { socket } of this.open.values()) socket.destroy();
  }

  private add(socket: Socket): void {
    const key = keyOf(socket);
    const connection: Connection = { socket, requestCount: 0, sinceMs: performance.now() };
    // On the main thread it would keep the process alive.
    socket.unref();
    // Its error is its end, of which 'close' tells. HTTP listens as well; TLS does when it has begun.
    socket.on('error', () => {});
    socket.once('close', () => {
      if (this.open.get(key) === connection) this.open.delete(key);
    });
    if (this.open.size >= this.max && !this.makeRoom()) {
      socket.destroy();
      return;
    }
    this.open.set(key, connection);
  }

  private makeRoom(): boolean {
    const lateMs = performance.now() - ANSWER_MS_MAX;
    for (const [key, { socket, requestCount, sinceMs }] of this.open) {
      if (requestCount > 0 && sinceMs > lateMs) continue;
      this.open.delete(key);
      socket.destroy();
      return true;
    }
    return false;
  }

  private changed(key: string, connection: Connection): void {
    connection.sinceMs = performance.now();
    this.open.delete(key);
    this.open.set(key, connection);
  }
}

/** A socket of TLS and the one of TCP below it have the same other end. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
