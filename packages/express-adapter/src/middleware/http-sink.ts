/**
 * Where observed requests go: what the observer needs of the metrics behind it, and nothing more.
 *
 * Every method is called from inside the user's request. What one of them throws is caught and forgotten.
 */
export interface HttpSink {
  /**
   * Id under which `record` counts requests with these labels.
   *
   * Called once for each new combination, and again after the routes or `seriesEpoch` have changed; the answer is kept.
   *
   * @param statusCode Three digits, or `_OTHER`.
   */
  seriesIdOf(method: string, route: string, statusCode: string): number;

  /** Moves when ids that were answered before hold no more, and have to be asked for again. */
  readonly seriesEpoch: number;

  /** Counts one response. Called once for each, at its end: `endedMs` is `performance.now()` then. */
  record(seriesId: number, durationSeconds: number, endedMs: number): boolean;

  /** One more request in flight. */
  requestStarted(): void;

  /** One fewer. Called exactly once for each `requestStarted`, unless the observer was closed in between. */
  requestEnded(): void;
}

/** What tells the series of a route, a method and a status. */
export type SeriesSource = Pick<HttpSink, 'seriesIdOf' | 'seriesEpoch'>;
