export type { OffloopOptions as MetricsOptions } from '@offloop/core';
export * from '@offloop/core';
export * from '@offloop/worker';
export type { RoutedMessage } from '@offloop/worker/http';
export type { ErrorClass } from './errors/error-class.js';
// All of it again as the default, which programs compiled for prom-client's CommonJS ask for.
export * as default from './index.js';
export type { FinalExporter, LastWords } from './last-words.js';
export { Metrics } from './metrics.js';
export type {
  Bypass,
  OwnMiddlewareOptions,
  PathReplacement,
  RequestOptions,
} from './middleware/middleware-options.js';
export type { RequestLabelSet } from './middleware/request-labels.js';
export type { AppRequest, AppResponse, UserFunction } from './middleware/user-functions.js';
export type { MiddlewareOptions } from './presets/compile-options.js';
export type {
  ExpressPromBundleMiddleware,
  ExpressPromBundleOptions,
} from './presets/express-prom-bundle.js';
export type { PrometheusApiMetricsOptions } from './presets/prometheus-api-metrics.js';
export type { PromsterOptions, PromsterRequestOptions } from './presets/promster.js';
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
export {
  type InstrumentRouteOptions,
  instrumentRoute,
} from './wrappers/instrument-route.js';
export {
  type HttpRecording,
  type HttpRequestContext,
  recordHttpRequest,
} from './wrappers/record-http-request.js';
