import { types } from 'node:util';
import { OffloopError } from '@offloop/core';
import { showValue } from '@offloop/core/adapter';
import type { Metrics } from '../metrics.js';
import type { HttpResponse, RoutedRequest } from '../middleware/http-exchange.js';
import { isHost } from '../middleware/unknown-value.js';
import { getMetrics } from '../singleton.js';

/** How a wrapped handler is measured. */
export interface InstrumentRouteOptions {
  /** Template of the route, in place of the one that Express tells; for handlers that are on no route. */
  readonly route?: string;
  /** Whose metrics. Default: the process's, which are made at the first request. */
  readonly metrics?: Metrics;
}

type AnyFunction = (...args: never[]) => unknown;

/** Express tells error handlers by it. */
const ERROR_HANDLER_LENGTH = 4;

/** What `next` takes to leave a route or a router: no exceptions. */
const WAYS_OUT: ReadonlySet<unknown> = new Set([undefined, null, '', 0, false, 'route', 'router']);

/**
 * Wraps a handler of Express, 4 or 5, so that its requests are measured, and what it throws, rejects with or gives to `next` is counted by the
 * class of error: `app.get('/users/:id', instrumentRoute(handler))`.
 *
 * A request that the middleware or another wrapper measures already is not counted again. Without them, it is measured from this handler to the
 * end of its response. An error handler (of four parameters) counts the error that it is called with. The wrapper has the handler's name and
 * number of parameters, calls it with its own `this` and arguments, and gives, throws or rejects what it does.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` for what is no function, and for a route that is no text.
 */
export function instrumentRoute<Handler extends AnyFunction>(
  handler: Handler,
  { route, metrics }: InstrumentRouteOptions = {},
): Handler {
  if (typeof handler !== 'function') {
    throw new OffloopError(
      'OFFLOOP_ERR_ARGUMENT',
      `handler must be a function, got ${showValue(handler)}`,
    );
  }
  if (route !== undefined && (typeof route !== 'string' || route === '')) {
    throw new OffloopError('OFFLOOP_ERR_ARGUMENT', `route must be a text, got ${showValue(route)}`);
  }
  const begin = (request: unknown, response: unknown): Note => {
    try {
      if (!isHost(request) || !isHost(response)) return ignore;
      const observer = (metrics ?? getMetrics()).requests;
      observer.observe(request as RoutedRequest, response as HttpResponse);
      if (route !== undefined) observer.noteRoute(response as HttpResponse, route);
      return (error) => observer.noteError(response as HttpResponse, error);
    } catch {
      // Metrics that cannot be made are no reason to refuse a request.
      return ignore;
    }
  };
  const wrapped =
    handler.length === ERROR_HANDLER_LENGTH
      ? function (
          this: unknown,
          error: unknown,
          request: unknown,
          response: unknown,
          next: unknown,
        ) {
          const note = begin(request, response);
          note(error);
          return run(handler, this, [error, request, response, noting(next, note)], note);
        }
      : function (this: unknown, request: unknown, response: unknown, next: unknown) {
          const note = begin(request, response);
          return run(handler, this, [request, response, noting(next, note)], note);
        };
  Object.defineProperty(wrapped, 'name', { value: handler.name, configurable: true });
  return wrapped as unknown as Handler;
}

/** Takes an exception down. Never throws. */
type Note = (error: unknown) => void;

function ignore(): void {}

function run(handler: AnyFunction, self: unknown, args: readonly unknown[], note: Note): unknown {
  let result: unknown;
  try {
    result = Reflect.apply(handler, self, args);
  } catch (error) {
    note(error);
    throw error;
  }
  // Promises only: another thenable may begin its work when it is asked for the result.
  if (!types.isPromise(result)) return result;
  // Another promise, which rejects in turn: where nobody handles that, the process hears of it as it would have.
  return result.catch((error: unknown) => {
    note(error);
    throw error;
  });
}

function noting(next: unknown, note: Note): unknown {
  if (typeof next !== 'function') return next;
  return function (this: unknown, ...args: unknown[]): unknown {
    if (!WAYS_OUT.has(args[0])) note(args[0]);
    return Reflect.apply(next, this, args);
  };
}
