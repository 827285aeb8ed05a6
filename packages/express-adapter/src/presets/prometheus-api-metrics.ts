import { collectDefaultMetrics, Gauge, type OffloopOptions, type Registry } from '@offloop/core';
import { pathOf } from '@offloop/worker/http';
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
import { urlOf } from '../middleware/request-path.js';
import { read } from '../middleware/unknown-value.js';
import type { AppRequest, AppResponse, UserFunction } from '../middleware/user-functions.js';
import { OPEN_CONNECTIONS_NAME, OpenConnections } from './open-connections.js';
import { inMs, refuseBounds, underGiven, withoutNulls } from './preset-data.js';
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

const DURATION_BUCKETS = [0.001, 0.005, 0.015, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5];
const SIZE_BUCKETS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000];

/** What prometheus-api-metrics's options come to. */
export function compilePrometheusApiMetrics(given: PrometheusApiMetricsOptions): CompiledOptions {
  const {
    preset: _,
    durationBuckets = DURATION_BUCKETS,
    requestSizeBuckets = SIZE_BUCKETS,
    responseSizeBuckets = SIZE_BUCKETS,
    metricsPrefix,
    useUniqueHistogramName = false,
    excludeRoutes: excluded = [],
    includeQueryParams = false,
    additionalLabels = [],
    extractAdditionalLabelValuesFn: extract,
    defaultMetricsInterval: _interval,
    ...own
  } = withoutNulls(given);
  if (!Array.isArray(excluded) || !excluded.every((each) => typeof each === 'string'))
    refuse('excludeRoutes', 'an array of parts of routes', excluded);
  if (!Array.isArray(additionalLabels))
    refuse('additionalLabels', 'an array of label names', additionalLabels);
  refuseBounds('requestSizeBuckets', requestSizeBuckets, 'bytes');
  refuseBounds('responseSizeBuckets', responseSizeBuckets, 'bytes');
  checkFunctions({ extractAdditionalLabelValuesFn: extract });
  const compiled = compileOwnOptions(own);
  const { name: projectName, version } = readProjectManifest();
  const prefix = useUniqueHistogramName ? metricNameOf(projectName) : metricsPrefix;
  const named = (name: string): string => (prefix ? `${prefix}_${name}` : name);
  const { routeOf, transform, leavesOut } = compiled.functions;
  const connections = new OpenConnections();
  return {
    ...compiled,
    data: underGiven(
      {
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
      },
      compiled.data,
    ),
    functions: {
      ...compiled.functions,
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
        excluded.length === 0
          ? leavesOut
          : (ended, labelsOf) =>
              excluded.some((part) => placeOf(ended).includes(part)) ||
              leavesOut?.(ended, labelsOf),
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
      extractAdditionalLabelValuesFn: extract,
      includeQueryParams,
      // As texts, for an array is another one each time.
      excludeRoutes: excluded.join('\n'),
      responseSizeBuckets: String(responseSizeBuckets),
    },
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
