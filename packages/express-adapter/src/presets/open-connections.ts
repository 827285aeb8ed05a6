import { Gauge, type Registry } from '@offloop/core';
import { read } from '../middleware/unknown-value.js';

/** Counts the connections of the server that answered last, when somebody scrapes. */
export class OpenConnections {
  #server: object | undefined;

  /** Learns of the server from one of its requests. */
  note(request: unknown): void {
    const server = read(read(request, 'socket'), 'server');
    if (typeof server === 'object' && server !== null) this.#server = server;
  }

  /** Registers the gauge. It is 0 until a server is known. */
  show(register: Registry): void {
    const countOpen = () => this.#count();
    new Gauge({
      name: OPEN_CONNECTIONS_NAME,
      help: 'Number of open connections to the Express.js server',
      registers: [register],
      async collect() {
        this.set(await countOpen());
      },
    });
  }

  /** Lets go of the server. */
  forget(): void {
    this.#server = undefined;
  }

  #count(): Promise<number> {
    const server = this.#server;
    const getConnections = read(server, 'getConnections');
    if (server === undefined || typeof getConnections !== 'function') return Promise.resolve(0);
    return new Promise((resolve) => {
      Reflect.apply(getConnections, server, [
        // An error is that of a server that listens no more.
        (error: unknown, count: number) => resolve(error === null ? count : 0),
      ]);
    });
  }
}

export const OPEN_CONNECTIONS_NAME = 'expressjs_number_of_open_connections';
