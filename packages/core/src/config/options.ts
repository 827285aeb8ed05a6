import type { IncomingMessage } from 'node:http';
import type { HealthChange } from '../health/health-states.js';
import type { Logger } from '../logger.js';
import {
  optionRules,
  routerRules,
  violationsOfOptions,
  violationsOfRouterOptions,
} from './compiled-schema.js';
import { type Environment, readByRules } from './environment.js';
import { checkByRules, fillByRules, type OptionRule, type OptionRules } from './option-rules.js';

/** Hears of a change of health. What it throws, or rejects with, is a warning of the process. */
export type HealthListener = (change: HealthChange) => unknown;

/** Says whether a request may have its answer. */
export type AccessCheck = (request: IncomingMessage) => boolean | PromiseLike<boolean>;
/** Label names, and the value of each where nobody gives another. `null` is none. */
export type CustomLabels = Readonly<Record<string, string | number | boolean | null>>;

/** Which class an error has, where all that the rule names holds of it. */
export interface ErrorRule {
  /** `client`, `server`, `timeout`, `aborted`, `validation`, `dependency`, or one of your own; 64 characters at most. */
  readonly class: string;
  /** Name of the error, or of its class or one that this extends. */
  readonly type?: string;
  /** Its `code`. */
  readonly code?: string | number;
  /** A regular expression that its message matches. */
  readonly pattern?: string;
  /** Status of the response. */
  readonly status?: number;
}

/**
 * Options of an offloop instance. All are optional, and checked before anything is built.
 *
 * @see schema/options.schema.json, which has the rule of each; those that can change at run time say so here.
 */
export interface OffloopOptions {
  /**
   * Where aggregation and rendering run: `pool`, on a thread; `inline`, on the caller's thread when somebody reads; `auto` (default): on
   * a thread, unless there is one CPU, a test runner, or a bundle that lost the thread's file.
   */
  readonly engine?: 'auto' | 'pool' | 'inline';
  /** File or file: URL of the pool thread, where a bundle separates it from this package. Default: found beside the package. */
  readonly threadFile?: string;
  /**
   * Port of an HTTP server that the pool thread serves, also while the main thread is blocked: scrapes, health, diagnostics. 0 takes one
   * that is free. Default false. Without a thread the main thread serves it.
   */
  readonly port?: number | false;
  /** Where the off-loop port listens, and whom it answers: docs/off-loop-port.md. */
  readonly portOptions?: {
    /** Default 127.0.0.1: nobody but this machine. */
    readonly host?: string;
    /** Bearer token that scrapes and diagnostics ask for. */
    readonly token?: string;
    /** User and password, `user:password`, that scrapes and diagnostics ask for. */
    readonly basic?: string;
    /** Certificate in PEM, with `tlsKey`: then the port speaks HTTPS. */
    readonly tlsCert?: string;
    readonly tlsKey?: string;
    /** Names by which clients may call the port, beside localhost and IP addresses. */
    readonly allowedHosts?: readonly string[];
    /** In [8, 10 000]. Default 256; beyond it the one that has been idle the longest gives way. */
    readonly maxConnections?: number;
  };
  /**
   * Who gets answers of the scrape paths and of `metricsRouter()`; `/health` answers everybody. One of these is enough. Where none is given,
   * scrapes are open, and diagnostics answer only this machine when NODE_ENV is production. Can change at run time.
   */
  readonly access?: {
    /** Whoever sends this bearer token. */
    readonly token?: string;
    /** Whoever sends this user and password: `user:password`. */
    readonly basic?: string;
    /** Whoever comes from these addresses, networks (`10.0.0.0/8`), or `loopback`, as `req.ip` says. */
    readonly allow?: readonly string[];
    /** Whoever this function says true of, or a promise of true. One that throws says no. */
    readonly custom?: AccessCheck;
  };
  /**
   * Paths at which the middleware itself answers scrapes. Default `/metrics` and `/internal/metrics`; an empty array leaves scraping to
   * `metricsRouter()`.
   */
  readonly scrapePaths?: readonly string[];
  readonly ring?: {
    /** Records between two drains; a power of two in [256, 1 048 576]. 16 bytes each. Default 65 536. */
    readonly capacityRecords?: number;
  };
  readonly memory?: {
    /** Metrics, in [16, 4096]. Default 512. */
    readonly maxFamilies?: number;
    /** Series of all metrics together, in [16, 1 048 576]. Default 16 384. */
    readonly maxSeries?: number;
    /** Names, help texts and label sets, in bytes, [65 536, 268 435 456]. Default 4 MiB. */
    readonly catalogBytes?: number;
    /** Aggregates of all series, in bytes, [65 536, 1 073 741 824]. Default 128 MiB, of which only what is used becomes resident. */
    readonly aggregateBytes?: number;
  };
  /** Series of one metric; further label sets fold into one overflow series. In [1, 1 048 576], default 2000. */
  readonly maxSeriesPerMetric?: number;
  readonly http?: {
    /** Bounds of the request-latency histogram, milliseconds, ascending. METRICS_HISTOGRAM_BUCKETS. */
    readonly bucketsMs?: readonly number[];
    /** Whether the sizes of bodies are measured. Default false. */
    readonly sizes?: boolean;
    /** Bounds of the histograms of sizes, bytes, ascending. Default 100 to 10 000 000 by tens. */
    readonly sizeBucketsBytes?: readonly number[];
    /** Whether the time to the head of the response is measured. Default false. */
    readonly timeToFirstByte?: boolean;
  };
  /** Names of the metrics of HTTP requests. Each may have several, under all of which it is shown; one without is on no page. */
  readonly metricNames?: {
    /** Default `http_requests_total`. */
    readonly requests?: readonly string[];
    /** Default `http_request_duration_seconds`. */
    readonly duration?: readonly string[];
    /** Default `http_requests_in_flight`. */
    readonly inFlight?: readonly string[];
    /** Default `http_request_errors_total`. */
    readonly errors?: readonly string[];
    /** Default `http_request_size_bytes`. */
    readonly requestSize?: readonly string[];
    /** Default `http_response_size_bytes`. */
    readonly responseSize?: readonly string[];
    /** Default `http_time_to_first_byte_seconds`. */
    readonly timeToFirstByte?: readonly string[];
  };
  /** Names of the labels of HTTP requests; one that is `false` is left out. */
  readonly labelNames?: {
    /** Default `method`. */
    readonly method?: string | false;
    /** Default `route`. */
    readonly route?: string | false;
    /** Default `status_code`. */
    readonly statusCode?: string | false;
  };
  /** Further labels of HTTP requests, and the value of each where `transformLabels` gives no other. */
  readonly customLabels?: CustomLabels;
  /** Which class an error has, before offloop's own rules. */
  readonly errorRules?: readonly ErrorRule[];
  readonly window?: {
    /** Length of the sliding window behind percentiles and rates, seconds, in [1, 86 400]. METRICS_WINDOW_SIZE_SECONDS, default 300. */
    readonly seconds?: number;
  };
  /**
   * How percentiles are estimated: `sketch` (default), within 1.1 % at any volume; `reservoir`, a uniform sample of the window.
   */
  readonly estimator?: 'sketch' | 'reservoir';
  readonly reservoir?: {
    /** Observations that a reservoir keeps, in [100, 1 000 000]. METRICS_MAX_SAMPLES, default 10 000. */
    readonly capacity?: number;
  };
  /** Quantiles that snapshots show, 1 to 32, ascending, each above 0 and below 1. Default 0.5, 0.9, 0.95, 0.99. */
  readonly quantiles?: readonly number[];
  readonly eventLoop?: {
    /** Whether loop lag is sampled. METRICS_EVENT_LOOP_MONITORING, default true. */
    readonly enabled?: boolean;
    /** Milliseconds between two samples, in [10, 60 000]. Default 1000. */
    readonly intervalMs?: number;
    /** From which length on a time in which the loop does not turn is a stall, ms, in [250, 60 000]. Default 500. */
    readonly stallMs?: number;
    /** Stacks of stalls taken an hour, in [0, 3600]. Default 0. */
    readonly stacksPerHour?: number;
  };
  /** When `/health` answers 503: docs/health.md. Can change at run time. */
  readonly health?: {
    /** From which mean lag of the loop over half a minute on, ms, in [0, 600 000]. Default 1000; 0: never. */
    readonly lagMs?: number;
    /** From which share of errors among half a minute's requests on, percent, in [0, 100]. Default 50; 0: never. */
    readonly errorPercent?: number;
    /** From which length of a stall on, ms, in [0, 600 000]. Default 5000; 0: never. */
    readonly stallMs?: number;
    /** Between two runs of the application's checks, ms, in [100, 3 600 000]. Default 10 000. */
    readonly checkIntervalMs?: number;
    /** In which a check must have ended, ms, in [10, 600 000]. Default 2000. */
    readonly checkTimeoutMs?: number;
  };
  /** When the detectors of `/health/extended` raise an alarm: docs/health.md. Can change at run time. */
  readonly reliability?: {
    /** Which p95 of the loop's lag over the window is too high, ms, in [1, 600 000]. Default 100. */
    readonly lagMs?: number;
    /** Below which hit rate a cache is inefficient, percent, in [0, 100]. Default 50. */
    readonly hitRatePercent?: number;
    /** By how much a percentile may rise, percent, in [5, 10 000]. Default 50. */
    readonly latencyRisePercent?: number;
    /** How many times more or less requests than usual are an anomaly, in [2, 1000]. Default 2. */
    readonly volumeFactor?: number;
  };
  /** Where offloop reports what an operator should know, changes of health among it: pino's loggers fit. Default: process warnings. Can change at run time. */
  readonly logger?: Logger;
  /** Called at each change of health: of the status, and of each detector. Can change at run time. */
  readonly onHealthChange?: HealthListener;
  readonly prometheus?: {
    /** Whether the scrape endpoints exist. METRICS_PROMETHEUS_ENABLED, default true. */
    readonly enabled?: boolean;
    /** Whether pages show a gauge `up`, always 1. Default false. */
    readonly includeUp?: boolean;
  };
}

/** Settings of the off-loop port with nothing left open; what was not given and has no default is an empty text. */
export interface ResolvedPortOptions {
  readonly host: string;
  readonly token: string;
  readonly basic: string;
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly allowedHosts: readonly string[];
  readonly maxConnections: number;
}

/** The same with nothing left open. Frozen. */
export interface ResolvedOptions {
  readonly engine: 'auto' | 'pool' | 'inline';
  readonly threadFile: string;
  readonly port: number | false;
  readonly portOptions: ResolvedPortOptions;
  readonly access: {
    readonly token: string;
    readonly basic: string;
    readonly allow: readonly string[];
    readonly custom: AccessCheck | '';
  };
  readonly scrapePaths: readonly string[];
  readonly ring: { readonly capacityRecords: number };
  readonly memory: {
    readonly maxFamilies: number;
    readonly maxSeries: number;
    readonly catalogBytes: number;
    readonly aggregateBytes: number;
  };
  readonly maxSeriesPerMetric: number;
  readonly http: {
    readonly bucketsMs: readonly number[];
    readonly sizes: boolean;
    readonly sizeBucketsBytes: readonly number[];
    readonly timeToFirstByte: boolean;
  };
  readonly metricNames: {
    readonly requests: readonly string[];
    readonly duration: readonly string[];
    readonly inFlight: readonly string[];
    readonly errors: readonly string[];
    readonly requestSize: readonly string[];
    readonly responseSize: readonly string[];
    readonly timeToFirstByte: readonly string[];
  };
  readonly labelNames: {
    readonly method: string | false;
    readonly route: string | false;
    readonly statusCode: string | false;
  };
  readonly customLabels: CustomLabels;
  readonly errorRules: readonly ErrorRule[];
  readonly window: { readonly seconds: number };
  readonly estimator: 'sketch' | 'reservoir';
  readonly reservoir: { readonly capacity: number };
  readonly quantiles: readonly number[];
  readonly eventLoop: {
    readonly enabled: boolean;
    readonly intervalMs: number;
    readonly stallMs: number;
    readonly stacksPerHour: number;
  };
  readonly health: {
    readonly lagMs: number;
    readonly errorPercent: number;
    readonly stallMs: number;
    readonly checkIntervalMs: number;
    readonly checkTimeoutMs: number;
  };
  readonly reliability: {
    readonly lagMs: number;
    readonly hitRatePercent: number;
    readonly latencyRisePercent: number;
    readonly volumeFactor: number;
  };
  readonly logger: Logger | '';
  readonly onHealthChange: HealthListener | '';
  readonly prometheus: { readonly enabled: boolean; readonly includeUp: boolean };
}

/** Paths of `metricsRouter()`, relative to where it is mounted; `false` leaves an endpoint out. */
export interface MetricsRouterOptions {
  /** The page for a scraper. Default `/metrics`. */
  readonly metrics?: string | false;
  /** The same page. Default `/internal/metrics`. */
  readonly internalMetrics?: string | false;
  /** The raw snapshot as JSON. Default `/diagnostics/metrics`. */
  readonly diagnostics?: string | false;
  /** Latency, loop lag and throughput of it. Default `/diagnostics/performance`. */
  readonly performance?: string | false;
  /** Whether requests may come, for a load balancer. Default `/health`. */
  readonly health?: string | false;
  /** The same with the snapshot and the reliability report. Default `/health/extended`. */
  readonly healthExtended?: string | false;
}

/** The same with nothing left open. Frozen. */
export type ResolvedRouterOptions = Required<MetricsRouterOptions>;

/** `ring.capacityRecords`, and so on. */
type PathsOf<Tree, Prefix extends string = ''> = {
  [Name in keyof Tree & string]: Tree[Name] extends readonly unknown[]
    ? `${Prefix}${Name}`
    : Tree[Name] extends object
      ? string extends keyof Tree[Name]
        ? `${Prefix}${Name}`
        : PathsOf<Tree[Name], `${Prefix}${Name}.`>
      : `${Prefix}${Name}`;
}[keyof Tree & string];

/** Rules of these paths, and of no others: what the types and the schema do not both name does not compile. */
type RulesOf<Tree, Rules> = Readonly<Record<PathsOf<Tree>, OptionRule>> &
  Readonly<Record<Exclude<keyof Rules, PathsOf<Tree>>, never>>;

const namedRules: RulesOf<ResolvedOptions, typeof optionRules> = optionRules;
const namedRouterRules: RulesOf<ResolvedRouterOptions, typeof routerRules> = routerRules;

/** What each option must be. Kept equal to the README by a test. */
export const OPTION_RULES: OptionRules = namedRules;

const OPTIONS = { rules: OPTION_RULES, violationsOf: violationsOfOptions };
const ROUTER_OPTIONS = { rules: namedRouterRules, violationsOf: violationsOfRouterOptions };

/**
 * Checks options, and gives a copy of them.
 *
 * @throws {OffloopError} with the option's path, the rule and the value.
 */
export function checkOptions(options: unknown): OffloopOptions {
  return checkByRules(OPTIONS, options);
}

/**
 * The options that the environment gives.
 *
 * @throws {OffloopError} with the variable's name, the rule and the text.
 */
export function readEnvironment(environment: Environment): OffloopOptions {
  return readByRules(OPTIONS, environment);
}

/** What checked options come to: those given in code win over those of the environment, and both over the defaults. */
export function fillOptions(given: OffloopOptions, environment: OffloopOptions): ResolvedOptions {
  return fillByRules(OPTION_RULES, given, environment) as ResolvedOptions;
}

/**
 * Checks options and environment, and gives what they come to.
 *
 * @throws {OffloopError} with the option's path or the variable's name, the rule and the value.
 */
export function resolveOptions(
  options: OffloopOptions | undefined,
  environment: Environment,
): ResolvedOptions {
  return fillOptions(checkOptions(options), readEnvironment(environment));
}

/** @throws {OffloopError} with the option's path, the rule and the value. */
export function resolveRouterOptions(
  options: MetricsRouterOptions | undefined,
): ResolvedRouterOptions {
  const given = checkByRules(ROUTER_OPTIONS, options);
  return fillByRules(namedRouterRules, given) as ResolvedRouterOptions;
}
