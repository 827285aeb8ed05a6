import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2Stream } from 'node:http2';
import { messageOf } from '@offloop/core/engine';

/** RFC 9113, 7: the stream is no longer needed. */
const HTTP2_CANCEL = 8;

/** A request as Express hands it on: mounted below a path, `url` is relative and `originalUrl` whole. */
export type RoutedMessage = IncomingMessage & { readonly originalUrl?: string };

/** Proxies send whole URLs (`GET http://host/path`), which RFC 9112, 3.2.2, has every server take; routers take them apart in just this way. */
const HOST_PART = /^[^/?#][^?#]*?:\/\/[^/?#]*/;

/** Path of a request's URL without its query. */
export function pathOf(url: string): string {
  const path = url.replace(HOST_PART, '');
  const end = path.search(/[?#]/);
  return (end === -1 ? path : path.slice(0, end)) || '/';
}

/** Whether a request only reads. Our endpoints answer nothing else. */
export function isRead(request: RoutedMessage): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

/** Whether it can still be answered: the client is there, and nobody else has. */
export function isOpen(response: ServerResponse): boolean {
  return !(response.headersSent || response.writableEnded || response.destroyed);
}

/** Ends an answer in its middle, so that nobody takes it for a whole one. */
export function breakOff(response: ServerResponse & { readonly stream?: Http2Stream }): void {
  if (response.stream === undefined) response.destroy();
  // An error given to destroy() would come out where the application sees it.
  else response.stream.close(HTTP2_CANCEL);
}

/** Answers with a body, or with its length where the method is HEAD; not at all where the client has left, or somebody else answered. */
export function answer(
  request: RoutedMessage,
  response: ServerResponse,
  content: { readonly status: number; readonly type: string; readonly body: Uint8Array },
): void {
  if (!isOpen(response)) return;
  response.statusCode = content.status;
  response.setHeader('Content-Type', content.type);
  response.setHeader('Content-Length', content.body.byteLength);
  response.setHeader('Cache-Control', 'no-store');
  response.end(request.method === 'HEAD' ? undefined : content.body);
}

/** Answers with JSON. */
export function answerJson(
  request: RoutedMessage,
  response: ServerResponse,
  content: { readonly status: number; readonly json: object },
): void {
  const body = Buffer.from(`${JSON.stringify(content.json)}\n`);
  answer(request, response, {
    status: content.status,
    type: 'application/json; charset=utf-8',
    body,
  });
}

/** Answers with one line, for a person who looks why. */
export function answerText(
  request: RoutedMessage,
  response: ServerResponse,
  content: { readonly status: number; readonly text: string },
): void {
  answer(request, response, {
    status: content.status,
    type: 'text/plain; charset=utf-8',
    body: Buffer.from(`offloop: ${content.text}\n`),
  });
}

/** Answers that there is no page, and why. */
export function answerUnavailable(
  request: RoutedMessage,
  response: ServerResponse,
  error: unknown,
): void {
  const text = `the page could not be made: ${messageOf(error)}`;
  answerText(request, response, { status: 503, text });
}
