import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';
import { Connection } from './connection.js';
import type { HttpResponse, RoutedRequest } from './http-exchange.js';
import { statusOf } from './http-labels.js';
import type { HttpSink } from './http-sink.js';
import { ListenedResponse, type ResponseEnd } from './listened-response.js';
import { RouteSeries } from './route-series.js';
import { RouteTemplates } from './route-templates.js';
import { isBeingServed, isClosable, isServedSocket, type ServedSocket } from './served-socket.js';
import { isCarrier, isHost, read } from './unknown-value.js';

/** Published by node:http first of all at a response's end. Cheaper than a listener on each response. */
const FINISH_CHANNEL = 'http.server.response.finish';

/** What nginx logs for a client that left before its answer was complete. No server sends it. */
const CLIENT_CLOSED_REQUEST = 499;

const MS_PER_SECOND = 1_000;

/**
 * Sees each request from its first middleware to its end, and tells a sink how it ended: once, whatever happens.
 *
 * A response that was handed over whole counts with its status. One that was not, as the client left or the socket was
 * destroyed, counts as 499. An upgraded request counts only if an HTTP response is sent after all: most become WebSockets,
 * which are no requests in flight.
 *
 * The ends come from Node's diagnostics channel and one listener on each socket, so that an ordinary request costs two
 * looks at the clock and a few fields of an object that lives on the socket. Where Node publishes nothing (HTTP/2, injected
 * requests, pipelined ones), listeners on the response do the same.
 *
 * Nothing of this shows in the request, the response or another observer, and what a sink throws goes no further.
 */
export class RequestObserver {
  readonly #sink: HttpSink;
  readonly #slot = Symbol('offloop.observed');
  readonly #templates = new RouteTemplates((template) => new RouteSeries(template));
  readonly #connections = new Map<Connection, ServedSocket>();
  readonly #listened = new Set<ListenedResponse>();
  #isClosed = false;

  constructor(sink: HttpSink) {
    this.#sink = sink;
    subscribe(FINISH_CHANNEL, this.#onFinish);
  }

  /**
   * Begins to observe a request, unless this observer does so already. Never throws.
   *
   * A response that was ended before it comes here is left out: its end may have been published.
   */
  observe(request: RoutedRequest, response: HttpResponse): void {
    if (this.#isClosed) return;
    try {
      const { socket } = request;
      if (isBeingServed(socket, request, response)) {
        const connection = socket[this.#slot] ?? this.#connect(socket);
        if (connection instanceof Connection) {
          if (connection.response === response || response.writableEnded === true) return;
          if (response.destroyed === true) this.#countGone(request, response);
          else this.#begin(connection, request, response);
          return;
        }
      }
      this.#listen(request, response);
    } catch {
      // The request goes on, uncounted.
    }
  }

  /** Stops observing and lets go of the requests in flight without a word. Leaves nothing of ours on any socket. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    unsubscribe(FINISH_CHANNEL, this.#onFinish);
    for (const [connection, socket] of this.#connections) {
      socket.removeListener('close', connection.onClose);
      delete socket[this.#slot];
    }
    for (const listened of this.#listened) listened.detach();
    this.#connections.clear();
    this.#listened.clear();
  }

  #begin(connection: Connection, request: RoutedRequest, response: HttpResponse): void {
    // Somebody took the socket from the response before, which is not going to end any more.
    if (connection.response !== undefined) this.#abort(connection);
    connection.response = response;
    connection.app = request.app;
    connection.startedMs = performance.now();
    this.#sink.requestStarted();
  }

  readonly #onFinish = (message: unknown): void => {
    // What is thrown in here would end the process.
    try {
      if (typeof message !== 'object' || message === null) return;
      if (!('socket' in message && 'response' in message)) return;
      const { socket, response } = message;
      if (!isHost(socket) || !isCarrier(socket)) return;
      const connection = socket[this.#slot];
      if (!(connection instanceof Connection) || connection.response !== response) return;
      this.#finish(connection, connection.response?.statusCode);
    } catch {
      // One response uncounted.
    }
  };

  #finish(connection: Connection, statusCode: unknown): void {
    const { response, app, startedMs } = connection;
    const request = response?.req;
    // An idle connection keeps no request from being collected.
    connection.response = undefined;
    connection.app = undefined;
    if (request === undefined) return;
    this.#sink.requestEnded();
    this.#record(request, app, startedMs, statusCode);
  }

  #record(request: RoutedRequest, app: unknown, startedMs: number, statusCode: unknown): void {
    const series = this.#templates.find(request, app);
    const seriesId = series.idOf(this.#sink, request.method, statusOf(statusCode));
    const endedMs = performance.now();
    const durationMs = endedMs - startedMs;
    // Below zero only where somebody's fake clock was put in or taken out meanwhile.
    this.#sink.record(seriesId, durationMs > 0 ? durationMs / MS_PER_SECOND : 0, endedMs);
  }

  #abort(connection: Connection): void {
    const { response } = connection;
    try {
      // Its handler may go on for a while, and lead it to another place where this observer stands.
      if (response !== undefined) Reflect.defineProperty(response, this.#slot, { value: true });
      this.#finish(connection, CLIENT_CLOSED_REQUEST);
    } catch {
      // One response uncounted.
    }
  }

  /** For a client that has left while another middleware, before this one, took its time. */
  #countGone(request: RoutedRequest, response: HttpResponse): void {
    if (!isCarrier(response) || response[this.#slot] !== undefined) return;
    Object.defineProperty(response, this.#slot, { value: true });
    this.#record(request, request.app, performance.now(), CLIENT_CLOSED_REQUEST);
  }

  #connect(socket: ServedSocket): Connection | undefined {
    if (!isServedSocket(socket)) return undefined;
    const connection = new Connection(this.#onSocketClose);
    Object.defineProperty(socket, this.#slot, { value: connection, configurable: true });
    this.#connections.set(connection, socket);
    socket.once('close', connection.onClose);
    return connection;
  }

  readonly #onSocketClose = (connection: Connection): void => {
    this.#connections.delete(connection);
    this.#abort(connection);
    for (const listened of connection.queued) listened.close();
  };

  #listen(request: RoutedRequest, response: HttpResponse): void {
    if (response.writableEnded === true || !isCarrier(response)) return;
    if (response[this.#slot] !== undefined) return;
    if (isGone(request, response)) {
      this.#countGone(request, response);
      return;
    }
    const { socket, app } = request;
    const connection = isServedSocket(socket)
      ? (socket[this.#slot] ?? this.#connect(socket))
      : undefined;
    // A queue has one listener for all of it on their socket; a socket of any other kind gets one for each.
    const queued = connection instanceof Connection ? connection.queued : undefined;
    const source = queued === undefined && isClosable(socket) ? socket : undefined;
    const isUpgrade = request.upgrade === true;
    const startedMs = performance.now();
    const listened = new ListenedResponse(response, source, (end) => {
      this.#listened.delete(listened);
      queued?.delete(listened);
      try {
        if (!isUpgrade) this.#sink.requestEnded();
        if (isUpgrade && end === 'close') return;
        const statusCode = isWhole(response, end) ? response.statusCode : CLIENT_CLOSED_REQUEST;
        this.#record(request, app, startedMs, statusCode);
      } catch {
        // One response uncounted.
      }
    });
    Object.defineProperty(response, this.#slot, { value: listened });
    this.#listened.add(listened);
    queued?.add(listened);
    if (!isUpgrade) this.#sink.requestStarted();
  }
}

/** Whether the end has been already, and no event will tell of it. */
function isGone(request: RoutedRequest, response: HttpResponse): boolean {
  const parts = [request.socket, response, read(response, 'stream')];
  return parts.some((part) => read(part, 'destroyed') === true);
}

/** Over HTTP/2 a response "finishes" when its stream closes, be that because the client has reset it. */
function isWhole(response: HttpResponse, end: ResponseEnd): boolean {
  if (end === 'close') return false;
  const stream = read(response, 'stream');
  const resetCode = read(stream, 'rstCode') ?? 0;
  return read(stream, 'aborted') !== true && resetCode === 0;
}
