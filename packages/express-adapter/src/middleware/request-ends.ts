import type { ErrorCounter } from '../errors/error-counter.js';
import type { BegunRequest, RequestExtras } from './ended-request.js';
import type { HttpResponse, RoutedRequest } from './http-exchange.js';
import { methodLabel, statusOf } from './http-labels.js';
import type { HttpSink } from './http-sink.js';
import { RouteSeries } from './route-series.js';
import { RouteTemplates, UNMATCHED } from './route-templates.js';

/** What is done with an ended request beside telling the sink. */
export interface RequestEndsOptions {
  /** Default: errors are not counted by class. */
  readonly errors?: ErrorCounter | undefined;
  /** Default: nothing else is measured. */
  readonly extras?: RequestExtras | undefined;
}

/** What somebody has said of a request before its end. */
interface RequestNotes {
  route: string | undefined;
  /** In an object, as `undefined` can be thrown. */
  thrown: { readonly error: unknown } | undefined;
}

/** A request that was recorded by hand. */
export interface RecordedRequest {
  readonly method: string | undefined;
  readonly route: string;
  readonly statusCode: unknown;
  readonly startedMs: number;
  readonly thrown: { readonly error: unknown } | undefined;
  readonly request: RoutedRequest | undefined;
}

/** Makes of an ended request what is recorded: its series, its duration, and whatever else is measured. */
export class RequestEnds {
  /** Called at each beginning, where there is any. */
  readonly extras: RequestExtras | undefined;
  readonly #sink: HttpSink;
  readonly #errors: ErrorCounter | undefined;
  readonly #templates = new RouteTemplates((template) => new RouteSeries(template));
  readonly #notes = new WeakMap<HttpResponse, RequestNotes>();
  /** Notes that were made and not taken: most requests need not look. */
  #noteCount = 0;

  constructor(sink: HttpSink, { errors, extras }: RequestEndsOptions = {}) {
    this.#sink = sink;
    this.#errors = errors;
    this.extras = extras;
  }

  /** Names the route of a request, in place of the one that Express tells. */
  noteRoute(response: HttpResponse, route: string): void {
    this.#notesOf(response).route = route;
  }

  /** Notes an exception. The first of several counts: the others follow from it. */
  noteError(response: HttpResponse, error: unknown): void {
    this.#notesOf(response).thrown ??= { error };
  }

  /**
   * Records an ended request.
   *
   * @param app The app in which it was first seen.
   * @param begun What `extras` noted.
   */
  record(
    request: RoutedRequest,
    response: HttpResponse,
    app: unknown,
    startedMs: number,
    statusCode: unknown,
    begun: BegunRequest | undefined,
  ): void {
    // In here, for the reason that `statusOf` gives.
    const MS_PER_SECOND = 1_000;
    const FIRST_ERROR_STATUS = 400;
    const notes = this.#noteCount > 0 ? this.#takeNotes(response) : undefined;
    // Once, for the reason that `isBeingServed` gives.
    const { method } = request;
    const series =
      notes?.route === undefined
        ? this.#templates.find(request, method, app)
        : this.#templates.named(notes.route);
    const status = statusOf(statusCode);
    const endedMs = performance.now();
    const durationMs = endedMs - startedMs;
    // Below zero only where somebody's fake clock was put in or taken out meanwhile.
    const durationSeconds = durationMs > 0 ? durationMs / MS_PER_SECOND : 0;
    if (notes !== undefined || this.extras !== undefined) {
      const label = methodLabel(method, series.template !== UNMATCHED);
      const isCounted = this.#recordMore(
        {
          request,
          response,
          method: label,
          route: series.template,
          status,
          startedMs,
          durationSeconds,
          begun,
        },
        notes?.thrown,
      );
      if (!isCounted) return;
    } else if (status >= FIRST_ERROR_STATUS) {
      this.#errors?.countStatus(series, method, status);
    }
    // Last, as it publishes what was recorded.
    const seriesId = series.idOf(this.#sink, method, status);
    this.#sink.record(seriesId, durationSeconds, endedMs);
  }

  /** Records a request of which nothing is known but what is said here. */
  recordNamed({ method, route, statusCode, startedMs, thrown, request }: RecordedRequest): void {
    const series = this.#templates.named(route);
    const status = statusOf(statusCode);
    const endedMs = performance.now();
    const durationSeconds = Math.max(0, endedMs - startedMs) / 1_000;
    const label = methodLabel(method, series.template !== UNMATCHED);
    const ended = { method: label, route: series.template, status, startedMs, durationSeconds };
    if (!this.#recordMore({ ...ended, request, response: undefined, begun: undefined }, thrown))
      return;
    const seriesId = series.idOf(this.#sink, method, status);
    this.#sink.record(seriesId, durationSeconds, endedMs);
  }

  #recordMore(ended: Parameters<RequestExtras['end']>[0], thrown: RequestNotes['thrown']): boolean {
    if (this.extras?.end(ended) === false) return false;
    try {
      this.#errors?.count(
        thrown === undefined ? { status: ended.status } : { status: ended.status, ...thrown },
        ended,
      );
    } catch {
      // The request itself is counted all the same.
    }
    return true;
  }

  #notesOf(response: HttpResponse): RequestNotes {
    const known = this.#notes.get(response);
    if (known !== undefined) return known;
    const notes: RequestNotes = { route: undefined, thrown: undefined };
    this.#notes.set(response, notes);
    this.#noteCount += 1;
    return notes;
  }

  #takeNotes(response: HttpResponse): RequestNotes | undefined {
    const notes = this.#notes.get(response);
    if (notes === undefined) return undefined;
    this.#notes.delete(response);
    this.#noteCount -= 1;
    return notes;
  }
}
