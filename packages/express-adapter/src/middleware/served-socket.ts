import type { Connection } from './connection.js';
import type { HttpResponse, RoutedRequest } from './http-exchange.js';
import type { Closable } from './listened-response.js';
import { isHost, read } from './unknown-value.js';

/** A socket of an HTTP/1 server of Node, with what each observer keeps on it under a symbol of its own. */
export interface ServedSocket extends Closable {
  readonly destroyed?: boolean;
  readonly [slot: symbol]: Connection | undefined;
}

/**
 * Whether the response is the one that its socket is sending now, to the request that was read from it last, so that Node publishes its end.
 *
 * Not so for a response that waits behind another (pipelining), an injected one or one over HTTP/2; nor after an upgrade, when a socket has no
 * parser any more and applications put responses of their own making on it.
 *
 * The socket is asked, and not the request: Express gives each request another prototype, after which Node 20 looks every property of it up anew,
 * at ten times the price.
 */
export function isBeingServed(
  socket: object | null | undefined,
  request: RoutedRequest,
  response: HttpResponse,
): socket is ServedSocket {
  // Without `typeof`, for which the engine looks at one more object that is not in its caches.
  return (
    socket !== undefined &&
    socket !== null &&
    (socket as MaybeServed)._httpMessage === response &&
    (socket as MaybeServed).parser?.incoming === request
  );
}

/** Whether Node's HTTP/1 server reads requests from it. Stand-ins have no parser. */
export function isServedSocket(socket: unknown): socket is ServedSocket {
  return isHost(read(socket, 'parser')) && isClosable(socket);
}

/** Stand-ins for sockets need not have events. */
export function isClosable(socket: unknown): socket is Closable {
  return ['once', 'removeListener'].every((name) => typeof read(socket, name) === 'function');
}

interface MaybeServed {
  readonly _httpMessage?: unknown;
  readonly parser?: { readonly incoming?: unknown } | null;
}
