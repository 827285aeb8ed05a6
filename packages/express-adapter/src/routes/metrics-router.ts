import type { ResolvedRouterOptions } from '@offloop/core/adapter';
import { isRead, pathOf, scrape } from '@offloop/worker/http';
import type { Metrics } from '../metrics.js';
import type { Disclosure } from './access-gate.js';
import {
  diagnostics,
  type Endpoint,
  health,
  healthExtended,
  servicePerformance,
} from './endpoints.js';
import type { HttpMiddleware } from './http-handler.js';

/** Serves the chosen endpoints below wherever it is mounted, and passes everything else on. */
export function createMetricsRouter(
  metrics: () => Metrics,
  options: ResolvedRouterOptions,
): HttpMiddleware {
  const endpoints = new Map<string, { endpoint: Endpoint; disclosure: Disclosure }>();
  const put = (path: string | false, endpoint: Endpoint, disclosure: Disclosure): void => {
    if (path !== false) endpoints.set(path, { endpoint, disclosure });
  };
  put(options.metrics, scrape, 'scrape');
  put(options.internalMetrics, scrape, 'scrape');
  put(options.diagnostics, diagnostics, 'private');
  put(options.performance, servicePerformance, 'private');
  put(options.health, health, 'public');
  put(options.healthExtended, healthExtended, 'private');

  // A slash more is no other path, as for Express.
  const endpointAt = (path: string) =>
    endpoints.get(path) ?? endpoints.get(path.replace(/\/$/, ''));

  return function metricsRouter(request, response, next) {
    const found = isRead(request) ? endpointAt(pathOf(request.url ?? '')) : undefined;
    if (found === undefined) {
      next();
      return;
    }
    const { endpoint, disclosure } = found;
    const owner = metrics();
    if (endpoint === scrape && !owner.options.prometheus.enabled) {
      next();
      return;
    }
    owner.access.pass(disclosure, { request, response }, () => endpoint(owner, request, response));
  };
}
