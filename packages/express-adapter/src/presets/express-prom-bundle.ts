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
  type OwnMiddlewareOptions,
  type PathReplacement,
  type RequestOptions,
  refuse,
  replacementsOf,
} from '../middleware/middleware-options.js';
import type { AppRequest, AppResponse, UserFunction } from '../middleware/user-functions.js';
import type { HttpMiddleware } from '../routes/http-handler.js';
import { inMs, underGiven, withDefaults } from './preset-data.js';
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
    | { readonly collectDefaultMetrics?: DefaultMetricsConfiguration | undefined }
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

const DEFAULTS = {
  metricType: 'histogram',
  httpDurationMetricName: 'http_request_duration_seconds',
  buckets: [0.003, 0.03, 0.1, 0.3, 1.5, 10],
  percentiles: [0.5, 0.75, 0.95, 0.98, 0.99, 0.999],
  includeStatusCode: true,
  includeMethod: false,
  includePath: false,
  includeUp: true,
  customLabels: {},
} as const;

/** Options with the package's defaults. */
type Settings = ReturnType<typeof withDefaults<ExpressPromBundleOptions, typeof DEFAULTS>>;

/** What express-prom-bundle's options come to: its metric under its name and labels, and the gauge `up`. */
export function compileExpressPromBundle(given: ExpressPromBundleOptions): CompiledOptions {
  const settings = withDefaults(given, DEFAULTS);
  refuseOwnOptions(settings);
  const compiled = compileOwnOptions(offloopOptions(settings));
  const { httpDurationMetricName, percentiles, maxAgeSeconds, ageBuckets } = settings;
  const defaults = settings.promClient?.collectDefaultMetrics;
  const upName = `${defaults?.prefix ?? ''}up`;
  return {
    ...compiled,
    entry: { ...compiled.entry, scrapes: withSlash(compiled.entry.scrapes) },
    data: underGiven(dataOf(settings), compiled.data),
    functions: { ...compiled.functions, ...functionsOf(settings) },
    presetMetrics: {
      upNames: [upName],
      summary:
        settings.metricType === 'summary'
          ? { names: [httpDurationMetricName], percentiles, maxAgeSeconds, ageBuckets }
          : undefined,
    },
    baked: { ...compiled.baked, ...bakedOf(settings) },
    decorate: (middleware, { answerScrape, register }) => {
      Object.assign(middleware, {
        promClient,
        metricsMiddleware: answerScrape,
        metrics: byName(register, [httpDurationMetricName, upName]),
      });
    },
    start:
      defaults &&
      ((register) =>
        collectDefaultMetrics({ ...defaults, register: defaults.register ?? register })),
  };
}

/** @throws {OffloopError} `OFFLOOP_ERR_OPTION_TYPE` */
function refuseOwnOptions({ metricType, normalizePath, ...others }: Settings): void {
  if (metricType !== 'histogram' && metricType !== 'summary')
    refuse('metricType', '"histogram" or "summary"', metricType);
  checkFunctions({
    formatStatusCode: others.normalizeStatusCode ?? others.formatStatusCode,
    ...(isPairs(normalizePath) ? {} : { normalizePath }),
  });
}

/** Those that are not express-prom-bundle's alone. */
function offloopOptions({
  preset: _preset,
  metricType: _metricType,
  httpDurationMetricName: _httpDurationMetricName,
  buckets: _buckets,
  percentiles: _percentiles,
  maxAgeSeconds: _maxAgeSeconds,
  ageBuckets: _ageBuckets,
  pruneAgedBuckets: _pruneAgedBuckets,
  includeStatusCode: _includeStatusCode,
  includeMethod: _includeMethod,
  includePath: _includePath,
  includeUp: _includeUp,
  formatStatusCode: _formatStatusCode,
  normalizeStatusCode: _normalizeStatusCode,
  urlValueParser: _urlValueParser,
  urlPathReplacement: _urlPathReplacement,
  promClient: _promClient,
  customLabels: _customLabels,
  normalizePath,
  metricsPath,
  ...own
}: Settings): OwnMiddlewareOptions {
  return {
    ...own,
    metricsPath: pathOrExpression(metricsPath),
    ...(isPairs(normalizePath) && { normalizePath }),
  };
}

function dataOf(settings: Settings): OffloopOptions {
  const { buckets, metricType, httpDurationMetricName, customLabels } = settings;
  const { includeStatusCode, includeMethod, includePath, includeUp } = settings;
  return {
    http: { bucketsMs: inMs('buckets', buckets) },
    metricNames: {
      requests: [],
      inFlight: [],
      errors: [],
      duration: metricType === 'summary' ? [] : [httpDurationMetricName],
    },
    labelNames: {
      statusCode: includeStatusCode && 'status_code',
      method: includeMethod && 'method',
      route: includePath && 'path',
    },
    customLabels: withLabelsDeclared(customLabels),
    prometheus: { includeUp },
  };
}

function functionsOf(
  settings: Settings,
): Pick<CompiledOptions['functions'], 'routeOf' | 'statusOf'> {
  const { normalizePath, formatStatusCode, normalizeStatusCode = formatStatusCode } = settings;
  return {
    routeOf:
      typeof normalizePath === 'function'
        ? ({ request }) => request && call(normalizePath, [request, settings])
        : normalizePath && replacementsOf(normalizePath),
    statusOf:
      normalizeStatusCode &&
      (({ response }) => response && call(normalizeStatusCode, [response, settings])),
  };
}

/** What a further middleware cannot have otherwise, and no option of offloop's says. */
function bakedOf(settings: Settings): CompiledOptions['baked'] {
  const { normalizePath, formatStatusCode, normalizeStatusCode = formatStatusCode } = settings;
  const { metricType, httpDurationMetricName, percentiles, maxAgeSeconds, ageBuckets } = settings;
  const defaults = settings.promClient?.collectDefaultMetrics;
  return {
    normalizePath,
    normalizeStatusCode,
    metricType,
    httpDurationMetricName,
    // As texts, for these are other objects each time.
    percentiles: String(percentiles),
    maxAgeSeconds,
    ageBuckets,
    'promClient.collectDefaultMetrics': defaults && JSON.stringify(defaults, dataOnly),
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
