import {
  type OffloopOptions,
  OPTION_RULES,
  type OptionRules,
  type ResolvedOptions,
  resolveByRules,
} from '@offloop/core';

/** Options of `metricsMiddleware()`, `createMetrics()` and `getMetrics()`. All are optional, and checked before anything is built. */
export interface MetricsOptions extends OffloopOptions {
  /**
   * Paths at which the middleware itself answers scrapes. Default `/metrics` and `/internal/metrics`; an empty array leaves scraping to
   * `metricsRouter()`.
   */
  readonly scrapePaths?: readonly string[];
}

/** The same with nothing left open. Frozen. */
export interface ResolvedMetricsOptions extends ResolvedOptions {
  readonly scrapePaths: readonly string[];
}

/** Paths of `metricsRouter()`, relative to where it is mounted; `false` leaves an endpoint out. */
export interface MetricsRouterOptions {
  /** The page for a scraper. Default `/metrics`. */
  readonly metrics?: string | false;
  /** The same page. Default `/internal/metrics`. */
  readonly internalMetrics?: string | false;
  /** The raw snapshot as JSON. Default `/diagnostics/metrics`. */
  readonly diagnostics?: string | false;
  /** Default `/health`. */
  readonly health?: string | false;
}

/** The same with nothing left open. Frozen. */
export interface ResolvedRouterOptions {
  readonly metrics: string | false;
  readonly internalMetrics: string | false;
  readonly diagnostics: string | false;
  readonly health: string | false;
}

function isPath(value: unknown): boolean {
  return typeof value === 'string' && /^\/[^?#\s]*$/.test(value);
}

const METRICS_RULES: OptionRules = {
  ...OPTION_RULES,
  scrapePaths: {
    default: ['/metrics', '/internal/metrics'],
    rule: 'an array of paths that begin with "/" and have no query',
    fits: (value) => Array.isArray(value) && value.every(isPath),
  },
};

function optionalPath(path: string) {
  return {
    default: path,
    rule: 'a path that begins with "/" and has no query, or false',
    fits: (value: unknown) => value === false || isPath(value),
  };
}

const ROUTER_RULES: OptionRules = {
  metrics: optionalPath('/metrics'),
  internalMetrics: optionalPath('/internal/metrics'),
  diagnostics: optionalPath('/diagnostics/metrics'),
  health: optionalPath('/health'),
};

/** @throws {OffloopError} with the option's path or the variable's name, the rule and the value. */
export function resolveMetricsOptions(options: MetricsOptions): ResolvedMetricsOptions {
  return resolveByRules(METRICS_RULES, options, process.env) as ResolvedMetricsOptions;
}

/** @throws {OffloopError} with the option's path, the rule and the value. */
export function resolveRouterOptions(options: MetricsRouterOptions): ResolvedRouterOptions {
  return resolveByRules(ROUTER_RULES, options, {}) as ResolvedRouterOptions;
}
