import type { HttpResponse } from './http-exchange.js';

/** How a response came to its end. */
export type ResponseEnd = 'finish' | 'close';

/** What else may be closed when a response is not going to end. */
export interface Closable {
  once(event: 'close', listener: () => void): unknown;
  removeListener(event: 'close', listener: () => void): unknown;
}

/** A response whose end is learnt from events, as Node publishes nothing about it. */
export class ListenedResponse {
  readonly #response: HttpResponse;
  readonly #socket: Closable | undefined;
  readonly #onEnd: (end: ResponseEnd) => void;
  #isOver = false;

  /**
   * @param socket Closed with the response at the latest: one that somebody made up for a WebSocket never ends by itself.
   * @param onEnd  Called once at most.
   */
  constructor(
    response: HttpResponse,
    socket: Closable | undefined,
    onEnd: (end: ResponseEnd) => void,
  ) {
    this.#response = response;
    this.#socket = socket;
    this.#onEnd = onEnd;
    socket?.once('close', this.close);
    response.once('finish', this.#finish);
    response.once('close', this.close);
  }

  /** Listens no longer. */
  detach(): void {
    this.#isOver = true;
    this.#socket?.removeListener('close', this.close);
    this.#response.removeListener('finish', this.#finish);
    this.#response.removeListener('close', this.close);
  }

  /** The end for a response whose connection is gone: Node tells only the first in the queue. */
  readonly close = (): void => this.#end('close');

  readonly #finish = (): void => this.#end('finish');

  #end(end: ResponseEnd): void {
    if (this.#isOver) return;
    this.detach();
    this.#onEnd(end);
  }
}
