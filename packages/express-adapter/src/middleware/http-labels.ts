import { METHODS } from 'node:http';

/** The label of methods that are not known, and of statuses that HTTP has not. */
export const OTHER = '_OTHER';

/** RFC 9110 and PATCH (RFC 5789). */
const COMMON_METHODS: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
]);

/** What HTTP/1 accepts in Node. HTTP/2 lets any text through. */
const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);

/**
 * A method as a label.
 *
 * The rare ones (WebDAV's and the like) are kept where a route answered. Elsewhere they come from scanners, which would
 * add a few dozen series to every service on the internet.
 */
export function methodLabel(method: string | undefined, isRouted: boolean): string {
  if (method === undefined) return OTHER;
  return (isRouted ? KNOWN_METHODS : COMMON_METHODS).has(method) ? method : OTHER;
}

/** The status as a whole number from 100 to 999, 0 for anything else. */
export function statusOf(statusCode: unknown): number {
  // In here, as a module's constant is looked up by each request.
  const STATUS_MIN = 100;
  const STATUS_MAX = 999;
  const status = Math.trunc(Number(statusCode));
  return status >= STATUS_MIN && status <= STATUS_MAX ? status : 0;
}

export function statusLabel(status: number): string {
  return status === 0 ? OTHER : String(status);
}
