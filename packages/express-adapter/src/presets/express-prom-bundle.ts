import type { CustomLabels, DefaultMetricsConfiguration, OffloopOptions } from '@offloop/core';
import * as core from '@offloop/core';
import {
  type CompiledOptions,
  call,
  checkFunctions,
  compileOwnOptions,
  type PathReplacement,
  type RequestOptions,
  refuse,
  replacementsOf,
} from '../middleware/middleware-options.js';
import type { HttpMiddleware } from '../routes/http-handler.js';
import { inMs, underGiven } from './preset-data.js';

/** Options of express-prom-bundle 8, and offloop's own beside them. What it calls `labels` are those of the route's template. */
export interface ExpressPromBundleOptions
  extends OffloopOptions,
    Omit<RequestOptions, 'normalizePath' | 'normalizeStatusCode'> {
  readonly preset: 'express-prom-bundle';
  /** Default `histogram`. */
  readonly metricType?: 'histogram' | 'summary';
  /** Default `http_request_duration_seconds`. */
  readonly httpDurationMetricName?: string;
  /** Seconds. Default 0.003, 0.03, 0.1, 0.3, 1.5, 10. */
  readonly buckets?: readonly number[];
  /** Of a summary. Default 0.5, 0.75, 0.95, 0.98, 0.99, 0.999. */
  readonly percentiles?: readonly number[];
  readonly maxAgeSeconds?: number;
  readonly ageBuckets?: number;
  readonly pruneAgedBuckets?: boolean;
  /** Default `true`. */
  readonly includeStatusCode?: boolean;
  /** Default `false`. */
  readonly includeMethod?: boolean;
  /** Default `false`. */
  readonly includePath?: boolean;
  /** Default `true`. */
  readonly includeUp?: boolean;
  readonly normalizePath?:
    | ((request: never, options: never) => unknown)
    | readonly PathReplacement[];
  readonly formatStatusCode?: (response: never, options: never) => unknown;
  /** The same under the name that it had before. */
  readonly normalizeStatusCode?: (response: never, options: never) => unknown;
  /** Changes nothing: the template of the route is the path. */
  readonly urlValueParser?: object;
  /** Changes nothing. */
  readonly urlPathReplacement?: string;
  readonly promClient?: { readonly collectDefaultMetrics?: DefaultMetricsConfiguration };
}

/** The middleware, and what express-prom-bundle puts on its own. */
export type ExpressPromBundleMiddleware = HttpMiddleware & {
  /** offloop's classes, shaped like prom-client's. */
  readonly promClient: typeof core;
  /** Answers a scrape, wherever it is mounted. */
  readonly metricsMiddleware: HttpMiddleware;
};

const DURATION_NAME = 'http_request_duration_seconds';
const BUCKETS = [0.003, 0.03, 0.1, 0.3, 1.5, 10];
const PERCENTILES = [0.5, 0.75, 0.95, 0.98, 0.99, 0.999];

/** What express-prom-bundle's options come to: its metric under its name and labels, and the gauge `up`. */
export function compileExpressPromBundle(options: ExpressPromBundleOptions): CompiledOptions {
  const {
    preset: _,
    metricType = 'histogram',
    httpDurationMetricName = DURATION_NAME,
    buckets = BUCKETS,
    percentiles = PERCENTILES,
    maxAgeSeconds,
    ageBuckets,
    pruneAgedBuckets: _pruneAgedBuckets,
    includeStatusCode = true,
    includeMethod = false,
    includePath = false,
    includeUp = true,
    normalizePath,
    formatStatusCode,
    normalizeStatusCode = formatStatusCode,
    urlValueParser: _urlValueParser,
    urlPathReplacement: _urlPathReplacement,
    promClient = {},
    customLabels = {},
    ...own
  } = options;
  if (metricType !== 'histogram' && metricType !== 'summary')
    refuse('metricType', '"histogram" or "summary"', metricType);
  checkFunctions({
    formatStatusCode: normalizeStatusCode,
    ...(isPairs(normalizePath) ? {} : { normalizePath }),
  });
  const isSummary = metricType === 'summary';
  const compiled = compileOwnOptions({ ...own, ...(isPairs(normalizePath) && { normalizePath }) });
  const names = { requests: [], inFlight: [], errors: [] };
  const { collectDefaultMetrics } = promClient;
  return {
    ...compiled,
    data: underGiven(
      {
        http: { bucketsMs: inMs(buckets) },
        metricNames: { ...names, duration: isSummary ? [] : [httpDurationMetricName] },
        labelNames: {
          statusCode: includeStatusCode && 'status_code',
          method: includeMethod && 'method',
          route: includePath && 'path',
        },
        customLabels: customLabels as CustomLabels,
        prometheus: { includeUp },
      },
      compiled.data,
    ),
    functions: {
      ...compiled.functions,
      routeOf:
        typeof normalizePath === 'function'
          ? ({ request }) => request && call(normalizePath, [request, options])
          : normalizePath && replacementsOf(normalizePath),
      statusOf:
        normalizeStatusCode &&
        (({ response }) => response && call(normalizeStatusCode, [response, options])),
    },
    presetMetrics: {
      upName: `${collectDefaultMetrics?.prefix ?? ''}up`,
      summary: isSummary
        ? { names: [httpDurationMetricName], percentiles, maxAgeSeconds, ageBuckets }
        : undefined,
    },
    baked: { ...compiled.baked, normalizePath, normalizeStatusCode, metricType },
    decorate: (middleware, answerScrape) => {
      Object.assign(middleware, { promClient: core, metricsMiddleware: answerScrape });
    },
    start:
      collectDefaultMetrics &&
      ((register) => core.collectDefaultMetrics({ register, ...collectDefaultMetrics })),
  };
}

function isPairs(value: unknown): value is readonly PathReplacement[] {
  return Array.isArray(value);
}
