import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Connection } from './connection.js';
import type { HttpResponse, RoutedRequest } from './http-exchange.js';
import type { HttpSink } from './http-sink.js';
import { ListenedResponse, type ResponseEnd } from './listened-response.js';
import { type RecordedRequest, RequestEnds, type RequestEndsOptions } from './request-ends.js';
import { isBeingServed, isClosable, isServedSocket, type ServedSocket } from './served-socket.js';
import { isCarrier, read } from './unknown-value.js';

/** Published by node:http first of all at a response's end. Cheaper than a listener on each response. */
const FINISH_CHANNEL = 'http.server.response.finish';

/** What nginx logs for a client that left before its answer was complete. No server sends it. */
const CLIENT_CLOSED_REQUEST = 499;

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
  readonly #ends: RequestEnds;
  readonly #connections = new Map<Connection, ServedSocket>();
  readonly #listened = new Set<ListenedResponse>();
  readonly #leftOut = new WeakSet<HttpResponse>();
  /** Most applications leave nothing out, and need not look. */
  #hasLeftOut = false;
  #isClosed = false;

  constructor(sink: HttpSink, options?: RequestEndsOptions) {
    this.#sink = sink;
    this.#ends = new RequestEnds(sink, options);
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
      if (this.#hasLeftOut && this.#leftOut.has(response)) return;
      const { socket } = request;
      if (isBeingServed(socket, request, response)) {
        const connection = socket[this.#slot] ?? this.#connect(socket);
        if (connection !== undefined) {
          if (connection.response === response || response.finished === true) return;
          if (connection.isClosed) this.#countGone(request, response);
          else this.#begin(connection, request, response);
          return;
        }
      }
      this.#listen(request, response);
    } catch {
      // The request goes on, uncounted.
    }
  }

  /** Leaves a request out, wherever else this observer stands on its way. Never throws. */
  leaveOut(response: HttpResponse): void {
    if (this.#isClosed) return;
    this.#leftOut.add(response);
    this.#hasLeftOut = true;
  }

  /**
   * Notes an exception that a request which is under way came to, whoever begins to observe it. Never throws. After the end of the
   * response it changes nothing.
   */
  noteError(response: HttpResponse, error: unknown): void {
    if (!this.#takesNotes(response)) return;
    this.#ends.noteError(response, error);
  }

  /** Names the route of a request that is under way. Never throws. */
  noteRoute(response: HttpResponse, route: string): void {
    if (!this.#takesNotes(response)) return;
    this.#ends.noteRoute(response, route);
  }

  /** A request that nobody else observes, of a server of any kind, begins. */
  requestStarted(): void {
    if (!this.#isClosed) this.#sink.requestStarted();
  }

  /** Its end. */
  requestEnded(recorded: RecordedRequest): void {
    if (this.#isClosed) return;
    this.#sink.requestEnded();
    this.#ends.recordNamed(recorded);
  }

  /** Stops observing and lets go of the requests in flight without a word. Leaves nothing of ours on any socket. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    unsubscribe(FINISH_CHANNEL, this.#onFinish);
    for (const [connection, socket] of this.#connections) {
      socket.removeListener('close', connection.onClose);
      Reflect.deleteProperty(socket, this.#slot);
    }
    for (const listened of this.#listened) listened.detach();
    this.#connections.clear();
    this.#listened.clear();
  }

  /** Not of a response whose end was told already, nor of one that is left out. */
  #takesNotes(response: HttpResponse): boolean {
    const isOver = this.#isClosed || response.writableFinished === true;
    return !(isOver || (this.#hasLeftOut && this.#leftOut.has(response)));
  }

  #begin(connection: Connection, request: RoutedRequest, response: HttpResponse): void {
    // Somebody took the socket from the response before, which is not going to end any more.
    if (connection.response !== undefined) this.#abort(connection);
    connection.response = response;
    connection.app = request.app;
    connection.startedMs = performance.now();
    const { extras } = this.#ends;
    if (extras !== undefined) connection.begun = extras.begin(request, response);
    this.#sink.requestStarted();
  }

  readonly #onFinish = (message: unknown): void => {
    // What is thrown in here would end the process.
    try {
      // Of what Node publishes nothing is checked: what is not as it should be is thrown, and caught.
      const { socket, request, response } = message as FinishMessage;
      const connection = socket[this.#slot];
      if (connection === undefined || connection.response !== response) return;
      this.#finish(connection, request, response.statusCode);
    } catch {
      // One response uncounted.
    }
  };

  #finish(connection: Connection, request: RoutedRequest | undefined, statusCode: unknown): void {
    const { response, app, startedMs, begun } = connection;
    // An idle connection keeps no request from being collected.
    connection.response = undefined;
    connection.app = undefined;
    if (begun !== undefined) connection.begun = undefined;
    if (request === undefined || response === undefined) return;
    this.#sink.requestEnded();
    this.#ends.record(request, response, app, startedMs, statusCode, begun);
  }

  #abort(connection: Connection): void {
    const { response } = connection;
    try {
      // Its handler may go on for a while, and lead it to another place where this observer stands.
      if (response !== undefined) Reflect.defineProperty(response, this.#slot, { value: true });
      this.#finish(connection, response?.req, CLIENT_CLOSED_REQUEST);
    } catch {
      // One response uncounted.
    }
  }

  /** For a client that has left while another middleware, before this one, took its time. */
  #countGone(request: RoutedRequest, response: HttpResponse): void {
    if (!isCarrier(response) || response[this.#slot] !== undefined) return;
    Object.defineProperty(response, this.#slot, { value: true });
    const { app } = request;
    const now = performance.now();
    this.#ends.record(request, response, app, now, CLIENT_CLOSED_REQUEST, undefined);
  }

  #connectionOn(socket: object | null | undefined): Connection | undefined {
    const known = read(socket, this.#slot);
    return known instanceof Connection ? known : undefined;
  }

  #connect(socket: ServedSocket): Connection | undefined {
    if (!isServedSocket(socket) || socket.destroyed === true) return undefined;
    const connection = new Connection(this.#onSocketClose);
    Object.defineProperty(socket, this.#slot, { value: connection, configurable: true });
    this.#connections.set(connection, socket);
    socket.once('close', connection.onClose);
    return connection;
  }

  readonly #onSocketClose = (connection: Connection): void => {
    this.#connections.delete(connection);
    connection.isClosed = true;
    this.#abort(connection);
    for (const listened of connection.queued) listened.close();
  };

  #listen(request: RoutedRequest, response: HttpResponse): void {
    if (response.writableEnded === true || !isCarrier(response)) return;
    if (response[this.#slot] !== undefined) return;
    const { socket, app } = request;
    const served = isServedSocket(socket) ? socket : undefined;
    // Node takes the parser from a socket whose client has left before it tells us so.
    const known = served?.[this.#slot] ?? this.#connectionOn(socket);
    // It is on the socket, and meets this observer once more after the next request was read, or the client has left.
    if (known?.response === response) return;
    if (isGone(request, response)) {
      this.#countGone(request, response);
      return;
    }
    const connection = known ?? (served && this.#connect(served));
    // A queue has one listener for all of it on their socket; a socket of any other kind gets one for each.
    const queued = connection?.queued;
    const source = queued === undefined && isClosable(socket) ? socket : undefined;
    const isUpgrade = request.upgrade === true;
    const startedMs = performance.now();
    const begun = this.#ends.extras?.begin(request, response);
    const listened = new ListenedResponse(response, source, (end) => {
      this.#listened.delete(listened);
      queued?.delete(listened);
      try {
        if (!isUpgrade) this.#sink.requestEnded();
        if (isUpgrade && end === 'close') return;
        const statusCode = isWhole(response, end) ? response.statusCode : CLIENT_CLOSED_REQUEST;
        this.#ends.record(request, response, app, startedMs, statusCode, begun);
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

interface FinishMessage {
  readonly socket: ServedSocket;
  readonly request: RoutedRequest;
  readonly response: HttpResponse;
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
