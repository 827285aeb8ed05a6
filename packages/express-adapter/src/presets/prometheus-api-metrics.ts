import { collectDefaultMetrics, Gauge, type OffloopOptions, type Registry } from '@offloop/core';
import { pathOf } from '@offloop/worker/http';
import type { EndedRequest } from '../middleware/ended-request.js';
import {
  type CompiledOptions,
  call,
  checkFunctions,
  compileOwnOptions,
  type OwnMiddlewareOptions,
  type RequestOptions,
  refuse,
  type Started,
} from '../middleware/middleware-options.js';
import type { RequestFunctions } from '../middleware/request-extras.js';
import { urlOf } from '../middleware/request-path.js';
import { read } from '../middleware/unknown-value.js';
import type { AppRequest, AppResponse, UserFunction } from '../middleware/user-functions.js';
import { OPEN_CONNECTIONS_NAME, OpenConnections } from './open-connections.js';
import { inMs, refuseBounds, underGiven, withDefaults } from './preset-data.js';
import { readProjectManifest } from './project-manifest.js';

/** Options of prometheus-api-metrics 4, and offloop's own beside them. */
export interface PrometheusApiMetricsOptions
  extends OffloopOptions,
    Omit<RequestOptions, 'excludeRoutes' | 'metricsPath'> {
  readonly preset: 'prometheus-api-metrics';
  /** Default `/metrics`. The page as JSON is at `/diagnostics/metrics` of `metricsRouter()`. */
  readonly metricsPath?: string | undefined;
  /** Seconds. Default 0.001, 0.005, 0.015, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5. */
  readonly durationBuckets?: readonly number[] | undefined;
  /** Bytes. Default 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000. */
  readonly requestSizeBuckets?: readonly number[] | undefined;
  /** Bytes. Default the same. */
  readonly responseSizeBuckets?: readonly number[] | undefined;
  readonly metricsPrefix?: string | undefined;
  /** Takes the name in the application's package.json for the prefix. Default `false`. */
  readonly useUniqueHistogramName?: boolean | undefined;
  /** Parts of routes that are not measured, in Express's syntax; of URLs, where no route answers. */
  readonly excludeRoutes?: readonly string[] | undefined;
  /** Adds the names of query parameters to the route, which clients choose: `/users/:id?page=<?>`. Default `false`. */
  readonly includeQueryParams?: boolean | undefined;
  readonly additionalLabels?: readonly string[] | undefined;
  /** Values of `additionalLabels`, by name. */
  readonly extractAdditionalLabelValuesFn?:
    | UserFunction<[request: AppRequest, response: AppResponse], object>
    | undefined;
  /** Changes nothing. */
  readonly defaultMetricsInterval?: number | undefined;
}

const SIZE_BUCKETS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000];

const DEFAULTS = {
  durationBuckets: [0.001, 0.005, 0.015, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5],
  requestSizeBuckets: SIZE_BUCKETS,
  responseSizeBuckets: SIZE_BUCKETS,
  useUniqueHistogramName: false,
  excludeRoutes: [],
  includeQueryParams: false,
  additionalLabels: [],
} as const;

/** Options with the package's defaults. */
type Settings = ReturnType<typeof withDefaults<PrometheusApiMetricsOptions, typeof DEFAULTS>>;

/** What prometheus-api-metrics's options come to. */
export function compilePrometheusApiMetrics(given: PrometheusApiMetricsOptions): CompiledOptions {
  const settings = withDefaults(given, DEFAULTS);
  refuseOwnOptions(settings);
  const compiled = compileOwnOptions(offloopOptions(settings));
  const { metricsPrefix, useUniqueHistogramName, responseSizeBuckets } = settings;
  const { name: projectName, version } = readProjectManifest();
  const prefix = useUniqueHistogramName ? metricNameOf(projectName) : metricsPrefix;
  const named = (name: string): string => (prefix ? `${prefix}_${name}` : name);
  const connections = new OpenConnections();
  return {
    ...compiled,
    data: underGiven(dataOf(settings, named), compiled.data),
    functions: {
      ...compiled.functions,
      ...functionsOf(settings, { own: compiled.functions, connections }),
    },
    presetMetrics: {
      responseSizeBuckets: compiled.data.http?.sizeBucketsBytes ?? responseSizeBuckets,
      unknownRequestBytes: 0,
      startedNames: [named('app_version'), OPEN_CONNECTIONS_NAME],
    },
    start: (register) => {
      const defaults = collectDefaultMetrics({ register, prefix: prefix ? `${prefix}_` : '' });
      return showBeside({ register, defaults, connections, version, name: named('app_version') });
    },
    baked: {
      ...compiled.baked,
      extractAdditionalLabelValuesFn: settings.extractAdditionalLabelValuesFn,
      includeQueryParams: settings.includeQueryParams,
      // As texts, for an array is another one each time.
      excludeRoutes: settings.excludeRoutes.join('\n'),
      responseSizeBuckets: String(responseSizeBuckets),
    },
  };
}

/** @throws {OffloopError} `OFFLOOP_ERR_OPTION_TYPE` */
function refuseOwnOptions(settings: Settings): void {
  const { excludeRoutes, additionalLabels, requestSizeBuckets, responseSizeBuckets } = settings;
  if (!Array.isArray(excludeRoutes) || !excludeRoutes.every((each) => typeof each === 'string'))
    refuse('excludeRoutes', 'an array of parts of routes', excludeRoutes);
  if (!Array.isArray(additionalLabels))
    refuse('additionalLabels', 'an array of label names', additionalLabels);
  refuseBounds('requestSizeBuckets', requestSizeBuckets, 'bytes');
  refuseBounds('responseSizeBuckets', responseSizeBuckets, 'bytes');
  const { extractAdditionalLabelValuesFn } = settings;
  checkFunctions({ extractAdditionalLabelValuesFn });
}

/** Those that are not prometheus-api-metrics's alone. */
function offloopOptions({
  preset: _preset,
  durationBuckets: _durationBuckets,
  requestSizeBuckets: _requestSizeBuckets,
  responseSizeBuckets: _responseSizeBuckets,
  metricsPrefix: _metricsPrefix,
  useUniqueHistogramName: _useUniqueHistogramName,
  excludeRoutes: _excludeRoutes,
  includeQueryParams: _includeQueryParams,
  additionalLabels: _additionalLabels,
  extractAdditionalLabelValuesFn: _extract,
  defaultMetricsInterval: _interval,
  ...own
}: Settings): OwnMiddlewareOptions {
  return own;
}

function dataOf(settings: Settings, named: (name: string) => string): OffloopOptions {
  const { durationBuckets, requestSizeBuckets, additionalLabels } = settings;
  return {
    http: {
      bucketsMs: inMs('durationBuckets', durationBuckets),
      sizes: true,
      sizeBucketsBytes: requestSizeBuckets,
    },
    metricNames: {
      requests: [],
      inFlight: [],
      errors: [],
      duration: [named('http_request_duration_seconds')],
      requestSize: [named('http_request_size_bytes')],
      responseSize: [named('http_response_size_bytes')],
    },
    labelNames: { method: 'method', route: 'route', statusCode: 'code' },
    customLabels: Object.fromEntries(additionalLabels.map((name) => [name, null])),
  };
}

function functionsOf(
  settings: Settings,
  of: { readonly own: RequestFunctions; readonly connections: OpenConnections },
): Pick<RequestFunctions, 'routeOf' | 'transform' | 'leavesOut'> {
  const { includeQueryParams, excludeRoutes, extractAdditionalLabelValuesFn: extract } = settings;
  const { own, connections } = of;
  const { routeOf, transform, leavesOut } = own;
  return {
    routeOf: includeQueryParams
      ? (ended) => `${routeOf?.(ended) ?? ended.route}${queryOf(ended)}`
      : routeOf,
    // Called for each request that is measured, from which alone the server is known.
    transform: (labels, request, response) => {
      connections.note(request);
      Object.assign(labels, extract && call(extract, [request, response]));
      return transform?.(labels, request, response);
    },
    leavesOut:
      excludeRoutes.length === 0
        ? leavesOut
        : (ended, labelsOf) =>
            excludeRoutes.some((part) => placeOf(ended).includes(part)) ||
            leavesOut?.(ended, labelsOf),
  };
}

/** Registers the gauges. */
function showBeside(of: {
  readonly register: Registry;
  readonly defaults: Started;
  readonly connections: OpenConnections;
  readonly version: string | undefined;
  readonly name: string;
}): Started {
  const { register, defaults, connections, version, name } = of;
  try {
    connections.show(register);
    if (version !== undefined) {
      const labelNames = ['version', 'major', 'minor', 'patch'];
      const help = 'The service version by package.json';
      const gauge = new Gauge({ name, help, labelNames, registers: [register] });
      const [major = 0, minor = 0, patch = 0] = version
        .split('.')
        .map((part) => Number.parseInt(part, 10));
      gauge.set({ version, major, minor, patch }, 1);
    }
  } catch (error) {
    defaults.stop();
    throw error;
  }
  return {
    stop() {
      defaults.stop();
      connections.forget();
    },
  };
}

/** The template; of a request that no route answered, its path. */
function placeOf({ request, route }: EndedRequest): string {
  return route.startsWith('/') ? route : pathOf(urlOf(request));
}

/** Names of the query's parameters; nothing for a request that no route answered, whose query is nobody's. */
function queryOf({ request, route }: EndedRequest): string {
  if (!route.startsWith('/')) return '';
  const query = read(request, 'query');
  const names = typeof query === 'object' && query !== null ? Object.keys(query).sort() : [];
  return names.length === 0 ? '' : `?${names.map((name) => `${name}=<?>`).join('&')}`;
}

/** A project's name as a metric's may begin: `@shop/api-server` is `_shop_api_server`. */
function metricNameOf(projectName: string | undefined): string | undefined {
  return projectName?.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');
}
