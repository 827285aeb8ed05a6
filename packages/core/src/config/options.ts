import {
  choice,
  flag,
  type OptionRule,
  type OptionRules,
  orEnvironment,
  parseFlag,
  parseNumber,
  parseNumbers,
  powerOfTwo,
  resolveByRules,
  wholeNumber,
} from './option-rules.js';

/** Options of an offloop instance. All are optional, and checked before anything is built. */
export interface OffloopOptions {
  /**
   * Where aggregation and rendering run: `pool`, on a thread; `inline`, on the caller's thread when somebody reads; `auto` (default): on
   * a thread, unless there is one CPU, a test runner, or a bundle that lost the thread's file.
   */
  readonly engine?: 'auto' | 'pool' | 'inline';
  /** File or file: URL of the pool thread, where a bundle separates it from this package. Default: found beside the package. */
  readonly threadFile?: string;
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
    /** Aggregates of all series, in bytes, [65 536, 1 073 741 824]. Default 64 MiB, of which only what is used becomes resident. */
    readonly aggregateBytes?: number;
  };
  /** Series of one metric; further label sets fold into one overflow series. In [1, 1 048 576], default 2000. */
  readonly maxSeriesPerMetric?: number;
  readonly http?: {
    /** Bounds of the request-latency histogram, milliseconds, ascending. METRICS_HISTOGRAM_BUCKETS. */
    readonly bucketsMs?: readonly number[];
  };
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
  };
  readonly prometheus?: {
    /** Whether the scrape endpoints exist. METRICS_PROMETHEUS_ENABLED, default true. */
    readonly enabled?: boolean;
  };
}

/** The same with nothing left open. Frozen. */
export interface ResolvedOptions {
  readonly engine: 'auto' | 'pool' | 'inline';
  readonly threadFile: string;
  readonly ring: { readonly capacityRecords: number };
  readonly memory: {
    readonly maxFamilies: number;
    readonly maxSeries: number;
    readonly catalogBytes: number;
    readonly aggregateBytes: number;
  };
  readonly maxSeriesPerMetric: number;
  readonly http: { readonly bucketsMs: readonly number[] };
  readonly window: { readonly seconds: number };
  readonly estimator: 'sketch' | 'reservoir';
  readonly reservoir: { readonly capacity: number };
  readonly quantiles: readonly number[];
  readonly eventLoop: { readonly enabled: boolean; readonly intervalMs: number };
  readonly prometheus: { readonly enabled: boolean };
}

const MEBIBYTE = 1_048_576;
/** More bounds than any dashboard draws; a table of them still fits a page of memory. */
const MAX_BOUNDS = 256;

/** More than any dashboard shows of one set of requests. */
const MAX_QUANTILES = 32;

function ascendingBounds(fallback: readonly number[]): OptionRule {
  return {
    default: fallback,
    rule: `1 to ${MAX_BOUNDS} numbers above 0, each larger than the one before`,
    fits: (value) =>
      Array.isArray(value) &&
      value.length >= 1 &&
      value.length <= MAX_BOUNDS &&
      // Spread, as `every` passes over holes.
      [...value].every(
        (bound: unknown, index) =>
          typeof bound === 'number' &&
          Number.isFinite(bound) &&
          bound > (index === 0 ? 0 : (value[index - 1] as number)),
      ),
  };
}

/** What each option must be. Kept equal to the README by a test. */
export const OPTION_RULES: OptionRules = {
  engine: choice(['auto', 'pool', 'inline'], 'auto'),
  threadFile: {
    default: '',
    rule: 'the path or file: URL of a file',
    fits: (value) => typeof value === 'string' && value !== '',
  },
  'ring.capacityRecords': powerOfTwo(256, 1_048_576, 65_536),
  'memory.maxFamilies': wholeNumber(16, 4096, 512),
  'memory.maxSeries': wholeNumber(16, 1_048_576, 16_384),
  'memory.catalogBytes': wholeNumber(65_536, 256 * MEBIBYTE, 4 * MEBIBYTE),
  'memory.aggregateBytes': wholeNumber(65_536, 1024 * MEBIBYTE, 64 * MEBIBYTE),
  maxSeriesPerMetric: wholeNumber(1, 1_048_576, 2000),
  'http.bucketsMs': orEnvironment(
    ascendingBounds([25, 50, 100, 200, 350, 500, 750, 1000, 1500, 2500, 5000]),
    'METRICS_HISTOGRAM_BUCKETS',
    parseNumbers,
  ),
  'window.seconds': orEnvironment(
    wholeNumber(1, 86_400, 300),
    'METRICS_WINDOW_SIZE_SECONDS',
    parseNumber,
  ),
  estimator: choice(['sketch', 'reservoir'], 'sketch'),
  'reservoir.capacity': orEnvironment(
    wholeNumber(100, 1_000_000, 10_000),
    'METRICS_MAX_SAMPLES',
    parseNumber,
  ),
  quantiles: {
    default: [0.5, 0.9, 0.95, 0.99],
    rule: `1 to ${MAX_QUANTILES} numbers above 0 and below 1, each larger than the one before`,
    fits: (value) =>
      Array.isArray(value) &&
      value.length >= 1 &&
      value.length <= MAX_QUANTILES &&
      [...value].every(
        (quantile: unknown, index) =>
          typeof quantile === 'number' &&
          quantile > (index === 0 ? 0 : (value[index - 1] as number)) &&
          quantile < 1,
      ),
  },
  'eventLoop.enabled': orEnvironment(flag(true), 'METRICS_EVENT_LOOP_MONITORING', parseFlag),
  'eventLoop.intervalMs': wholeNumber(10, 60_000, 1000),
  'prometheus.enabled': orEnvironment(flag(true), 'METRICS_PROMETHEUS_ENABLED', parseFlag),
};

/**
 * Checks options and environment.
 *
 * @throws {OffloopError} with the option's path or the variable's name, the rule and the value.
 */
export function resolveOptions(
  options: OffloopOptions | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): ResolvedOptions {
  return resolveByRules(OPTION_RULES, options, environment) as ResolvedOptions;
}
