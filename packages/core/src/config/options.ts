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

/** Hears of a change of health. What it throws, or rejects with, goes to the logger. */
export type HealthListener = (change: HealthChange) => unknown;

/** Says whether a request may have its answer. It gets Express's request, which it may annotate as such. */
export type AccessCheck = WithRequest['check'];

interface WithRequest {
  // As a method: a function's parameter would have to be an IncomingMessage and no more, and core does not know Express's types.
  check(request: IncomingMessage): boolean | PromiseLike<boolean>;
}

/** Label names, and the value of each where nobody gives another. `null` is none. */
export type CustomLabels = Readonly<Record<string, string | number | boolean | null>>;

/** Which class an error has, where all that the rule names holds of it. It names at least one thing beside the class. */
export interface ErrorRule {
  /** `client`, `server`, `timeout`, `aborted`, `validation`, `dependency`, or one of your own; 1 to 64 characters. */
  readonly class: string;
  /** Name of the error, or of its class or one that this extends. */
  readonly type?: string | undefined;
  /** The error's `code`. */
  readonly code?: string | number | undefined;
  /** A regular expression that the error's message matches. */
  readonly pattern?: string | undefined;
  /** Status of the response, in [100, 999]. */
  readonly status?: number | undefined;
}

/**
 * Options of an offloop instance. All are optional, `undefined` counts as not given, and all are checked before anything is built. The rest is
 * fixed once memory is laid out or the engine runs; those that can change at run time say so.
 *
 * @see schema/options.schema.json, which has the rule of each.
 */
export interface OffloopOptions {
  /**
   * Where aggregation and rendering run: `pool`, on a thread; `inline`, on the caller's thread when somebody reads; `auto` (default): on
   * a thread, unless there is one CPU, a test runner, or a bundle that lost the thread's file.
   */
  readonly engine?: 'auto' | 'pool' | 'inline' | undefined;
  /** Path or `file:` URL of the pool thread's file, where a bundle separates it from this package. Default: found beside the package. */
  readonly threadFile?: string | undefined;
  /**
   * Port of an HTTP server that the pool thread serves, also while the main thread is blocked: scrapes, health, diagnostics. In [0, 65 535];
   * 0 takes one that is free. Default `false`: none. Without a thread the main thread serves it.
   */
  readonly port?: number | false | undefined;
  /** Where the off-loop port listens, and whom it answers: docs/off-loop-port.md. */
  readonly portOptions?:
    | {
        /** IP address, or a name of one, that the port listens on. Default `127.0.0.1`, which nobody but this machine reaches. */
        readonly host?: string | undefined;
        /** Bearer token that scrapes and diagnostics ask for; visible ASCII characters. Default: none is asked for. */
        readonly token?: string | undefined;
        /** User and password, `user:password`, that scrapes and diagnostics ask for. Default: none are asked for. */
        readonly basic?: string | undefined;
        /** Certificate in PEM; with `tlsKey`, the port speaks HTTPS. Default: it speaks HTTP. */
        readonly tlsCert?: string | undefined;
        /** Private key of `tlsCert`, in PEM. One is not taken without the other. */
        readonly tlsKey?: string | undefined;
        /**
         * Names without a port by which clients may call it, beside `localhost` and IP addresses. Default none: then a port on loopback answers to
         * no other name, and one on another address to every name.
         */
        readonly allowedHosts?: readonly string[] | undefined;
        /** Connections at a time, in [8, 10 000]. Default 256; beyond it the one that has been idle the longest gives way. */
        readonly maxConnections?: number | undefined;
      }
    | undefined;
  /**
   * Who gets answers of the scrape paths and of `metricsRouter()`; `/health` answers everybody. One of these is enough. Where none is given,
   * scrapes are open, and diagnostics answer only this machine when NODE_ENV is `production`. Can change at run time.
   */
  readonly access?:
    | {
        /** Lets in whoever sends this bearer token; visible ASCII characters. */
        readonly token?: string | undefined;
        /** Lets in whoever sends this user and password, `user:password`. */
        readonly basic?: string | undefined;
        /** Lets in whoever comes from these addresses, networks (`10.0.0.0/8`), or `loopback`, by `req.ip`. Default none. */
        readonly allow?: readonly string[] | undefined;
        /** Lets in whoever this function says `true` of, or a promise of `true`. One that throws or rejects says no. */
        readonly custom?: AccessCheck | undefined;
      }
    | undefined;
  /**
   * Paths at which the middleware itself answers scrapes; each begins with `/` and has no query. Default `/metrics` and `/internal/metrics`; an
   * empty array leaves scraping to `metricsRouter()`. Can change at run time.
   */
  readonly scrapePaths?: readonly string[] | undefined;
  /** The ring between recording and draining. */
  readonly ring?:
    | {
        /**
         * Records between two drains, 16 bytes each: a power of two in [256, 1 048 576]. Default 65 536. Where it is full, the newest record is
         * dropped and counted.
         */
        readonly capacityRecords?: number | undefined;
      }
    | undefined;
  /** Sizes of the shared memory, which is laid out once and never grows: docs/memory.md. */
  readonly memory?:
    | {
        /** Metrics of the instance, in [16, 4096]. Default 512. */
        readonly maxFamilies?: number | undefined;
        /** Series of all metrics together, in [16, 1 048 576]. Default 16 384. */
        readonly maxSeries?: number | undefined;
        /** Room for names, help texts and label sets, bytes, in [65 536, 268 435 456]. Default 4 194 304. */
        readonly catalogBytes?: number | undefined;
        /**
         * Address space for the aggregates of all series, bytes, in [65 536, 1 073 741 824]. Default 134 217 728, of which only what is used
         * becomes resident.
         */
        readonly aggregateBytes?: number | undefined;
      }
    | undefined;
  /** Series of one metric, in [1, 1 048 576]. Default 2000; further label sets fold into one overflow series. */
  readonly maxSeriesPerMetric?: number | undefined;
  /** How HTTP requests are measured: docs/requests.md. */
  readonly http?:
    | {
        /**
         * Bounds of the request-latency histogram, ms: 1 to 256 numbers above 0, ascending. Default 25, 50, 100, 200, 350, 500, 750, 1000, 1500,
         * 2500, 5000. Environment: METRICS_HISTOGRAM_BUCKETS.
         */
        readonly bucketsMs?: readonly number[] | undefined;
        /** Whether the sizes of bodies are measured, for two records more a request. Default `false`. */
        readonly sizes?: boolean | undefined;
        /** Bounds of the histograms of sizes, bytes: 1 to 256 numbers above 0, ascending. Default 100 to 10 000 000 by tens. */
        readonly sizeBucketsBytes?: readonly number[] | undefined;
        /** Whether the time to the head of the response is measured, for a function and a record more a request. Default `false`. */
        readonly timeToFirstByte?: boolean | undefined;
      }
    | undefined;
  /** Names of the metrics of HTTP requests, at most 8 each, under all of which it is shown; one without a name is on no page. */
  readonly metricNames?:
    | {
        /** Names of the counter of requests. Default `http_requests_total`. */
        readonly requests?: readonly string[] | undefined;
        /** Names of the histogram of durations, seconds. Default `http_request_duration_seconds`. */
        readonly duration?: readonly string[] | undefined;
        /** Names of the gauge of requests that are being answered. Default `http_requests_in_flight`. */
        readonly inFlight?: readonly string[] | undefined;
        /** Names of the counter of failed requests by class. Default `http_request_errors_total`. */
        readonly errors?: readonly string[] | undefined;
        /** Names of the histogram of sizes of requests, bytes. Default `http_request_size_bytes`. */
        readonly requestSize?: readonly string[] | undefined;
        /** Names of the histogram of sizes of responses, bytes. Default `http_response_size_bytes`. */
        readonly responseSize?: readonly string[] | undefined;
        /** Names of the histogram of times to the head of the response, seconds. Default `http_time_to_first_byte_seconds`. */
        readonly timeToFirstByte?: readonly string[] | undefined;
      }
    | undefined;
  /** Names of the labels of HTTP requests; one that is `false` is left out. */
  readonly labelNames?:
    | {
        /** Name of the label of the request's method. Default `method`. */
        readonly method?: string | false | undefined;
        /** Name of the label of the route's template. Default `route`. */
        readonly route?: string | false | undefined;
        /** Name of the label of the response's status. Default `status_code`. */
        readonly statusCode?: string | false | undefined;
      }
    | undefined;
  /** Further labels of HTTP requests, and the value of each where `transformLabels` gives no other. Default none. */
  readonly customLabels?: CustomLabels | undefined;
  /**
   * Which class an error has, before offloop's own rules: 256 rules at most, of which the first that holds decides. Default none. Can change at
   * run time.
   */
  readonly errorRules?: readonly ErrorRule[] | undefined;
  /** The sliding window behind percentiles and rates: docs/percentiles.md. */
  readonly window?:
    | {
        /** Length of the window, s, in [1, 86 400]. Default 300. Can change at run time. Environment: METRICS_WINDOW_SIZE_SECONDS. */
        readonly seconds?: number | undefined;
      }
    | undefined;
  /**
   * How percentiles are estimated: `sketch` (default), in exponential buckets, at most 2.2 % off and usually within 1.1 %; `reservoir`, from a
   * uniform sample of the window.
   */
  readonly estimator?: 'sketch' | 'reservoir' | undefined;
  /** The uniform sample, where it is the estimator. */
  readonly reservoir?:
    | {
        /** Observations that a reservoir keeps, in [100, 1 000 000]. Default 10 000. Environment: METRICS_MAX_SAMPLES. */
        readonly capacity?: number | undefined;
      }
    | undefined;
  /**
   * Quantiles that snapshots show, shares: 1 to 32 numbers, each above 0 and below 1, ascending. Default 0.5, 0.9, 0.95, 0.99. Can change at
   * run time.
   */
  readonly quantiles?: readonly number[] | undefined;
  /** How the event loop is watched: docs/liveness.md. Can change at run time. */
  readonly eventLoop?:
    | {
        /** Whether the loop is watched: its lag and its stalls. Default `true`. Environment: METRICS_EVENT_LOOP_MONITORING. */
        readonly enabled?: boolean | undefined;
        /** Time between two samples of the lag, ms, in [10, 60 000]. Default 1000. */
        readonly intervalMs?: number | undefined;
        /** Time without a turn of the loop from which it is a stall, ms, in [250, 60 000]. Default 500. */
        readonly stallMs?: number | undefined;
        /** Stacks of stalls that are taken an hour at most, through the inspector, in [0, 3600]. Default 0: never. */
        readonly stacksPerHour?: number | undefined;
      }
    | undefined;
  /** When `/health` answers 503, and how checks run: docs/health.md. Can change at run time. */
  readonly health?:
    | {
        /** Mean event-loop lag over 30 s from which `/health` is unhealthy, ms, in [0, 600 000]. Default 1000; 0: never. */
        readonly lagMs?: number | undefined;
        /**
         * Share of responses with status 500 and above over 30 s, of 20 at least, from which `/health` is unhealthy, percent, in [0, 100].
         * Default 50; 0: never.
         */
        readonly errorPercent?: number | undefined;
        /** Length of a stall from which `/health` is unhealthy, and for ten seconds after it, ms, in [0, 600 000]. Default 5000; 0: never. */
        readonly stallMs?: number | undefined;
        /** Time between two runs of the application's checks, ms, in [100, 3 600 000]. Default 10 000. */
        readonly checkIntervalMs?: number | undefined;
        /** Time in which a check must end, or it fails and its signal is aborted, ms, in [10, 600 000]. Default 2000. */
        readonly checkTimeoutMs?: number | undefined;
      }
    | undefined;
  /** When the detectors of `/health/extended` raise an alarm: docs/health.md. Can change at run time. */
  readonly reliability?:
    | {
        /** 95th percentile of the loop's lag over the window above which `loop_lag` is bad, ms, in [1, 600 000]. Default 100. */
        readonly lagMs?: number | undefined;
        /** Hit rate over the window below which `cache_efficiency` is bad, percent, in [0, 100]. Default 50. */
        readonly hitRatePercent?: number | undefined;
        /** Rise of a latency percentile above that of the windows before from which `percentile_regression` is bad, percent, in [5, 10 000]. Default 50. */
        readonly latencyRisePercent?: number | undefined;
        /** Factor of more or fewer requests than in the windows before from which `volume_anomaly` is bad, in [2, 1000]. Default 2. */
        readonly volumeFactor?: number | undefined;
      }
    | undefined;
  /**
   * Where offloop reports what an operator should know, changes of health among it: pino's loggers fit. Default: process warnings. Can change at
   * run time.
   */
  readonly logger?: Logger | undefined;
  /** Called at each change of health: of the status that `/health` answers with, and of each detector. Default: nothing is called. Can change at run time. */
  readonly onHealthChange?: HealthListener | undefined;
  /** The endpoints for a scraper. */
  readonly prometheus?:
    | {
        /**
         * Whether the scrape endpoints exist; where they do not, the application has the requests. Default `true`. Can change at run time.
         * Environment: METRICS_PROMETHEUS_ENABLED.
         */
        readonly enabled?: boolean | undefined;
        /** Whether pages show a gauge `up`, always 1. Default `false`. */
        readonly includeUp?: boolean | undefined;
      }
    | undefined;
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

/** The same with nothing left open, what was not given and has no default being an empty text. Frozen. {@link OffloopOptions} says what each is. */
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

/** Paths of `metricsRouter()`, relative to where it is mounted; each begins with `/` and has no query. `false` leaves an endpoint out. */
export interface MetricsRouterOptions {
  /** Path of the page for a scraper. Default `/metrics`. */
  readonly metrics?: string | false | undefined;
  /** A second path of the same page. Default `/internal/metrics`. */
  readonly internalMetrics?: string | false | undefined;
  /** Path of the raw snapshot as JSON. Default `/diagnostics/metrics`. */
  readonly diagnostics?: string | false | undefined;
  /** Path of the snapshot's latency, loop lag and throughput as JSON. Default `/diagnostics/performance`. */
  readonly performance?: string | false | undefined;
  /** Path at which a load balancer asks whether requests may come. Default `/health`. */
  readonly health?: string | false | undefined;
  /** Path of the same with the snapshot and the reliability report. Default `/health/extended`. */
  readonly healthExtended?: string | false | undefined;
}

/** The same with nothing left open. Frozen. */
export type ResolvedRouterOptions = {
  readonly [Name in keyof MetricsRouterOptions]-?: string | false;
};

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
