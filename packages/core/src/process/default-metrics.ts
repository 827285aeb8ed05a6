import { OffloopRangeError, OffloopTypeError, showValue } from '../errors.js';
import type { RegistryContentType } from '../instruments/content-types.js';
import type { LabelValues } from '../instruments/metric-configuration.js';
import { type Registry, register } from '../instruments/registry.js';
import { DEFAULT_PERCENTILES } from '../instruments/summary.js';
import { DefaultMetricsScope } from './default-metrics-scope.js';
import { defineGcDuration } from './gc-metrics.js';
import { defineHeapSize, defineHeapSpaces, defineVersion } from './heap-metrics.js';
import { defineLoopMetrics } from './loop-metrics.js';
import { defineLoopUtilization } from './loop-utilization.js';
import {
  defineCpuTime,
  defineMaxFds,
  defineMemory,
  defineOpenFds,
  defineStartTime,
} from './process-metrics.js';
import {
  defineActiveHandles,
  defineActiveRequests,
  defineActiveResources,
} from './resource-metrics.js';

/** What `collectDefaultMetrics()` takes: prom-client's shape. */
export interface DefaultMetricsConfiguration<T extends string = string> {
  /** Default: the global `register`. */
  readonly register?: Registry<RegistryContentType> | undefined;
  /** Stands before every name. Default: nothing. */
  readonly prefix?: string | undefined;
  /** On every sample. Default: none. */
  readonly labels?: LabelValues<T> | undefined;
  /** Bounds of `nodejs_gc_duration_seconds`, seconds. Default 0.001, 0.01, 0.1, 1, 2, 5. */
  readonly gcDurationBuckets?: readonly number[] | undefined;
  /**
   * Milliseconds between two samples of the loop's lag, in [1, 10 000], default 100: what a block's lag may be too short by. An idle
   * process spends 0.25 % of a core on it, at prom-client's 10 ms 1.7 %.
   *
   * @see docs/metrics.md#default-process-metrics
   */
  readonly eventLoopMonitoringPrecision?: number | undefined;
  /**
   * Milliseconds between two observations of the loop's utilisation, in [1, 10 000], default 100. They are made when the lag is
   * sampled, so where this is less than `eventLoopMonitoringPrecision`, several at a time.
   */
  readonly eventLoopUtilizationTimeout?: number | undefined;
  /** Bounds of `nodejs_eventloop_utilization_histogram`, shares. Default prom-client 0.16's: 0.01, 0.05, 0.1, 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 1. */
  readonly eventLoopUtilizationBuckets?: readonly number[] | undefined;
  /** Percentiles of `nodejs_eventloop_utilization_summary`, shares. Default those of any summary. */
  readonly eventLoopUtilizationPercentiles?: readonly number[] | undefined;
  /** Window of that summary, seconds. Default 60. */
  readonly eventLoopUtilizationMaxAgeSeconds?: number | undefined;
  /** Slices of that window. Default 5. */
  readonly eventLoopUtilizationAgeBuckets?: number | undefined;
}

/** prom-client's type of that configuration. */
export type DefaultMetricsCollectorConfiguration<T extends RegistryContentType> =
  DefaultMetricsConfiguration & { readonly register?: Registry<T> | undefined };

/** The default metrics of one call. */
export interface DefaultMetricsHandle {
  /** Ends the timer and the observer, and takes the metrics out of the registry. Calling it again changes nothing. */
  stop(): void;
}

const GC_DURATION_BUCKETS: readonly number[] = [0.001, 0.01, 0.1, 1, 2, 5];
const UTILIZATION_BUCKETS: readonly number[] = [
  0.01, 0.05, 0.1, 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 1,
];
const UTILIZATION_AGE_SECONDS = 60;
const UTILIZATION_AGE_BUCKETS = 5;
const INTERVAL_MS = 100;
const INTERVAL_MS_MAX = 10_000;

/** In prom-client's order, under its names. */
const GROUPS: Readonly<Record<string, (scope: DefaultMetricsScope) => void>> = {
  processCpuTotal: defineCpuTime,
  processStartTime: defineStartTime,
  osMemoryHeap: defineMemory,
  processOpenFileDescriptors: defineOpenFds,
  processMaxFileDescriptors: defineMaxFds,
  eventLoopLag: defineLoopMetrics,
  eventLoopUtilization: defineLoopUtilization,
  processResources: defineActiveResources,
  processHandles: defineActiveHandles,
  processRequests: defineActiveRequests,
  heapSizeAndUsed: defineHeapSize,
  heapSpacesSizeAndUsed: defineHeapSpaces,
  version: defineVersion,
  gc: defineGcDuration,
};

/**
 * Registers metrics of the process, its event loop and its heap: prom-client's, and the loop's utilisation.
 *
 * Values are read when a page is; in between, only a timer samples the loop's lag and an observer hears of garbage collections. Neither keeps
 * the process alive.
 *
 * @returns What ends it all; prom-client has nothing of the kind.
 * @throws {TypeError} `OFFLOOP_ERR_ARGUMENT` for a configuration that is no object; {RangeError} `OFFLOOP_ERR_OPTION_RANGE`; {OffloopError}
 *   `OFFLOOP_ERR_METRIC_CONFIG`, or `OFFLOOP_ERR_DUPLICATE_METRIC` when a name is taken: then nothing is registered and nothing runs.
 * @see docs/metrics.md — which they are.
 */
export const collectDefaultMetrics: {
  <T extends string = string>(config?: DefaultMetricsConfiguration<T> | null): DefaultMetricsHandle;
  /** Names of the groups. */
  readonly metricsList: readonly string[];
} = Object.assign(startDefaultMetrics, { metricsList: Object.keys(GROUPS) });

function startDefaultMetrics<T extends string = string>(
  config?: DefaultMetricsConfiguration<T> | null,
): DefaultMetricsHandle {
  if (config !== undefined && config !== null && typeof config !== 'object') {
    throw new OffloopTypeError(
      'OFFLOOP_ERR_ARGUMENT',
      'config must be null, undefined, or an object',
    );
  }
  const scope = new DefaultMetricsScope({
    register: config?.register ?? register,
    prefix: config?.prefix ?? '',
    labels: config?.labels ?? {},
    gcDurationBuckets: config?.gcDurationBuckets ?? GC_DURATION_BUCKETS,
    lagIntervalMs: intervalOf(config, 'eventLoopMonitoringPrecision'),
    utilization: {
      intervalMs: intervalOf(config, 'eventLoopUtilizationTimeout'),
      buckets: config?.eventLoopUtilizationBuckets ?? UTILIZATION_BUCKETS,
      percentiles: config?.eventLoopUtilizationPercentiles ?? DEFAULT_PERCENTILES,
      maxAgeSeconds: config?.eventLoopUtilizationMaxAgeSeconds ?? UTILIZATION_AGE_SECONDS,
      ageBuckets: config?.eventLoopUtilizationAgeBuckets ?? UTILIZATION_AGE_BUCKETS,
    },
  });
  try {
    for (const define of Object.values(GROUPS)) define(scope);
  } catch (error) {
    scope.stop();
    throw error;
  }
  return { stop: () => scope.stop() };
}

/** @throws {RangeError} `OFFLOOP_ERR_OPTION_RANGE`, as prom-client throws for those that are not above 0. */
function intervalOf(
  config: DefaultMetricsConfiguration | null | undefined,
  option: 'eventLoopMonitoringPrecision' | 'eventLoopUtilizationTimeout',
): number {
  const intervalMs: unknown = config?.[option] ?? INTERVAL_MS;
  if (typeof intervalMs === 'number' && intervalMs >= 1 && intervalMs <= INTERVAL_MS_MAX)
    return Math.round(intervalMs);
  throw new OffloopRangeError(
    'OFFLOOP_ERR_OPTION_RANGE',
    `${option} must be a number in [1, ${INTERVAL_MS_MAX}], got ${showValue(intervalMs)}`,
  );
}
