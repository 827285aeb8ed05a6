import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ServerOptions, WebSocket, WebSocketServer } from 'ws';

/** A WebSocket server on a free port of 127.0.0.1, and its clients. */
export class WebSocketPeers {
  readonly http: Server;
  readonly server: WebSocketServer;
  private readonly clients = new Set<WebSocket>();

  private constructor(http: Server, options: ServerOptions) {
    this.http = http;
    this.server = new WebSocketServer({ server: http, ...options });
  }

  static async open(options: ServerOptions = {}): Promise<WebSocketPeers> {
    const http = createServer();
    const peers = new WebSocketPeers(http, options);
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return peers;
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  /** A client that is about to connect. */
  client(path = '/', options = {}): WebSocket {
    const client = new WebSocket(`ws://127.0.0.1:${this.port}${path}`, options);
    this.clients.add(client);
    client.on('error', () => {});
    client.on('close', () => this.clients.delete(client));
    return client;
  }

  async connected(path = '/', options = {}): Promise<WebSocket> {
    const client = this.client(path, options);
    await once(client, 'open');
    return client;
  }

  /** Both sides of a new connection. */
  async pair(options = {}): Promise<{ readonly client: WebSocket; readonly socket: WebSocket }> {
    const accepted = once(this.server, 'connection') as Promise<[WebSocket]>;
    const client = await this.connected('/', options);
    const [socket] = await accepted;
    return { client, socket };
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.terminate();
    for (const socket of this.server.clients) socket.terminate();
    this.server.close();
    this.http.close();
    this.http.closeAllConnections();
    await once(this.http, 'close');
  }
}
