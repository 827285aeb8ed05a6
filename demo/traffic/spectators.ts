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

  /** Messages read so far. */
  get messages(): number {
    return this.#messages;
  }

  leave(): void {
    for (const socket of this.#sockets) socket.terminate();
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
