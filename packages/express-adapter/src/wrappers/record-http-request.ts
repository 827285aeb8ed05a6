import { OffloopError } from '@offloop/core';
import { showValue } from '@offloop/core/adapter';
import type { Metrics } from '../metrics.js';
import type { HttpResponse, RoutedRequest } from '../middleware/http-exchange.js';
import type { RequestObserver } from '../middleware/request-observer.js';
import { UNMATCHED } from '../middleware/route-templates.js';
import { isHost, read } from '../middleware/unknown-value.js';
import { getMetrics } from '../singleton.js';

/** What is known of a request at its beginning. */
export interface HttpRequestContext {
  /** Default: that of `request`. */
  readonly method?: string;
  /** Template of the route, never a raw path. Default: the one that Express tells of `request`, else `__unmatched__`. */
  readonly route?: string;
  /** Request and response of node:http, or anything like them. With a response, its end is the request's, and its status counts. */
  readonly request?: object;
  readonly response?: object;
  /** Whose metrics. Default: the process's. */
  readonly metrics?: Metrics;
}

/** A request that is being recorded. */
export interface HttpRecording extends Disposable {
  /** Status of the answer, three digits. Default 200; where something was thrown its own 4xx or 5xx, else 500. A response's own counts before it. */
  statusCode: number | undefined;
  /** Notes an exception, whose class is counted. */
  fail(error: unknown): void;
  /** Ends the recording. Later calls change nothing. */
  end(): void;
}

const OK = 200;
const FAILED = 500;

/**
 * Records a request to a server of any kind: its duration, status and class of error, under the middleware's metrics.
 *
 * @example
 * import { createMetrics, recordHttpRequest } from '@offloop/express';
 * const metrics = createMetrics();
 * {
 *   using recording = recordHttpRequest({ method: 'GET', route: '/users/:id', metrics });
 *   recording.statusCode = 404;
 * }
 *
 * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` for a context that is none.
 */
export function recordHttpRequest(context: HttpRequestContext): HttpRecording;
/**
 * The same for as long as a function takes: until it returns, or the promise that it returned is settled. What it gives, throws or rejects
 * with comes out as it is.
 *
 * A request whose `response` the middleware or a wrapper measures already is not counted again.
 */
export function recordHttpRequest<Result>(
  context: HttpRequestContext,
  fn: (recording: HttpRecording) => Result,
): Result;
export function recordHttpRequest<Result>(
  context: HttpRequestContext,
  fn?: (recording: HttpRecording) => Result,
): HttpRecording | Result {
  check(context, fn);
  const recording = begin(context);
  if (fn === undefined) return recording;
  let result: Result;
  try {
    result = fn(recording);
  } catch (error) {
    recording.fail(error);
    recording.end();
    throw error;
  }
  if (!isThenable(result)) {
    recording.end();
    return result;
  }
  return result.then(
    (value) => {
      recording.end();
      return value;
    },
    (error: unknown) => {
      recording.fail(error);
      recording.end();
      throw error;
    },
  ) as Result;
}

/** Metrics that cannot be made are no reason to fail a request: nothing is recorded then. */
function begin(context: HttpRequestContext): HttpRecording {
  try {
    const { requests } = context.metrics ?? getMetrics();
    const { response } = context;
    return response === undefined
      ? new OwnRecording(requests, context)
      : new ResponseRecording(requests, { ...context, response });
  } catch {
    return new NoRecording();
  }
}

/** Where nothing is recorded. */
class NoRecording implements HttpRecording {
  statusCode: number | undefined = undefined;

  fail(_error: unknown): void {}

  end(): void {}

  [Symbol.dispose](): void {}
}

/** A request of which nothing can be seen: it ends when somebody says so. */
class OwnRecording implements HttpRecording {
  statusCode: number | undefined = undefined;
  readonly #requests: RequestObserver;
  readonly #context: HttpRequestContext;
  readonly #startedMs = performance.now();
  #thrown: { readonly error: unknown } | undefined;
  #isOver = false;

  constructor(requests: RequestObserver, context: HttpRequestContext) {
    this.#requests = requests;
    this.#context = context;
    requests.requestStarted();
  }

  fail(error: unknown): void {
    this.#thrown ??= { error };
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { method, route, request } = this.#context;
    try {
      this.#requests.requestEnded({
        method: method ?? textOf(read(request, 'method')),
        route: route ?? UNMATCHED,
        statusCode: this.statusCode ?? (this.#thrown === undefined ? OK : statusOf(this.#thrown)),
        startedMs: this.#startedMs,
        thrown: this.#thrown,
        request: request as RoutedRequest | undefined,
      });
    } catch {
      // One request uncounted.
    }
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** A request whose end its response tells: the middleware's way, from here on. */
class ResponseRecording implements HttpRecording {
  statusCode: number | undefined = undefined;
  readonly #requests: RequestObserver;
  readonly #response: HttpResponse;

  constructor(
    requests: RequestObserver,
    { request, response, route }: HttpRequestContext & { readonly response: object },
  ) {
    this.#requests = requests;
    this.#response = response as HttpResponse;
    const observed = (request ?? read(response, 'req')) as RoutedRequest | undefined;
    if (observed !== undefined) requests.observe(observed, this.#response);
    if (route !== undefined) requests.noteRoute(this.#response, route);
  }

  fail(error: unknown): void {
    this.#requests.noteError(this.#response, error);
  }

  end(): void {}

  [Symbol.dispose](): void {}
}

function check(context: unknown, fn: unknown): void {
  const refuse = (name: string, rule: string, value: unknown): never => {
    throw new OffloopError(
      'OFFLOOP_ERR_ARGUMENT',
      `${name} must be ${rule}, got ${showValue(value)}`,
    );
  };
  if (!isHost(context)) refuse('context', 'an object with method and route', context);
  for (const name of ['method', 'route']) {
    const value = read(context, name);
    if (value !== undefined && typeof value !== 'string')
      refuse(`context.${name}`, 'a text', value);
  }
  for (const name of ['request', 'response']) {
    const value = read(context, name);
    if (value !== undefined && !isHost(value)) refuse(`context.${name}`, 'an object', value);
  }
  if (fn !== undefined && typeof fn !== 'function') refuse('fn', 'a function', fn);
}

function statusOf({ error }: { readonly error: unknown }): number {
  const status = Number(read(error, 'status') ?? read(error, 'statusCode'));
  return status >= 400 && status <= 599 ? status : FAILED;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof read(value, 'then') === 'function';
}
