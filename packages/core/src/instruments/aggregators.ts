import type { MetricObjectWithValues, MetricValueWithName } from './metric-value.js';

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
    const values = [...groups.values()].map((samples) => ({
      value: merge(samples.map(({ value }) => value)),
      labels: samples[0].labels,
      ...(samples[0].metricName === undefined ? {} : { metricName: samples[0].metricName }),
    }));
    return { ...first, values };
  };
}

/** As JSON, which keeps apart what joined text would merge: the labels of PEERS.md, defect 1. */
function sampleKey({ metricName = '', labels }: MetricValueWithName): string {
  const pairs = Object.entries(labels).map(([name, value]) => [name, String(value)] as const);
  return JSON.stringify([metricName, pairs.sort(([a], [b]) => (a < b ? -1 : 1))]);
}
