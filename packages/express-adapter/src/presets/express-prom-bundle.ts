import {
  type CustomLabels,
  collectDefaultMetrics,
  type DefaultMetricsConfiguration,
  type Metric,
  type OffloopOptions,
  type Registry,
} from '@offloop/core';
import {
  type CompiledOptions,
  call,
  checkFunctions,
  compileOwnOptions,
  type EntryOptions,
  type PathReplacement,
  type RequestOptions,
  refuse,
  replacementsOf,
} from '../middleware/middleware-options.js';
import type { AppRequest, AppResponse, UserFunction } from '../middleware/user-functions.js';
import type { HttpMiddleware } from '../routes/http-handler.js';
import { inMs, underGiven, withoutNulls } from './preset-data.js';
import { promClient } from './prom-client-names.js';

/** Options of express-prom-bundle 8, and offloop's own beside them. What it calls `labels` are those of the route's template. */
export interface ExpressPromBundleOptions
  extends OffloopOptions,
    Omit<RequestOptions, 'normalizePath' | 'normalizeStatusCode'> {
  readonly preset: 'express-prom-bundle';
  /** Default `histogram`. */
  readonly metricType?: 'histogram' | 'summary' | undefined;
  /** Default `http_request_duration_seconds`. */
  readonly httpDurationMetricName?: string | undefined;
  /** Seconds. Default 0.003, 0.03, 0.1, 0.3, 1.5, 10. */
  readonly buckets?: readonly number[] | undefined;
  /** Of a summary. Default 0.5, 0.75, 0.95, 0.98, 0.99, 0.999. */
  readonly percentiles?: readonly number[] | undefined;
  readonly maxAgeSeconds?: number | undefined;
  readonly ageBuckets?: number | undefined;
  readonly pruneAgedBuckets?: boolean | undefined;
  /** Default `true`. */
  readonly includeStatusCode?: boolean | undefined;
  /** Default `false`. */
  readonly includeMethod?: boolean | undefined;
  /** Default `false`. */
  readonly includePath?: boolean | undefined;
  /** Default `true`. */
  readonly includeUp?: boolean | undefined;
  /** Label of the path, in place of the route's template: by a function, or by replacements of its parts. */
  readonly normalizePath?:
    | UserFunction<[request: AppRequest, options: ExpressPromBundleOptions]>
    | readonly PathReplacement[]
    | undefined;
  /** Label of the status, in place of its three digits. */
  readonly formatStatusCode?:
    | UserFunction<[response: AppResponse, options: ExpressPromBundleOptions]>
    | undefined;
  /** The same under the name that it had before. */
  readonly normalizeStatusCode?:
    | UserFunction<[response: AppResponse, options: ExpressPromBundleOptions]>
    | undefined;
  /** Changes nothing: the template of the route is the path. */
  readonly urlValueParser?: object | undefined;
  /** Changes nothing. */
  readonly urlPathReplacement?: string | undefined;
  readonly promClient?:
    | { readonly collectDefaultMetrics?: DefaultMetricsConfiguration }
    | undefined;
}

/** The middleware, and what express-prom-bundle puts on its own. */
export type ExpressPromBundleMiddleware = HttpMiddleware & {
  /** offloop's classes, shaped like prom-client's. */
  readonly promClient: typeof promClient;
  /** Answers a scrape, wherever it is mounted. */
  readonly metricsMiddleware: HttpMiddleware;
  /** The metric of the requests, and `up`, by name. */
  readonly metrics: Readonly<Record<string, Metric | undefined>>;
};

const DURATION_NAME = 'http_request_duration_seconds';
const BUCKETS = [0.003, 0.03, 0.1, 0.3, 1.5, 10];
const PERCENTILES = [0.5, 0.75, 0.95, 0.98, 0.99, 0.999];

/** What express-prom-bundle's options come to: its metric under its name and labels, and the gauge `up`. */
export function compileExpressPromBundle(given: ExpressPromBundleOptions): CompiledOptions {
  const options = withoutNulls(given);
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
    promClient: { collectDefaultMetrics: defaults } = {},
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
  const compiled = compileOwnOptions({
    ...own,
    metricsPath: pathOrExpression(own.metricsPath),
    ...(isPairs(normalizePath) && { normalizePath }),
  });
  const names = { requests: [], inFlight: [], errors: [] };
  const upName = `${defaults?.prefix ?? ''}up`;
  return {
    ...compiled,
    entry: { ...compiled.entry, scrapes: withSlash(compiled.entry.scrapes) },
    data: underGiven(
      {
        http: { bucketsMs: inMs('buckets', buckets) },
        metricNames: { ...names, duration: isSummary ? [] : [httpDurationMetricName] },
        labelNames: {
          statusCode: includeStatusCode && 'status_code',
          method: includeMethod && 'method',
          route: includePath && 'path',
        },
        customLabels: withLabelsDeclared(customLabels),
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
      upNames: [upName],
      summary: isSummary
        ? { names: [httpDurationMetricName], percentiles, maxAgeSeconds, ageBuckets }
        : undefined,
    },
    baked: {
      ...compiled.baked,
      normalizePath,
      normalizeStatusCode,
      metricType,
      httpDurationMetricName,
      // As texts, for these are other objects each time.
      percentiles: String(percentiles),
      maxAgeSeconds,
      ageBuckets,
      'promClient.collectDefaultMetrics': defaults && JSON.stringify(defaults, dataOnly),
    },
    decorate: (middleware, { answerScrape, register }) => {
      Object.assign(middleware, {
        promClient,
        metricsMiddleware: answerScrape,
        metrics: byName(register, [httpDurationMetricName, upName]),
      });
    },
    start: defaults && ((register) => collectDefaultMetrics({ register, ...defaults })),
  };
}

/** express-prom-bundle makes an expression of a path. Most are nothing but paths. */
function pathOrExpression(path: string | RegExp | undefined): string | RegExp | undefined {
  if (typeof path !== 'string' || !/[()[\]{}|*+^$\\]/.test(path)) return path;
  try {
    return new RegExp(`^(?:${path})/?(?:\\?|$)`);
  } catch {
    return path;
  }
}

/** express-prom-bundle answers at its path with a slash more as well. */
function withSlash(scrapes: EntryOptions['scrapes']): EntryOptions['scrapes'] {
  return Array.isArray(scrapes) ? scrapes.flatMap((path: string) => [path, `${path}/`]) : scrapes;
}

/** A label without a value is one that `transformLabels` gives. */
function withLabelsDeclared(labels: CustomLabels): CustomLabels {
  // What is none is refused with the rest.
  if (typeof labels !== 'object') return labels;
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, value ?? null]));
}

/** As the registry has them when somebody asks. */
function byName(register: Registry, names: readonly string[]): object {
  const metrics = {};
  for (const name of names) {
    Object.defineProperty(metrics, name, {
      enumerable: true,
      get: () => register.getSingleMetric(name),
    });
  }
  return metrics;
}

/** Of a configuration that may name registries. */
function dataOnly(name: string, value: unknown): unknown {
  return name === 'register' ? undefined : value;
}

function isPairs(value: unknown): value is readonly PathReplacement[] {
  return Array.isArray(value);
}
