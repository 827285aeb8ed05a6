import type { ServerResponse } from 'node:http';
import type { RoutedMessage } from '@offloop/worker/http';

/**
 * A request as functions of yours get it, with what both majors of Express put on it. A parameter may be annotated with `express.Request`, or
 * `IncomingMessage`, instead: in an application of another kind there is no more than that.
 */
export interface AppRequest extends RoutedMessage {
  /** The URL as it came, path and query. */
  readonly originalUrl: string;
  /** What the routers on the way were mounted at; '' at the top. */
  readonly baseUrl: string;
  /** Path of the URL below `baseUrl`. */
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  /** Parameters of the route. */
  readonly params: Readonly<Record<string, unknown>>;
  /** The route that the request has come to, if it has. */
  readonly route: { readonly path: unknown } | undefined;
  /** What a parser of the body has made of it. */
  readonly body: unknown;
  readonly protocol: string;
  readonly hostname: string;
  readonly ip: string | undefined;
  /** A header. */
  get(name: string): string | undefined;
  /** The same. */
  header(name: string): string | undefined;
}

/** The same of a response: `express.Response` or `ServerResponse` may stand in its place. */
export interface AppResponse extends ServerResponse {
  // biome-ignore lint/suspicious/noExplicitAny: as in Express's own types, so that a value of it may be a label.
  readonly locals: Readonly<Record<string, any>>;
  /** A header. */
  get(name: string): string | undefined;
}

/** A function of yours, whose parameters may be of narrower or wider types than these. */
export type UserFunction<Parameters extends readonly unknown[], Result = unknown> = {
  call(...parameters: Parameters): Result;
}['call'];
