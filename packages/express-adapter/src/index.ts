export type { OffloopOptions as MetricsOptions } from '@offloop/core';
export * from '@offloop/core';
export * from '@offloop/worker';
export type { RoutedMessage } from '@offloop/worker/http';
export type { FinalExporter, LastWords } from './last-words.js';
export { type HealthReport, Metrics } from './metrics.js';
export type { HttpMiddleware } from './routes/http-handler.js';
export {
  close,
  createMetrics,
  flush,
  getMetrics,
  getSnapshot,
  metricsMiddleware,
  metricsRouter,
  updateConfig,
} from './singleton.js';
