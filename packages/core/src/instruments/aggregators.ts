import { OffloopError } from '../errors.js';
import type { ForeignMetric } from './foreign-metric.js';
import type { MetricObjectWithValues, MetricType, MetricValueWithName } from './metric-value.js';

/** How several processes' samples of one metric become one. */
export type Aggregator = 'omit' | 'sum' | 'first' | 'min' | 'max' | 'average';

/** Merges one metric's JSON of several processes; `undefined` when nothing is to be shown. */
export type AggregatorFunction = (
  metrics: readonly MetricObjectWithValues<MetricValueWithName>[],
) => MetricObjectWithValues<MetricValueWithName> | undefined;

/** prom-client's `aggregators`: samples of the same name and labels become one. */
export const aggregators: Readonly<Record<Aggregator, AggregatorFunction>> = {
  omit: () => undefined,
  sum: merging((values) => values.reduce((sum, value) => sum + value, 0)),
  first: merging((values) => values[0] as number),
  min: merging((values) => values.reduce((least, value) => Math.min(least, value))),
  max: merging((values) => values.reduce((most, value) => Math.max(most, value))),
  average: merging((values) => values.reduce((sum, value) => sum + value, 0) / values.length),
};

/**
 * Merges what several processes' registries gave as JSON, metric by metric, each by its own aggregator.
 *
 * @returns Metrics to be registered, in the order in which their names come first.
 * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` for an aggregator that there is not.
 */
export function aggregateMetrics(
  processes: readonly (readonly MetricObjectWithValues<MetricValueWithName>[])[],
): ForeignMetric[] {
  const byName = new Map<string, MetricObjectWithValues<MetricValueWithName>[]>();
  for (const metric of processes.flat()) {
    const metrics = byName.get(metric.name);
    if (metrics === undefined) byName.set(metric.name, [metric]);
    else metrics.push(metric);
  }
  return [...byName.values()].flatMap((metrics) => {
    const { aggregator = 'sum' } = metrics[0] as { readonly aggregator?: Aggregator };
    if (!Object.hasOwn(aggregators, aggregator)) {
      throw new OffloopError(
        'OFFLOOP_ERR_ARGUMENT',
        `'${aggregator}' is not a defined aggregator.`,
      );
    }
    const merged = aggregators[aggregator](metrics);
    return merged === undefined ? [] : { ...merged, get: () => merged };
  });
}

function merging(merge: (values: readonly number[]) => number): AggregatorFunction {
  return (metrics) => {
    const [first] = metrics;
    if (first === undefined) return undefined;
    const groups = new Map<string, [MetricValueWithName, ...MetricValueWithName[]]>();
    for (const sample of metrics.flatMap(({ values }) => values)) {
      const key = sampleKey(sample);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [sample]);
      else group.push(sample);
    }
    const { help, name, type, aggregator } = first;
    const values = [...groups.values()]
      // No sum or mean of quantiles is a quantile of anything.
      .filter(([sample, another]) => another === undefined || !isQuantile(type, sample))
      .map((samples) => mergedSample(merge, samples));
    return { help, name, type, values, aggregator };
  };
}

function isQuantile(type: MetricType, { labels }: MetricValueWithName): boolean {
  return type === 'summary' && Object.hasOwn(labels, 'quantile');
}

function mergedSample(
  merge: (values: readonly number[]) => number,
  samples: readonly [MetricValueWithName, ...MetricValueWithName[]],
): MetricValueWithName {
  const [{ labels, metricName }] = samples;
  const exemplars = samples.flatMap(({ exemplar }) => exemplar ?? []);
  const [latest] = exemplars.sort((one, other) => other.timestamp - one.timestamp);
  return {
    value: merge(samples.map(({ value }) => value)),
    labels,
    ...(metricName === undefined ? {} : { metricName }),
    ...(latest === undefined ? {} : { exemplar: latest }),
  };
}

/** As JSON, which keeps apart what joined text would merge: label values that hold the separator (test/core/peer-defects.test.ts, 1). */
function sampleKey({ metricName = '', labels }: MetricValueWithName): string {
  const pairs = Object.entries(labels).map(([name, value]) => [name, String(value)] as const);
  return JSON.stringify([metricName, pairs.sort(([a], [b]) => (a < b ? -1 : 1))]);
}
