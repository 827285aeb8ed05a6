import { OffloopError, type OffloopOptions, type Registry } from '@offloop/core';
import { showValue } from '@offloop/core/adapter';
import { pathOf, type RoutedMessage } from '@offloop/worker/http';
import type { HttpMiddleware } from '../routes/http-handler.js';
import type { EndedRequest } from './ended-request.js';
import type { PresetMetrics, RequestFunctions } from './request-extras.js';
import type { RequestLabelSet } from './request-labels.js';
import { urlOf } from './request-path.js';
import { isHost } from './unknown-value.js';
import type { AppRequest, AppResponse, UserFunction } from './user-functions.js';

/** Requests that are not measured: told at their beginning, at their end, or both. */
export interface Bypass {
  /** Whether the request is left out. It is called before anything else sees the request. */
  readonly onRequest?: UserFunction<[request: AppRequest]> | undefined;
  /** Whether it is left out, now that it is answered. It has been in flight until then. */
  readonly onFinish?: UserFunction<[request: AppRequest, response: AppResponse]> | undefined;
}

/** What a path is called instead: the expression, or its source, and what stands in its place. */
export type PathReplacement = readonly [RegExp | string, string];

/** Express applications, as far as they are needed. */
export interface MetricsApp {
  get(
    path: string | RegExp,
    handler: (request: never, response: never, next: (error?: unknown) => void) => void,
  ): unknown;
}

/** Options of the middleware that are functions, or objects of the user's. What one of them throws goes no further. */
export interface RequestOptions {
  /** Whether a request is not measured, by itself or by its answer. */
  readonly bypass?: UserFunction<[request: AppRequest]> | Bypass | undefined;
  /** URLs that are not measured: whole ones as they came, or expressions that they match. */
  readonly excludeRoutes?: readonly (string | RegExp)[] | undefined;
  /**
   * Label of the route, in place of its template: by a function, which may answer `undefined` to leave it; or by replacements of parts of the
   * template, and of the path where no route answered. Labels made of what clients send are bounded by `maxSeriesPerMetric` only.
   */
  readonly normalizePath?:
    | UserFunction<
        [request: AppRequest, about: { readonly route: string; readonly response: AppResponse }]
      >
    | readonly PathReplacement[]
    | undefined;
  /** Label of the status, in place of its three digits: `2xx` for instance. */
  readonly normalizeStatusCode?:
    | UserFunction<
        [
          response: AppResponse,
          about: { readonly statusCode: number; readonly request: AppRequest },
        ]
      >
    | undefined;
  /** Changes the labels of a request, or returns others to be put over them. Labels that nobody has declared are left out. */
  readonly transformLabels?:
    | UserFunction<[labels: RequestLabelSet, request: AppRequest, response: AppResponse]>
    | undefined;
  /** Where this middleware answers scrapes, in place of `scrapePaths`: a path, or an expression that the URL matches. */
  readonly metricsPath?: string | RegExp | undefined;
  /** Another application, which answers scrapes at `metricsPath`, or the first of `scrapePaths`, as well. */
  readonly metricsApp?: MetricsApp | null | undefined;
  /** Whether the middleware answers scrapes. Default `true`. */
  readonly autoregister?: boolean | undefined;
}

/** Options of the middleware, and of the metrics behind it. */
export interface OwnMiddlewareOptions extends OffloopOptions, RequestOptions {
  readonly preset?: undefined;
}

/** What one middleware does by itself, whatever others of the same metrics do. */
export interface EntryOptions {
  readonly bypass?: ((request: RoutedMessage) => unknown) | undefined;
  readonly excludeRoutes?: readonly (string | RegExp)[] | undefined;
  /** In place of `scrapePaths`. */
  readonly scrapes?: readonly string[] | RegExp | false | undefined;
}

/** What a middleware of a preset is given beside. */
export interface Decorating {
  /** Answers a scrape, wherever it is mounted. */
  readonly answerScrape: HttpMiddleware;
  readonly register: Registry;
}

/** What collects beside the requests. */
export interface Started {
  stop(): void;
}

/** Options taken apart, by who acts on them. */
export interface CompiledOptions {
  /** For the metrics; checked by them. */
  readonly data: OffloopOptions;
  readonly functions: RequestFunctions;
  readonly presetMetrics: PresetMetrics;
  readonly entry: EntryOptions;
  readonly metricsApp:
    | { readonly app: MetricsApp; readonly path: string | RegExp | undefined }
    | undefined;
  /** What is baked into the metrics at their making and is no data: the user's own values, to be compared. */
  readonly baked: Readonly<Record<string, unknown>>;
  /** Gives a middleware, or an object of the user's, what the package behind a preset gives it. */
  readonly decorate?: ((middleware: HttpMiddleware, of: Decorating) => void) | undefined;
  /** Begins what the package behind a preset collects beside requests. */
  readonly start?: ((register: Registry) => Started) | undefined;
}

/** Names of those which each middleware acts on for itself. */
export const ENTRY_NAMES = [
  'bypass',
  'excludeRoutes',
  'metricsPath',
  'metricsApp',
  'autoregister',
] as const;

/** Names of RequestOptions. */
const OWN_NAMES = [
  'bypass',
  'excludeRoutes',
  'normalizePath',
  'normalizeStatusCode',
  'transformLabels',
  'metricsPath',
  'metricsApp',
  'autoregister',
] as const;

/**
 * Checks what is no data, and takes the options apart.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_OPTION_TYPE`, `OFFLOOP_ERR_OPTION_RANGE`
 */
export function compileOwnOptions(options: OwnMiddlewareOptions): CompiledOptions {
  const { bypass, excludeRoutes, metricsPath, metricsApp, autoregister, ...rest } =
    options as OwnMiddlewareOptions & Record<string, unknown>;
  const { normalizePath, normalizeStatusCode, transformLabels, preset: _, ...data } = rest;
  checkRequestOptions(options);
  const { onRequest, onFinish } = bypassOf(bypass);
  return {
    data,
    functions: {
      routeOf: routeFunction(normalizePath),
      statusOf:
        normalizeStatusCode &&
        (({ response, request, status }) =>
          response && call(normalizeStatusCode, [response, { statusCode: status, request }])),
      transform: transformLabels && ((...args) => call(transformLabels, args)),
      leavesOut:
        onFinish &&
        (({ request, response }) =>
          request !== undefined && response !== undefined && onFinish(request, response)),
    },
    presetMetrics: {},
    entry: {
      bypass: onRequest,
      excludeRoutes,
      scrapes:
        autoregister === false
          ? false
          : typeof metricsPath === 'string'
            ? [metricsPath]
            : metricsPath,
    },
    metricsApp: metricsApp ? { app: metricsApp, path: metricsPath } : undefined,
    baked: { normalizePath, normalizeStatusCode, transformLabels, onFinish },
  };
}

/** Label of the route by a function or by replacements. */
export function routeFunction(
  normalizePath: RequestOptions['normalizePath'],
): RequestFunctions['routeOf'] {
  if (typeof normalizePath === 'function') {
    return ({ request, response, route }) =>
      request && call(normalizePath, [request, { route, response }]);
  }
  return normalizePath && replacementsOf(normalizePath);
}

/** In the template; where no route answered, in the path, which is left as `__unmatched__` where none of them is found in it. */
export function replacementsOf(pairs: readonly PathReplacement[]): RequestFunctions['routeOf'] {
  const compiled = pairs.map(([found, put]) => [new RegExp(found), put] as const);
  const replaced = (text: string): string =>
    compiled.reduce((before, [found, put]) => before.replace(found, put), text);
  return ({ request, route }: EndedRequest) => {
    if (route.startsWith('/')) return replaced(route);
    const path = pathOf(urlOf(request));
    const after = replaced(path);
    return after === path ? route : after;
  };
}

/** @throws {OffloopError} `OFFLOOP_ERR_OPTION_TYPE`, `OFFLOOP_ERR_OPTION_RANGE` */
export function checkRequestOptions(options: Readonly<Record<string, unknown>> | object): void {
  const given = options as Readonly<Record<string, unknown>>;
  for (const name of OWN_NAMES) {
    const value = given[name];
    if (value === undefined) continue;
    const { rule, isRight } = RULES[name];
    if (!isRight(value)) refuse(name, rule, value);
  }
}

/** @throws {OffloopError} `OFFLOOP_ERR_OPTION_TYPE` for one that is given and is no function. */
export function checkFunctions(functions: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(functions)) {
    if (value !== undefined && typeof value !== 'function') refuse(name, 'a function', value);
  }
}

/** @throws {OffloopError} `OFFLOOP_ERR_OPTION_TYPE` */
export function refuse(path: string, rule: string, value: unknown): never {
  throw new OffloopError(
    'OFFLOOP_ERR_OPTION_TYPE',
    `${path} must be ${rule}, got ${showValue(value)}`,
  );
}

const FUNCTION = {
  rule: 'a function',
  isRight: (value: unknown): boolean => typeof value === 'function',
};

const RULES: Readonly<
  Record<
    (typeof OWN_NAMES)[number],
    { readonly rule: string; readonly isRight: (value: unknown) => boolean }
  >
> = {
  bypass: {
    rule: 'a function, or an object with functions onRequest and onFinish',
    isRight: (value) =>
      typeof value === 'function' ||
      (isHost(value) &&
        Object.entries(value).every(
          ([name, each]) =>
            (name === 'onRequest' || name === 'onFinish') &&
            (each === undefined || typeof each === 'function'),
        )),
  },
  excludeRoutes: {
    rule: 'an array of URLs and regular expressions',
    isRight: (value) =>
      Array.isArray(value) &&
      value.every((each) => typeof each === 'string' || each instanceof RegExp),
  },
  normalizePath: {
    rule: 'a function, or an array of pairs of a regular expression and its replacement',
    isRight: (value) =>
      typeof value === 'function' || (Array.isArray(value) && value.every(isReplacement)),
  },
  normalizeStatusCode: FUNCTION,
  transformLabels: FUNCTION,
  metricsPath: {
    rule: 'a path that begins with "/" and has no query, or a regular expression',
    isRight: (value) =>
      value instanceof RegExp || (typeof value === 'string' && /^\/[^?#\s]*$/.test(value)),
  },
  metricsApp: {
    rule: 'an Express application, or null',
    isRight: (value) =>
      value === null || (isHost(value) && typeof Reflect.get(value, 'get') === 'function'),
  },
  autoregister: {
    rule: 'true or false',
    isRight: (value) => typeof value === 'boolean',
  },
};

function isReplacement(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2 || typeof value[1] !== 'string') return false;
  const [found]: unknown[] = value;
  if (found instanceof RegExp) return true;
  try {
    return typeof found === 'string' && new RegExp(found) instanceof RegExp;
  } catch {
    return false;
  }
}

/** Both halves, as functions that keep their `this`. */
function bypassOf(bypass: RequestOptions['bypass']): {
  readonly onRequest?: (request: RoutedMessage) => unknown;
  readonly onFinish?: (request: object, response: object) => unknown;
} {
  if (bypass === undefined) return {};
  if (typeof bypass === 'function') return { onRequest: (request) => call(bypass, [request]) };
  const { onRequest, onFinish } = bypass;
  return {
    ...(onRequest && { onRequest: (request) => Reflect.apply(onRequest, bypass, [request]) }),
    ...(onFinish && {
      onFinish: (request, response) => Reflect.apply(onFinish, bypass, [request, response]),
    }),
  };
}

/** Calls a function of the user's, whose parameters are of types that only the user knows. */
export function call(target: (...args: never[]) => unknown, args: readonly unknown[]): unknown {
  return Reflect.apply(target, undefined, args);
}
