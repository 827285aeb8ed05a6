import type { OffloopOptions } from '@offloop/core';
import * as core from '@offloop/core';
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
import { countCollections, gcNames } from './promster-gc.js';

type Names = string | readonly string[];

/** Options of promster 15 that concern requests. */
export interface PromsterRequestOptions {
  readonly labels?: readonly string[];
  readonly metricPrefix?: string;
  /** Default `httpRequestsTotal` and `httpRequestsHistogram`. */
  readonly metricTypes?: readonly (
    | 'httpRequestsTotal'
    | 'httpRequestsHistogram'
    | 'httpRequestsSummary'
    | 'httpContentLengthHistogram'
  )[];
  readonly metricNames?: {
    readonly httpRequestsTotal?: Names;
    readonly httpRequestDurationInSeconds?: Names;
    readonly httpRequestDurationPerPercentileInSeconds?: Names;
    readonly httpRequestContentLengthInBytes?: Names;
    readonly httpResponseContentLengthInBytes?: Names;
    readonly up?: Names;
  };
  readonly metricBuckets?: {
    readonly httpRequestDurationInSeconds?: readonly number[];
    readonly httpRequestContentLengthInBytes?: readonly number[];
  };
  readonly metricPercentiles?: {
    readonly httpRequestDurationPerPercentileInSeconds?: readonly number[];
  };
  readonly getLabelValues?: (request: never, response: never) => RequestLabelSet;
  readonly normalizePath?: (path: string, about: never) => unknown;
  readonly normalizeStatusCode?: (statusCode: number, about: never) => unknown;
  readonly normalizeMethod?: (method: string, about: never) => unknown;
  readonly skip?: (request: never, response: never, labels: RequestLabelSet) => unknown;
  /** Measures nothing where the process does not run in Kubernetes. Default `false`. */
  readonly detectKubernetes?: boolean;
  /** Default `false`. */
  readonly disableGcMetrics?: boolean;
  /** Milliseconds for which V8 keeps garbage collections at most before they are counted; each scrape counts them as well. Default 6000. */
  readonly gcCollectionInterval?: number;
}

/** What promster's `createMiddleware()` takes, and offloop's own options beside it. */
export interface PromsterOptions
  extends Omit<OffloopOptions, 'metricNames' | 'labelNames' | 'customLabels'>,
    Omit<RequestOptions, 'normalizePath' | 'normalizeStatusCode' | 'transformLabels'> {
  readonly preset: 'promster';
  /** Gets offloop's classes as `app.locals.Prometheus`. */
  readonly app?: { readonly locals?: Record<string, unknown> };
  readonly options?: PromsterRequestOptions;
}

const DURATION_BUCKETS = [0.05, 0.1, 0.3, 0.5, 0.8, 1, 1.5, 2, 3, 10];
const SIZE_BUCKETS = [1e5, 2e5, 5e5, 1e6, 1.5e6, 2e6, 3e6, 5e6, 1e7];
const PERCENTILES = [0.5, 0.9, 0.95, 0.98, 0.99];
const METRIC_TYPES = ['httpRequestsTotal', 'httpRequestsHistogram'];
const KNOWN_TYPES = [...METRIC_TYPES, 'httpRequestsSummary', 'httpContentLengthHistogram'];

const GC_INTERVAL_MS = 6_000;
/** A minute of collections is some megabytes of V8's memory. */
const INTERVAL_MS_MAX = 60_000;

/** What promster's options come to. */
export function compilePromster({
  preset: _,
  app,
  options = {},
  ...own
}: PromsterOptions): CompiledOptions {
  const { labels = [], metricPrefix = '', metricTypes = METRIC_TYPES, metricNames = {} } = options;
  const { metricBuckets = {}, metricPercentiles = {} } = options;
  const { getLabelValues, normalizePath, normalizeStatusCode, normalizeMethod, skip } = options;
  const { detectKubernetes = false, disableGcMetrics = false } = options;
  const { gcCollectionInterval: intervalMs = GC_INTERVAL_MS } = options;
  if (!(intervalMs >= 1 && intervalMs <= INTERVAL_MS_MAX))
    refuse('options.gcCollectionInterval', `in [1, ${INTERVAL_MS_MAX}] milliseconds`, intervalMs);
  const isOff = detectKubernetes && process.env['KUBERNETES_SERVICE_HOST'] === undefined;
  const hasGc = !disableGcMetrics && !isOff;
  for (const type of metricTypes) {
    if (!KNOWN_TYPES.includes(type))
      refuse('options.metricTypes', `some of ${KNOWN_TYPES.join(', ')}`, metricTypes);
  }
  checkFunctions({
    'options.getLabelValues': getLabelValues,
    'options.normalizePath': normalizePath,
    'options.normalizeStatusCode': normalizeStatusCode,
    'options.normalizeMethod': normalizeMethod,
    'options.skip': skip,
  });
  const named = (names: Names): string[] =>
    [names].flat().map((name: unknown) => `${metricPrefix}${String(name)}`);
  const shown = (type: string, names: Names): string[] =>
    (metricTypes as readonly string[]).includes(type) ? named(names) : [];
  const compiled = compileOwnOptions(own);
  const sizes = 'httpContentLengthHistogram';
  const {
    httpRequestsTotal = 'http_requests_total',
    httpRequestDurationInSeconds = 'http_request_duration_seconds',
    httpRequestDurationPerPercentileInSeconds = 'http_request_duration_per_percentile_seconds',
    httpRequestContentLengthInBytes = 'http_request_content_length_bytes',
    httpResponseContentLengthInBytes = 'http_response_content_length_bytes',
    up = 'nodejs_up',
  } = metricNames;
  const summaries = shown('httpRequestsSummary', httpRequestDurationPerPercentileInSeconds);
  const { leavesOut } = compiled.functions;
  return {
    ...compiled,
    data: underGiven(
      {
        http: {
          bucketsMs: inMs(metricBuckets.httpRequestDurationInSeconds ?? DURATION_BUCKETS),
          sizes: (metricTypes as readonly string[]).includes(sizes),
          sizeBucketsBytes: metricBuckets.httpRequestContentLengthInBytes ?? SIZE_BUCKETS,
        },
        metricNames: {
          requests: shown('httpRequestsTotal', httpRequestsTotal),
          duration: shown('httpRequestsHistogram', httpRequestDurationInSeconds),
          requestSize: shown(sizes, httpRequestContentLengthInBytes),
          responseSize: shown(sizes, httpResponseContentLengthInBytes),
          inFlight: [],
          errors: [],
        },
        labelNames: { method: 'method', route: 'path', statusCode: 'status_code' },
        customLabels: Object.fromEntries(labels.map((name) => [name, null])),
        prometheus: { includeUp: true },
      },
      compiled.data,
    ),
    functions: {
      routeOf:
        normalizePath &&
        (({ route, request, response }) =>
          call(normalizePath, [route, { req: request, res: response }])),
      statusOf:
        normalizeStatusCode &&
        (({ status, request, response }) =>
          call(normalizeStatusCode, [status, { req: request, res: response }])),
      methodOf: ({ method, request, response }) =>
        normalizeMethod === undefined
          ? method.toLowerCase()
          : call(normalizeMethod, [method, { req: request, res: response }]),
      transform:
        getLabelValues &&
        ((_labels, request, response) => call(getLabelValues, [request, response])),
      leavesOut: isOff
        ? () => true
        : skip === undefined
          ? leavesOut
          : (ended, labelsOf) =>
              call(skip, [ended.request, ended.response, labelsOf()]) ||
              leavesOut?.(ended, labelsOf),
    },
    presetMetrics: {
      upName: named(up)[0],
      startedNames: hasGc ? gcNames(metricPrefix) : [],
      summary:
        summaries.length === 0
          ? undefined
          : {
              names: summaries,
              percentiles:
                metricPercentiles.httpRequestDurationPerPercentileInSeconds ?? PERCENTILES,
            },
    },
    start: hasGc
      ? (register) => countCollections({ register, prefix: metricPrefix, intervalMs })
      : undefined,
    decorate: () => {
      if (app?.locals !== undefined) app.locals['Prometheus'] = core;
    },
    baked: {
      ...compiled.baked,
      getLabelValues,
      normalizePath,
      normalizeStatusCode,
      normalizeMethod,
      skip,
    },
  };
}
