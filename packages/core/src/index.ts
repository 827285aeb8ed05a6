export type {
  AccessCheck,
  CustomLabels,
  ErrorRule,
  HealthListener,
  MetricsRouterOptions,
  OffloopOptions,
  ResolvedOptions,
  ResolvedPortOptions,
} from './config/options.js';
export type { PageChunk, PageReader, PageSink } from './engine/page-chunk.js';
export { type EngineFactory, Pipeline } from './engine/pipeline.js';
export { processPipeline } from './engine/process-pipeline.js';
export {
  ERROR_CODES,
  isOffloopError,
  OffloopError,
  type OffloopErrorCode,
  OffloopRangeError,
  OffloopTypeError,
} from './errors.js';
export type { PageContents, PageRequest } from './exposition/chosen-families.js';
export type { ContentEncoding } from './exposition/content-encoding.js';
export type { ForeignFamily, ForeignSample } from './exposition/foreign-family.js';
export type { EscapingScheme } from './exposition/name-escaping.js';
export {
  OPEN_METRICS_CONTENT_TYPE,
  OPEN_METRICS_CONTENT_TYPE as openMetricsContentType,
} from './exposition/open-metrics-format.js';
export { PROTOBUF_CONTENT_TYPE } from './exposition/protobuf-format.js';
export type { ExpositionFormat, ExpositionRequest, Page } from './exposition/render.js';
export {
  TEXT_CONTENT_TYPE,
  TEXT_CONTENT_TYPE as prometheusContentType,
} from './exposition/text-format.js';
export type { ExtendedHealth, MetricsExtended } from './health/extended-health.js';
export type { CheckResult, HealthCheck } from './health/health-checks.js';
export type { CheckReport, HealthReason, HealthReport } from './health/health-report.js';
export type { HealthChange } from './health/health-states.js';
export type {
  DetectorName,
  DetectorReport,
  ReliabilityReport,
} from './health/reliability-report.js';
export type { CacheLibrary, CacheMethods } from './hooks/cache/cache-libraries.js';
export { type CacheHookOptions, CacheMetricsHook } from './hooks/cache/cache-metrics-hook.js';
export type { CacheOperation } from './hooks/cache/cache-series.js';
export {
  type InstrumentedServer,
  InstrumentedWebSocket,
  instrumentWebSocketServer,
  type WebSocketHookOptions,
  type WsServer,
} from './hooks/websocket/instrumented-websocket.js';
export type { WsSocket } from './hooks/websocket/socket-watch.js';
// All of it again as the default, which programs compiled for prom-client's CommonJS ask for.
export * as default from './index.js';
export {
  type Aggregator,
  type AggregatorFunction,
  aggregators,
} from './instruments/aggregators.js';
export type { Metric } from './instruments/any-metric.js';
export { exponentialBuckets, linearBuckets } from './instruments/bucket-bounds.js';
export type { CollectFunction, Collector } from './instruments/collector.js';
export type {
  OpenMetricsContentType,
  PrometheusContentType,
  RegistryContentType,
} from './instruments/content-types.js';
export {
  Counter,
  CounterChild,
  type CounterConfiguration,
  type CounterIncrement,
  type CounterIncrement as IncreaseDataWithExemplar,
} from './instruments/counter.js';
export type { ExemplarLabels } from './instruments/exemplar-labels.js';
export type { ExemplarCall } from './instruments/exemplar-recording.js';
export type { Family } from './instruments/family.js';
export type { ForeignMetric, ForeignMetricObject } from './instruments/foreign-metric.js';
export { Gauge, GaugeChild, type GaugeConfiguration } from './instruments/gauge.js';
export {
  DEFAULT_BUCKETS,
  Histogram,
  HistogramChild,
  type HistogramConfiguration,
  type HistogramObservation,
  type HistogramObservation as ObserveDataWithExemplar,
} from './instruments/histogram.js';
export { Info, type InfoConfiguration } from './instruments/info.js';
export type {
  AnyRegistry,
  LabelValues,
  MetricConfiguration,
} from './instruments/metric-configuration.js';
export { validateMetricName } from './instruments/metric-configuration.js';
export type {
  MetricExemplar,
  MetricObject,
  MetricObjectWithValues,
  MetricType,
  MetricValue,
  MetricValueWithName,
} from './instruments/metric-value.js';
export type { RegisteredMetric } from './instruments/registered-metric.js';
export { contentType, Registry, register } from './instruments/registry.js';
export { StateSet, type StateSetConfiguration } from './instruments/state-set.js';
export {
  DEFAULT_PERCENTILES,
  Summary,
  SummaryChild,
  type SummaryConfiguration,
} from './instruments/summary.js';
export type { StallCause } from './layout/watch.js';
export type { Logger } from './logger.js';
export {
  collectDefaultMetrics,
  type DefaultMetricsCollectorConfiguration,
  type DefaultMetricsConfiguration,
  type DefaultMetricsHandle,
} from './process/default-metrics.js';
export type { ProcessEnd } from './process/process-end.js';
export type { Stall } from './process/stall-reading.js';
export type { Recorder } from './record/recorder.js';
export type { PerformanceSnapshot } from './snapshot/performance.js';
export type { PipelineTotals } from './snapshot/pipeline-totals.js';
export type { LatencySummary, RouteSnapshot, Snapshot, SnapshotJson } from './snapshot/snapshot.js';
export { snapshotToJson } from './snapshot/snapshot.js';
