import { OffloopError, showValue } from '../errors.js';
import type { Metric, MetricKind } from './metric.js';
import { checkConfiguration, type MetricConfiguration } from './metric-configuration.js';
import { isOwnMetric, type RegisteredMetric } from './registered-metric.js';
import { register } from './registry.js';

/**
 * The metric that stands under a configuration's name already, for `getOrCreate()`.
 *
 * Compared by what they expose and not by class: after a hot reload the class may be another copy's. A `collect` that the configuration
 * gives replaces the metric's own, which would go on reading the state of the module that was replaced.
 *
 * @returns `undefined` when the name is free.
 * @throws {OffloopError} `OFFLOOP_ERR_METRIC_CONFIG`; `OFFLOOP_ERR_DUPLICATE_METRIC` when the two configurations differ.
 */
export function existingMetric<Found extends Metric<string>>(
  config: MetricConfiguration<string> & { readonly collect?: unknown },
  kind: MetricKind,
): Found | undefined {
  checkConfiguration(config, kind.reserved ?? []);
  const [home, ...others] = config.registers ?? [register];
  const found: unknown = home?.getSingleMetric(config.name);
  // A foreign one is in the way, as the constructor then says.
  if (!isOwnMetric(found)) return undefined;
  refuseDifference(config, kind, found);
  for (const registry of others) registry.registerMetric(found);
  const metric = found as unknown as Found;
  if (config.collect !== undefined) metric.collect = config.collect as Found['collect'];
  return metric;
}

function refuseDifference(
  config: MetricConfiguration<string> & { readonly enableExemplars?: unknown },
  kind: MetricKind,
  found: RegisteredMetric & Partial<Metric<string> & { readonly enableExemplars: unknown }>,
): void {
  const { entry } = found.family;
  const parts: Record<string, readonly [had: unknown, wanted: unknown]> = {
    type: [found.labelNames === undefined ? 'a metric of offloop itself' : found.type, kind.type],
    help: [found.help, config.help],
    labelNames: [entry.labelNames, config.labelNames ?? []],
    buckets: [entry.bounds, kind.bounds ?? []],
    percentiles: [entry.quantiles, kind.quantiles ?? []],
    native: [entry.sketchCells !== 0, (kind.sketchCells ?? 0) !== 0],
    window: [entry.window, kind.window],
    aggregator: [found.aggregator, config.aggregator ?? 'sum'],
    enableExemplars: [found.enableExemplars ?? false, config.enableExemplars ?? false],
    maxSeries: [found.maxSeries, config.maxSeries],
    maxIdleSeconds: [found.maxIdleSeconds, config.maxIdleSeconds],
  };
  for (const [part, [had, wanted]] of Object.entries(parts)) {
    if (JSON.stringify(had) === JSON.stringify(wanted)) continue;
    throw new OffloopError(
      'OFFLOOP_ERR_DUPLICATE_METRIC',
      `A metric with the name ${config.name} has already been registered with another ${part}: ${showValue(had)}, got ${showValue(wanted)}`,
    );
  }
}
