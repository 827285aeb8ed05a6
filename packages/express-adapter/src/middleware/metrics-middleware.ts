import type { Metrics } from '../metrics.js';
import { type HttpMiddleware, isRead, pathOf } from '../routes/http-handler.js';
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
  scrapePaths: readonly string[],
): HttpMiddleware {
  // The first look is one comparison of lengths: a request for another path pays no slice.
  const shortest = Math.min(...scrapePaths.map((path) => path.length));
  const paths = new Set(scrapePaths);

  return function metricsMiddleware(request, response, next) {
    const url = request.originalUrl ?? request.url ?? '';
    if (
      url.length >= shortest &&
      paths.has(pathOf(url)) &&
      isRead(request) &&
      metrics.options.prometheus.enabled
    ) {
      scrape(metrics, request, response);
      return;
    }
    observer.observe(request, response);
    next();
  };
}
