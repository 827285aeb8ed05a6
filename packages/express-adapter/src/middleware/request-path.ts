import { pathOf } from '@offloop/worker/http';
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
    paths.push((typeof baseUrl === 'string' ? baseUrl : '') + pathOf(url));
  }
  if (typeof originalUrl === 'string') {
    const path = pathOf(originalUrl);
    if (path !== paths[0]) paths.push(path);
  }
  return paths;
}

/** The URL of a request as it came. */
export function urlOf(request: RoutedRequest | undefined): string {
  return String(request?.originalUrl ?? request?.url ?? '');
}
