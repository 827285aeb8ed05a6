import type { Metrics } from '../metrics.js';
import { type HttpMiddleware, isRead } from '../routes/http-handler.js';
import { scrape } from '../routes/scrape.js';
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
  return function metricsMiddleware(request, response, next) {
    const url = request.originalUrl ?? request.url ?? '';
    const { scrapePaths, prometheus } = metrics.options;
    if (isPathAmong(scrapePaths, url) && isRead(request) && prometheus.enabled) {
      scrape(metrics, request, response);
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
