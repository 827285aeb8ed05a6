import { isRead } from '@offloop/worker/http';
import type { Metrics } from '../metrics.js';
import type { HttpMiddleware } from '../routes/http-handler.js';
import type { EntryOptions } from './middleware-options.js';
import type { RequestObserver } from './request-observer.js';
import { ScrapePaths } from './scrape-paths.js';

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
  const isChoosy =
    bypass !== undefined ||
    excludeRoutes.length > 0 ||
    scrapes === false ||
    scrapes instanceof RegExp;
  if (isChoosy) return createChoosyMiddleware(metrics, observer, entry);
  const scrapePaths = scrapePathsOf(metrics, scrapes);
  return function metricsMiddleware(request, response, next) {
    const url = request.originalUrl ?? request.url ?? '';
    if (scrapePaths.has(url) && isRead(request) && metrics.options.prometheus.enabled) {
      metrics.answerScrape(request, response, next);
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
  const isScrape = scrapeTest(metrics, scrapes);
  return function metricsMiddleware(request, response, next) {
    const url = request.originalUrl ?? request.url ?? '';
    if (isRead(request) && isScrape(url) && metrics.options.prometheus.enabled) {
      metrics.answerScrape(request, response, next);
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

/** Whether a URL is one of a scrape. */
function scrapeTest(metrics: Metrics, scrapes: EntryOptions['scrapes']): (url: string) => boolean {
  if (scrapes === false) return () => false;
  if (scrapes instanceof RegExp) {
    const expression = stateless(scrapes);
    return (url) => expression.test(url);
  }
  const paths = scrapePathsOf(metrics, scrapes);
  return (url) => paths.has(url);
}

/** Those of a middleware of its own, or those of all, which may change. */
function scrapePathsOf(metrics: Metrics, paths: readonly string[] | undefined): ScrapePaths {
  return paths === undefined ? metrics.scrapePaths : new ScrapePaths(paths);
}

/** Without the flags that make an expression remember where it was. */
function stateless(expression: RegExp): RegExp {
  return new RegExp(expression.source, expression.flags.replace(/[gy]/g, ''));
}
