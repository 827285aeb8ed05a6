import type { ResolvedRouterOptions } from '@offloop/core';
import type { Metrics } from '../metrics.js';
import { diagnostics, type Endpoint, health, servicePerformance } from './endpoints.js';
import { type HttpMiddleware, isRead, pathOf } from './http-handler.js';
import { scrape } from './scrape.js';

/** Serves the chosen endpoints below wherever it is mounted, and passes everything else on. */
export function createMetricsRouter(
  metrics: () => Metrics,
  options: ResolvedRouterOptions,
): HttpMiddleware {
  const endpoints = new Map<string, Endpoint>();
  const put = (path: string | false, endpoint: Endpoint): void => {
    if (path !== false) endpoints.set(path, endpoint);
  };
  put(options.metrics, scrape);
  put(options.internalMetrics, scrape);
  put(options.diagnostics, diagnostics);
  put(options.performance, servicePerformance);
  put(options.health, health);

  return function metricsRouter(request, response, next) {
    const endpoint = isRead(request) ? endpoints.get(pathOf(request.url ?? '')) : undefined;
    if (endpoint === undefined) {
      next();
      return;
    }
    const owner = metrics();
    if (endpoint === scrape && !owner.options.prometheus.enabled) {
      next();
      return;
    }
    endpoint(owner, request, response);
  };
}
