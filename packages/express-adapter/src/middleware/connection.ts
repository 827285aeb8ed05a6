import type { BegunRequest } from './ended-request.js';
import type { HttpResponse } from './http-exchange.js';
import type { ListenedResponse } from './listened-response.js';

/**
 * One connection of node:http as one observer sees it, with the response on it that is under way.
 *
 * Lives on the socket as long as that does, so that a request changes a few fields and allocates nothing.
 */
export class Connection {
  /**
   * `undefined` between two requests, as is the app. The request is not kept beside it: each reference from this old object to a new one is
   * work for the engine.
   */
  response: HttpResponse | undefined = undefined;
  /** The app in which the request was first seen. */
  app: unknown = undefined;

  // A fraction, which makes the engine keep the field as a double that is changed in place from the start.
  startedMs = 0.5;

  /** Whether the socket was closed: nothing will tell of an end any more. */
  isClosed = false;

  /** What was noted at the beginning, where more than the duration is measured. */
  begun: BegunRequest | undefined = undefined;

  /** Responses to pipelined requests that wait for their turn. They are observed by listeners. */
  readonly queued = new Set<ListenedResponse>();

  /** Called when the socket is closed. */
  readonly onClose: () => void;

  constructor(onClose: (connection: Connection) => void) {
    this.onClose = () => onClose(this);
  }
}
