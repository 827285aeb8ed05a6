import type { HttpResponse } from './http-exchange.js';

/** How a response came to its end. */
export type ResponseEnd = 'finish' | 'close';

/** A response whose end is learnt from its own events, as Node publishes nothing about it. */
export class ListenedResponse {
  readonly #response: HttpResponse;
  readonly #onEnd: (end: ResponseEnd) => void;
  #isOver = false;

  /** @param onEnd Called once at most. */
  constructor(response: HttpResponse, onEnd: (end: ResponseEnd) => void) {
    this.#response = response;
    this.#onEnd = onEnd;
    response.once('finish', this.#finish);
    response.once('close', this.close);
  }

  /** Listens no longer. */
  detach(): void {
    this.#isOver = true;
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
