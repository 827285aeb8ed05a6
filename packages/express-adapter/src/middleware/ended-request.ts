import type { HttpResponse, RoutedRequest } from './http-exchange.js';

/** What is noted of a request at its beginning, where more than its duration is measured. */
export interface BegunRequest {
  /** Bytes that its connection had sent before; below 0 where that is not known, as another response is still being sent. */
  sentBytes: number;
  /** When the head of the response was written, by `performance.now()`; below 0 before that. */
  headMs: number;
}

/** A request at its end, as more than its duration is measured of it. */
export interface EndedRequest {
  /** `undefined` where a request was recorded by hand, and not named. */
  readonly request: RoutedRequest | undefined;
  readonly response: HttpResponse | undefined;
  /** As a label. */
  readonly method: string;
  readonly route: string;
  /** Three digits, or 0. */
  readonly status: number;
  readonly startedMs: number;
  readonly durationSeconds: number;
  /** What was noted at its beginning. */
  readonly begun: BegunRequest | undefined;
}

/** What is measured of requests beyond what a sink takes. Where there is none of it, requests pay nothing. */
export interface RequestExtras {
  /** Called at each beginning. */
  begin(request: RoutedRequest, response: HttpResponse): BegunRequest | undefined;

  /**
   * Called at each end, before the sink is told. Never throws.
   *
   * @returns `false` for a request that is not to be counted anywhere.
   */
  end(ended: EndedRequest): boolean;
}
