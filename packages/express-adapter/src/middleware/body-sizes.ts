import type { EndedRequest } from './ended-request.js';
import { read } from './unknown-value.js';

/** Bytes of a request's body by its head: 0 where there is no body, `undefined` where nobody says how long it is. */
export function requestBytes({ request }: EndedRequest): number | undefined {
  const headers = read(request, 'headers');
  const length = byteCount(read(headers, 'content-length'));
  if (length !== undefined) return length;
  return read(headers, 'transfer-encoding') === undefined ? 0 : undefined;
}

/**
 * Bytes of a response's body. Where the head says how many, that; of a streamed one what the connection has sent, less the head: with the frames
 * of its chunks, 5 to 12 bytes each, and with informational answers before the head. `undefined` where neither can be told (HTTP/2, injected requests, a
 * pipelined one that waits for its turn).
 */
export function responseBytes({
  request,
  response,
  status,
  begun,
}: EndedRequest): number | undefined {
  if (response === undefined) return undefined;
  if (read(request, 'method') === 'HEAD' || status === 204 || status === 304) return 0;
  const isWhole = read(response, 'writableFinished') === true;
  const declared = byteCount(headerOf(response, 'content-length'));
  if (isWhole && declared !== undefined) return declared;
  const sent = read(read(request, 'socket'), 'bytesWritten');
  const head = read(response, '_header');
  if (typeof sent !== 'number' || typeof head !== 'string' || begun === undefined)
    return isWhole ? undefined : 0;
  if (begun.sentBytes < 0) return undefined;
  return Math.max(0, sent - begun.sentBytes - head.length);
}

function headerOf(response: object, name: string): unknown {
  const getHeader = read(response, 'getHeader');
  return typeof getHeader === 'function' ? Reflect.apply(getHeader, response, [name]) : undefined;
}

function byteCount(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const count = Number(value);
  return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}
