import { collectDefaultMetrics, type OffloopOptions, type Registry } from '@offloop/core';
import type { EndedRequest } from '../middleware/ended-request.js';
import {
  type CompiledOptions,
  call,
  checkFunctions,
  compileOwnOptions,
  type RequestOptions,
  refuse,
  type Started,
} from '../middleware/middleware-options.js';
import type { RequestFunctions } from '../middleware/request-extras.js';
import type { RequestLabelSet } from '../middleware/request-labels.js';
import type { AppRequest, AppResponse, UserFunction } from '../middleware/user-functions.js';
import { inMs, refuseBounds, underGiven, withDefaults } from './preset-data.js';
import { promClient } from './prom-client-names.js';
import { countCollections, gcNames } from './promster-gc.js';

type Names = string | readonly string[];

/** What promster's functions get beside a value. */
interface Exchange {
  readonly req: AppRequest;
  readonly res: AppResponse;
}

/** Options of promster 15 that concern requests. */
export interface PromsterRequestOptions {
  readonly labels?: readonly string[] | undefined;
  readonly metricPrefix?: string | undefined;
  /** Default `httpRequestsTotal` and `httpRequestsHistogram`. */
  readonly metricTypes?:
    | readonly (
        | 'httpRequestsTotal'
        | 'httpRequestsHistogram'
        | 'httpRequestsSummary'
        | 'httpContentLengthHistogram'
        // Of promster's own types any text is one.
        | (string & {})
      )[]
    | undefined;
  readonly metricNames?:
    | {
        readonly httpRequestsTotal?: Names | undefined;
        readonly httpRequestDurationInSeconds?: Names | undefined;
        readonly httpRequestDurationPerPercentileInSeconds?: Names | undefined;
        readonly httpRequestContentLengthInBytes?: Names | undefined;
        readonly httpResponseContentLengthInBytes?: Names | undefined;
        readonly up?: Names | undefined;
      }
    | undefined;
  readonly metricBuckets?:
    | {
        readonly httpRequestDurationInSeconds?: readonly number[] | undefined;
        readonly httpRequestContentLengthInBytes?: readonly number[] | undefined;
        readonly httpResponseContentLengthInBytes?: readonly number[] | undefined;
      }
    | undefined;
  readonly metricPercentiles?:
    | {
        readonly httpRequestDurationPerPercentileInSeconds?: readonly number[] | undefined;
      }
    | undefined;
  /** Values of `labels`, by name. */
  readonly getLabelValues?:
    | UserFunction<[request: AppRequest, response: AppResponse], object>
    | undefined;
  /** Label of the path, in place of the route's template. */
  readonly normalizePath?: UserFunction<[path: string, about: Exchange]> | undefined;
  readonly normalizeStatusCode?: UserFunction<[statusCode: number, about: Exchange]> | undefined;
  readonly normalizeMethod?: UserFunction<[method: string, about: Exchange]> | undefined;
  /** Whether a request is not counted, now that it is answered. */
  readonly skip?:
    | UserFunction<[request: AppRequest, response: AppResponse, labels: RequestLabelSet]>
    | undefined;
  /** Measures nothing where the process does not run in Kubernetes. Default `false`. */
  readonly detectKubernetes?: boolean | undefined;
  /** Default `false`. */
  readonly disableGcMetrics?: boolean | undefined;
  /** Milliseconds for which V8 keeps garbage collections at most before they are counted; each scrape counts them as well. Default 6000. */
  readonly gcCollectionInterval?: number | undefined;
}

/** What promster's `createMiddleware()` takes, and offloop's own options beside it. */
export interface PromsterOptions
  extends Omit<OffloopOptions, 'metricNames' | 'labelNames' | 'customLabels'>,
    Omit<RequestOptions, 'normalizePath' | 'normalizeStatusCode' | 'transformLabels'> {
  readonly preset: 'promster';
  /** Gets offloop's classes as `app.locals.Prometheus`. */
  readonly app?: { readonly locals?: Record<string, unknown> } | undefined;
  readonly options?: PromsterRequestOptions | undefined;
}

const DURATION_BUCKETS = [0.05, 0.1, 0.3, 0.5, 0.8, 1, 1.5, 2, 3, 10];
const SIZE_BUCKETS = [1e5, 2e5, 5e5, 1e6, 1.5e6, 2e6, 3e6, 5e6, 1e7];
const PERCENTILES = [0.5, 0.9, 0.95, 0.98, 0.99];
const METRIC_TYPES: readonly string[] = ['httpRequestsTotal', 'httpRequestsHistogram'];
const SIZES_TYPE = 'httpContentLengthHistogram';
const KNOWN_TYPES = [...METRIC_TYPES, 'httpRequestsSummary', SIZES_TYPE];
const SIZE_NAMES = ['httpRequestContentLengthInBytes', 'httpResponseContentLengthInBytes'] as const;

const GC_INTERVAL_MS = 6_000;
/** A minute of collections is some megabytes of V8's memory. */
const INTERVAL_MS_MAX = 60_000;

/** What promster's options come to. */
export function compilePromster(given: PromsterOptions): CompiledOptions {
  const { preset: _, app, options: requests, ...own } = withDefaults(given, {});
  const options = withDefaults(requests ?? {}, {});
  refuseRequestOptions(options);
  const compiled = compileOwnOptions(own);
  const { metricPrefix = '', metricPercentiles = {}, metricBuckets = {} } = options;
  const { detectKubernetes = false, disableGcMetrics = false } = options;
  const { gcCollectionInterval: intervalMs = GC_INTERVAL_MS } = options;
  const isOff = detectKubernetes && process.env['KUBERNETES_SERVICE_HOST'] === undefined;
  const hasGc = !disableGcMetrics && !isOff;
  const names = namesOf(options);
  const percentiles = metricPercentiles.httpRequestDurationPerPercentileInSeconds ?? PERCENTILES;
  const { getLabelValues, normalizePath, normalizeStatusCode, normalizeMethod, skip } = options;
  const { httpResponseContentLengthInBytes: responseSizeBuckets = SIZE_BUCKETS } = metricBuckets;
  return {
    ...compiled,
    data: underGiven(dataOf(options, names), compiled.data),
    functions: functionsOf(options, { isOff, leavesOut: compiled.functions.leavesOut }),
    presetMetrics: {
      upNames: names.up,
      startedNames: hasGc ? gcNames(metricPrefix) : [],
      responseSizeBuckets: compiled.data.http?.sizeBucketsBytes ?? responseSizeBuckets,
      summary: names.summary.length === 0 ? undefined : { names: names.summary, percentiles },
    },
    start: (register) => startBeside({ register, prefix: metricPrefix, hasGc, intervalMs }),
    decorate: () => {
      if (app?.locals !== undefined) app.locals['Prometheus'] = promClient;
    },
    baked: {
      ...compiled.baked,
      getLabelValues,
      normalizePath,
      normalizeStatusCode,
      normalizeMethod,
      skip,
      // As texts, for an array is another one each time.
      'metricNames.up': String(names.up),
      'metricNames.httpRequestDurationPerPercentileInSeconds': String(names.summary),
      metricPercentiles: String(percentiles),
      'metricBuckets.httpResponseContentLengthInBytes': String(responseSizeBuckets),
      isOff,
      hasGc,
    },
  };
}

/** @throws {OffloopError} `OFFLOOP_ERR_OPTION_TYPE`, in promster's own words. */
function refuseRequestOptions(options: PromsterRequestOptions): void {
  const { gcCollectionInterval: intervalMs = GC_INTERVAL_MS, metricTypes = METRIC_TYPES } = options;
  if (!(intervalMs >= 1 && intervalMs <= INTERVAL_MS_MAX))
    refuse('options.gcCollectionInterval', `in [1, ${INTERVAL_MS_MAX}] milliseconds`, intervalMs);
  for (const type of metricTypes) {
    if (!KNOWN_TYPES.includes(type))
      refuse('options.metricTypes', `some of ${KNOWN_TYPES.join(', ')}`, metricTypes);
  }
  for (const name of SIZE_NAMES) {
    const bounds = options.metricBuckets?.[name];
    if (bounds !== undefined) refuseBounds(`options.metricBuckets.${name}`, bounds, 'bytes');
  }
  checkFunctions({
    'options.getLabelValues': options.getLabelValues,
    'options.normalizePath': options.normalizePath,
    'options.normalizeStatusCode': options.normalizeStatusCode,
    'options.normalizeMethod': options.normalizeMethod,
    'options.skip': options.skip,
  });
}

/** Names of all metrics, those which are not wanted left out. */
function namesOf({
  metricPrefix = '',
  metricTypes = METRIC_TYPES,
  metricNames = {},
}: PromsterRequestOptions) {
  const named = (names: Names): string[] =>
    [names].flat().map((name: unknown) => `${metricPrefix}${String(name)}`);
  const shown = (type: string, names: Names): string[] =>
    metricTypes.includes(type) ? named(names) : [];
  const {
    httpRequestsTotal = 'http_requests_total',
    httpRequestDurationInSeconds = 'http_request_duration_seconds',
    httpRequestDurationPerPercentileInSeconds = 'http_request_duration_per_percentile_seconds',
    httpRequestContentLengthInBytes = 'http_request_content_length_bytes',
    httpResponseContentLengthInBytes = 'http_response_content_length_bytes',
    up = 'nodejs_up',
  } = metricNames;
  return {
    requests: shown('httpRequestsTotal', httpRequestsTotal),
    duration: shown('httpRequestsHistogram', httpRequestDurationInSeconds),
    summary: shown('httpRequestsSummary', httpRequestDurationPerPercentileInSeconds),
    requestSize: shown(SIZES_TYPE, httpRequestContentLengthInBytes),
    responseSize: shown(SIZES_TYPE, httpResponseContentLengthInBytes),
    up: named(up),
  };
}

/** The options in offloop's own words. */
function dataOf(
  { labels = [], metricTypes = METRIC_TYPES, metricBuckets = {} }: PromsterRequestOptions,
  { requests, duration, requestSize, responseSize, up }: ReturnType<typeof namesOf>,
): OffloopOptions {
  const { httpRequestDurationInSeconds: bounds = DURATION_BUCKETS } = metricBuckets;
  return {
    http: {
      bucketsMs: inMs('options.metricBuckets.httpRequestDurationInSeconds', bounds),
      sizes: metricTypes.includes(SIZES_TYPE),
      sizeBucketsBytes: metricBuckets.httpRequestContentLengthInBytes ?? SIZE_BUCKETS,
    },
    metricNames: { requests, duration, requestSize, responseSize, inFlight: [], errors: [] },
    labelNames: { method: 'method', route: 'path', statusCode: 'status_code' },
    customLabels: Object.fromEntries(labels.map((name) => [name, null])),
    prometheus: { includeUp: up.length > 0 },
  };
}

function functionsOf(
  options: PromsterRequestOptions,
  {
    isOff,
    leavesOut,
  }: { readonly isOff: boolean; readonly leavesOut: RequestFunctions['leavesOut'] },
): RequestFunctions {
  const { getLabelValues, normalizePath, normalizeStatusCode, normalizeMethod, skip } = options;
  const exchangeOf = ({ request, response }: EndedRequest) => ({ req: request, res: response });
  return {
    routeOf: normalizePath && ((ended) => call(normalizePath, [ended.route, exchangeOf(ended)])),
    statusOf:
      normalizeStatusCode &&
      ((ended) => call(normalizeStatusCode, [ended.status, exchangeOf(ended)])),
    methodOf: (ended) =>
      normalizeMethod === undefined
        ? ended.method.toLowerCase()
        : call(normalizeMethod, [ended.method, exchangeOf(ended)]),
    transform:
      getLabelValues && ((_labels, request, response) => call(getLabelValues, [request, response])),
    leavesOut: isOff
      ? () => true
      : skip === undefined
        ? leavesOut
        : (ended, labelsOf) =>
            call(skip, [ended.request, ended.response, labelsOf()]) || leavesOut?.(ended, labelsOf),
  };
}

/** What promster collects whenever its middleware is made. */
function startBeside(of: {
  readonly register: Registry;
  readonly prefix: string;
  readonly hasGc: boolean;
  readonly intervalMs: number;
}): Started {
  const { register, prefix, hasGc, intervalMs } = of;
  const defaults = collectDefaultMetrics({ register, prefix });
  try {
    const collections = hasGc ? countCollections({ register, prefix, intervalMs }) : undefined;
    return {
      stop() {
        defaults.stop();
        collections?.stop();
      },
    };
  } catch (error) {
    defaults.stop();
    throw error;
  }
}
