import {
  type MetricsRouterOptions,
  Pipeline,
  processPipeline,
  Registry,
  type ResolvedOptions,
  register,
  type Snapshot,
} from '@offloop/core';
import { anchored, anchoredBefore, resolveRouterOptions } from '@offloop/core/adapter';
import { Metrics } from './metrics.js';
import type { MiddlewareOptions } from './presets/compile-options.js';
import type {
  ExpressPromBundleMiddleware,
  ExpressPromBundleOptions,
} from './presets/express-prom-bundle.js';
import type { HttpMiddleware } from './routes/http-handler.js';
import { createMetricsRouter } from './routes/metrics-router.js';

const ANCHOR = '@offloop/express.metrics.1';

// Below, options are required in one overload and optional in another: where they may be `undefined`, TypeScript does not tell which of the
// union's objects a literal is, and leaves parameters of functions in it without their types.

/**
 * The metrics of this process: one object for all copies of this package, its ESM and CommonJS builds, and hot reload. Made at the
 * first call, with its options.
 *
 * @throws {OffloopError} see {@link Metrics}; `OFFLOOP_ERR_ALREADY_STARTED` when a later call asks for other memory.
 */
export function getMetrics(options: MiddlewareOptions): Metrics;
export function getMetrics(options?: MiddlewareOptions): Metrics;
export function getMetrics(options?: MiddlewareOptions): Metrics {
  const existing = anchoredBefore<Metrics>(ANCHOR);
  if (existing === undefined) return makeMetrics(options);
  if (options !== undefined) existing.configure(options);
  return existing;
}

function makeMetrics(options: MiddlewareOptions | undefined): Metrics {
  return anchored(ANCHOR, () => new Metrics({ pipeline: processPipeline(), register }, options));
}

/**
 * Metrics of their own: their own memory, thread and registry. Nothing of them shows in the process's.
 *
 * @throws {OffloopError} see {@link Metrics}.
 */
export function createMetrics(options: MiddlewareOptions): Metrics;
export function createMetrics(options?: MiddlewareOptions): Metrics;
export function createMetrics(options?: MiddlewareOptions): Metrics {
  const pipeline = new Pipeline();
  return new Metrics({ pipeline, register: new Registry(pipeline) }, options);
}

/**
 * Middleware of the process's metrics: `app.use(metricsMiddleware())` measures every request after it, and answers `GET /metrics` and
 * `GET /internal/metrics`.
 *
 * @throws {OffloopError} see {@link getMetrics}.
 */
export function metricsMiddleware(options: ExpressPromBundleOptions): ExpressPromBundleMiddleware;
export function metricsMiddleware(options: MiddlewareOptions): HttpMiddleware;
export function metricsMiddleware(options?: MiddlewareOptions): HttpMiddleware;
export function metricsMiddleware(options?: MiddlewareOptions): HttpMiddleware {
  const existing = anchoredBefore<Metrics>(ANCHOR);
  if (options !== undefined) existing?.configure(options);
  return (existing ?? makeMetrics(options)).middleware(options);
}

/**
 * Middleware that serves the endpoints of the process's metrics, all or chosen ones, below wherever it is mounted.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_OPTION_…`
 */
export function metricsRouter(options: MetricsRouterOptions = {}): HttpMiddleware {
  return createMetricsRouter(() => getMetrics(), resolveRouterOptions(options));
}

/**
 * Changes options of the process's metrics at run time: {@link Metrics.updateConfig}. Where there are none yet, they are made with these.
 *
 * @throws {OffloopError} see {@link Metrics.updateConfig}, {@link getMetrics}; what is refused changes nothing.
 */
export function updateConfig(options: MiddlewareOptions): ResolvedOptions {
  const existing = anchoredBefore<Metrics>(ANCHOR);
  if (existing !== undefined && options !== undefined) return existing.updateConfig(options);
  return getMetrics(options).options;
}

/** The process's numbers as of now: {@link Metrics.getSnapshot}. */
export function getSnapshot(): Snapshot {
  return getMetrics().getSnapshot();
}

/** Resolves when everything recorded before the call is aggregated. */
export function flush(): Promise<void> {
  return getMetrics().flush();
}

/** Closes the process's metrics for good: {@link Metrics.close}. */
export function close(): Promise<void> {
  return getMetrics().close();
}
