export * from '@offloop/core';
export * from '@offloop/worker';
export { type HealthReport, Metrics, type PageRequest } from './metrics.js';
export type { MetricsOptions, MetricsRouterOptions, ResolvedMetricsOptions } from './options.js';
export type { HttpMiddleware, RoutedMessage } from './routes/http-handler.js';
export {
  close,
  createMetrics,
  flush,
  getMetrics,
  getSnapshot,
  metricsMiddleware,
  metricsRouter,
} from './singleton.js';
