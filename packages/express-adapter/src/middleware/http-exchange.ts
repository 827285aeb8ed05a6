/**
 * What is read of a request and its response, as a minimum that the objects of node:http, node:http2, both majors of
 * Express and the stand-ins of injection libraries all satisfy.
 */
export interface HttpRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly socket?: object | null | undefined;
}

export interface HttpResponse {
  readonly statusCode?: number | undefined;
  readonly writableEnded?: boolean | undefined;
  /** The same, where node:http keeps it. */
  readonly finished?: boolean | undefined;
  readonly writableFinished?: boolean | undefined;
  readonly destroyed?: boolean | undefined;
  readonly req?: RoutedRequest | undefined;
  once(event: 'finish' | 'close', listener: () => void): unknown;
  removeListener(event: 'finish' | 'close', listener: () => void): unknown;
}

/** What Express and Node add to a request. Nobody promises these, so each is checked where it is used. */
export interface RoutedRequest extends HttpRequest {
  readonly app?: unknown;
  readonly route?: unknown;
  readonly baseUrl?: unknown;
  readonly originalUrl?: unknown;
  readonly upgrade?: unknown;
}
