import type { RoutedRequest } from './http-exchange.js';

/**
 * The concrete paths of a request, without query: as it was when the answer was given, and as it came.
 *
 * They differ where a middleware has rewritten `req.url`. The first is the one that the routers went by; a handler that
 * rewrites the URL for its own ends (a proxy) leaves only the second right.
 */
export function pathsOf(request: RoutedRequest): readonly string[] {
  const paths: string[] = [];
  const { baseUrl, url, originalUrl } = request;
  if (typeof url === 'string') {
    paths.push((typeof baseUrl === 'string' ? baseUrl : '') + pathnameOf(url));
  }
  if (typeof originalUrl === 'string') {
    const path = pathnameOf(originalUrl);
    if (path !== paths[0]) paths.push(path);
  }
  return paths;
}

/** Proxies send whole URLs (`GET http://host/path`), which routers take apart in just this way. */
const HOST_PART = /^[^/?#][^?#]*?:\/\/[^/?#]*/;

function pathnameOf(url: string): string {
  const path = url.replace(HOST_PART, '');
  const end = path.search(/[?#]/);
  return (end === -1 ? path : path.slice(0, end)) || '/';
}
