import type { Server } from 'node:http';
import { Duplex } from 'node:stream';

const CONNECTION_COUNT = 8;

/**
 * Sends requests to a server of the same process over connections in memory, one at a time on each.
 *
 * All of Node's HTTP runs as it does over the network and the kernel does not, whose share of a request is several times
 * what is to be measured and varies by more than that.
 */
export class MemoryLoad {
  readonly #connections: MemoryConnection[] = [];

  constructor(server: Server) {
    for (let count = 0; count < CONNECTION_COUNT; count += 1) {
      const connection = new MemoryConnection();
      this.#connections.push(connection);
      server.emit('connection', connection);
    }
  }

  /** @throws When an answer has another status than 200. */
  async send(requestCount: number, pathOf: (index: number) => string): Promise<void> {
    let startedCount = 0;
    const next = (): string | undefined => {
      if (startedCount >= requestCount) return undefined;
      startedCount += 1;
      return `GET ${pathOf(startedCount)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    };
    await Promise.all(this.#connections.map((connection) => connection.run(next)));
  }
}

class MemoryConnection extends Duplex {
  #next: () => string | undefined = () => undefined;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor() {
    super({ decodeStrings: false });
  }

  run(next: () => string | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#next = next;
      this.#resolve = resolve;
      this.#reject = reject;
      this.#send();
    });
  }

  override _read(): void {}

  /** Node corks the head of a small answer with its body, so that one call has both. */
  override _writev(chunks: readonly { chunk: string | Buffer }[], done: () => void): void {
    this.#receive(String(chunks[0]?.chunk), done);
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.#receive(String(chunk), done);
  }

  #receive(answer: string, done: () => void): void {
    done();
    if (answer.startsWith('HTTP/1.1 200 ')) setImmediate(() => this.#send());
    else this.#reject(new Error(answer));
  }

  #send(): void {
    const request = this.#next();
    if (request === undefined) this.#resolve();
    else this.push(request, 'latin1');
  }
}
