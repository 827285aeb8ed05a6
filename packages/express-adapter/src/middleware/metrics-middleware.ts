import { isRead, scrape } from '@offloop/worker/http';
import type { Metrics } from '../metrics.js';
import type { HttpMiddleware } from '../routes/http-handler.js';
import type { RequestObserver } from './request-observer.js';

/**
 * The middleware: answers scrapes, and observes everything else.
 *
 * Scrapes are not counted among the service's requests. Paths are compared with `originalUrl`, so that a middleware mounted below
 * `/api` does not shadow the application's own `/api/metrics`.
 */
export function createMetricsMiddleware(
  metrics: Metrics,
  observer: RequestObserver,
): HttpMiddleware {
  let { options } = metrics;
  // A copy, as V8 reads the frozen one more slowly: 16 → 10 ns a request that is no scrape.
  let paths = [...options.scrapePaths];
  return function metricsMiddleware(request, response, next) {
    if (metrics.options !== options) {
      options = metrics.options;
      paths = [...options.scrapePaths];
    }
    const url = request.originalUrl ?? request.url ?? '';
    if (isPathAmong(paths, url) && isRead(request) && options.prometheus.enabled) {
      metrics.access.pass('scrape', { request, response }, () =>
        scrape(metrics, request, response),
      );
      return;
    }
    observer.observe(request, response);
    next();
  };
}

const QUESTION_MARK = 63;

/** Whether the URL's path is one of these. Each request asks, so no string is made and hashed for it. */
function isPathAmong(paths: readonly string[], url: string): boolean {
  for (let index = 0; index < paths.length; index++) {
    const path = paths[index] as string;
    const { length } = path;
    const isLong = url.length > length;
    if (isLong ? url.charCodeAt(length) === QUESTION_MARK : url.length === length) {
      if (url.startsWith(path)) return true;
    }
  }
  return false;
}
