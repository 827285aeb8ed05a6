import { WebSocket } from 'ws';

const COUNT = 5;

/** Clients that watch the live scores, and say nothing. */
export class Spectators {
  readonly #sockets: readonly WebSocket[];
  #messages = 0;

  constructor(origin: URL) {
    const url = new URL('/live-scores', origin);
    url.protocol = 'ws:';
    this.#sockets = Array.from({ length: COUNT }, () => this.#open(url));
  }

  /** Says goodbye, and reads what is sent until that is answered. @returns Messages read. */
  async leave(): Promise<number> {
    const closed = this.#sockets
      .filter((socket) => socket.readyState !== socket.CLOSED)
      .map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of this.#sockets) {
      // One that is connecting is waited for: the app counts what it sends from the moment at which it accepts it.
      if (socket.readyState === socket.CONNECTING) socket.once('open', () => socket.close());
      else socket.close();
    }
    await Promise.all(closed);
    return this.#messages;
  }

  #open(url: URL): WebSocket {
    const socket = new WebSocket(url);
    // Without its app there is nothing to watch, and nothing to say of it either.
    socket.on('error', () => {});
    socket.on('message', () => {
      this.#messages += 1;
    });
    return socket;
  }
}
