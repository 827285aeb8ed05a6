import type { OffloopOptions } from '@offloop/core';
import {
  type CompiledOptions,
  call,
  checkFunctions,
  compileOwnOptions,
  type RequestOptions,
  refuse,
} from '../middleware/middleware-options.js';
import type { RequestLabelSet } from '../middleware/request-labels.js';
import { inMs, underGiven } from './preset-data.js';

/** Options of prometheus-api-metrics 4, and offloop's own beside them. */
export interface PrometheusApiMetricsOptions
  extends OffloopOptions,
    Omit<RequestOptions, 'excludeRoutes' | 'metricsPath'> {
  readonly preset: 'prometheus-api-metrics';
  /** Default `/metrics`. The page as JSON is at `/diagnostics/metrics` of `metricsRouter()`. */
  readonly metricsPath?: string;
  /** Seconds. Default 0.001, 0.005, 0.015, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5. */
  readonly durationBuckets?: readonly number[];
  /** Bytes. Default 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000. */
  readonly requestSizeBuckets?: readonly number[];
  /** Bounds of both sizes are those of the request. */
  readonly responseSizeBuckets?: readonly number[];
  readonly metricsPrefix?: string;
  /** Parts of URLs that are not measured. */
  readonly excludeRoutes?: readonly string[];
  readonly additionalLabels?: readonly string[];
  readonly extractAdditionalLabelValuesFn?: (request: never, response: never) => RequestLabelSet;
  /** Changes nothing. */
  readonly defaultMetricsInterval?: number;
}

const DURATION_BUCKETS = [0.001, 0.005, 0.015, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5];
const SIZE_BUCKETS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000];

/** What prometheus-api-metrics's options come to. */
export function compilePrometheusApiMetrics({
  preset: _,
  durationBuckets = DURATION_BUCKETS,
  requestSizeBuckets,
  responseSizeBuckets,
  metricsPrefix,
  excludeRoutes = [],
  additionalLabels = [],
  extractAdditionalLabelValuesFn: extract,
  defaultMetricsInterval: _interval,
  ...own
}: PrometheusApiMetricsOptions): CompiledOptions {
  if (!Array.isArray(excludeRoutes) || !excludeRoutes.every((each) => typeof each === 'string'))
    refuse('excludeRoutes', 'an array of parts of URLs', excludeRoutes);
  if (!Array.isArray(additionalLabels))
    refuse('additionalLabels', 'an array of label names', additionalLabels);
  checkFunctions({ extractAdditionalLabelValuesFn: extract });
  const compiled = compileOwnOptions({
    ...own,
    excludeRoutes: excludeRoutes.map((part) => new RegExp(escapeExpression(part))),
  });
  const named = (name: string): string[] => [
    metricsPrefix === undefined ? name : `${metricsPrefix}_${name}`,
  ];
  return {
    ...compiled,
    data: underGiven(
      {
        http: {
          bucketsMs: inMs(durationBuckets),
          sizes: true,
          sizeBucketsBytes: requestSizeBuckets ?? responseSizeBuckets ?? SIZE_BUCKETS,
        },
        metricNames: {
          requests: [],
          inFlight: [],
          errors: [],
          duration: named('http_request_duration_seconds'),
          requestSize: named('http_request_size_bytes'),
          responseSize: named('http_response_size_bytes'),
        },
        labelNames: { method: 'method', route: 'route', statusCode: 'code' },
        customLabels: Object.fromEntries(additionalLabels.map((name) => [name, null])),
      },
      compiled.data,
    ),
    functions: {
      ...compiled.functions,
      ...(extract && {
        transform: (_labels, request, response) => call(extract, [request, response]),
      }),
    },
    baked: { ...compiled.baked, extract },
  };
}

function escapeExpression(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
