import { isRead } from '@offloop/worker/http';
import type { Metrics } from '../metrics.js';
import type { HttpMiddleware } from '../routes/http-handler.js';
import type { EntryOptions } from './middleware-options.js';
import type { RequestObserver } from './request-observer.js';

/**
 * The middleware: answers scrapes, and observes everything else.
 *
 * Scrapes are not counted among the service's requests. Paths are compared with `originalUrl`, so that a middleware mounted below
 * `/api` does not shadow the application's own `/api/metrics`.
 *
 * @param entry What this middleware does otherwise. Where that is nothing, requests do not pay for the question.
 */
export function createMetricsMiddleware(
  metrics: Metrics,
  observer: RequestObserver,
  entry: EntryOptions = {},
): HttpMiddleware {
  const { bypass, excludeRoutes = [], scrapes } = entry;
  if (bypass !== undefined || excludeRoutes.length > 0 || scrapes !== undefined)
    return createChoosyMiddleware(metrics, observer, entry);
  const { scrapePaths } = metrics;
  return function metricsMiddleware(request, response, next) {
    const url = request.originalUrl ?? request.url ?? '';
    if (scrapePaths.has(url) && isRead(request) && metrics.options.prometheus.enabled) {
      metrics.answerScrape(request, response);
      return;
    }
    observer.observe(request, response);
    next();
  };
}

/** The same for a middleware that leaves some requests out, or answers scrapes elsewhere. */
function createChoosyMiddleware(
  metrics: Metrics,
  observer: RequestObserver,
  { bypass, excludeRoutes = [], scrapes }: EntryOptions,
): HttpMiddleware {
  const excludedUrls = new Set(excludeRoutes.filter((each) => typeof each === 'string'));
  const excluded = excludeRoutes.filter((each) => typeof each !== 'string').map(stateless);
  const expression = scrapes instanceof RegExp ? stateless(scrapes) : undefined;
  const isScrape = (url: string): boolean => {
    if (scrapes === false) return false;
    return expression?.test(url) ?? metrics.scrapePaths.has(url);
  };
  return function metricsMiddleware(request, response, next) {
    const url = request.originalUrl ?? request.url ?? '';
    if (isRead(request) && isScrape(url) && metrics.options.prometheus.enabled) {
      metrics.answerScrape(request, response);
      return;
    }
    let isLeftOut = excludedUrls.has(url) || excluded.some((each) => each.test(url));
    if (!isLeftOut && bypass !== undefined) {
      try {
        isLeftOut = Boolean(bypass(request));
      } catch {
        // Measured: the function has not said otherwise.
      }
    }
    if (isLeftOut) observer.leaveOut(response);
    else observer.observe(request, response);
    next();
  };
}

/** Without the flags that make an expression remember where it was. */
function stateless(expression: RegExp): RegExp {
  return new RegExp(expression.source, expression.flags.replace(/[gy]/g, ''));
}
