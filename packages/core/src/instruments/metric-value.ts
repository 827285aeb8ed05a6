import { type CapturedFamily, labelsText, singleValue } from '../exposition/capture.js';
import { summaryQuantile } from '../exposition/captured-sketches.js';
import { BLOCK_COUNTS, BLOCK_SUM } from '../layout/aggregates.js';
import { FamilyKind } from '../layout/catalog.js';
import type { Aggregator } from './aggregators.js';
import type { CollectFunction } from './collector.js';
import { parseLabels } from './label-text.js';
import type { LabelValues } from './metric-configuration.js';

const MS_PER_SECOND = 1000;

/** An exemplar, as prom-client's `get()` gives it. */
export interface MetricExemplar {
  /** Its labels, as a rule those of a trace. */
  readonly labelSet: Readonly<Record<string, string>>;
  /** The observed value, or the amount that was added to a counter. */
  readonly value: number;
  /** Unix time, seconds. */
  readonly timestamp: number;
}

/** What a metric is, as its JSON says it. */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary';

/** What is known of a metric without its samples: prom-client's type of the same name. */
export interface MetricObject {
  name: string;
  help: string;
  type: MetricType;
  /** How the samples of several processes become one. */
  aggregator: Aggregator;
  /** What brings the metric up to date before it is read. */
  collect?: CollectFunction<never> | undefined;
}

/** A metric with its samples, as `get()` and `getMetricsAsJSON()` give it. */
export interface MetricObjectWithValues<V extends MetricValue = MetricValue> extends MetricObject {
  values: V[];
}

/** One sample, as `get()` gives it. */
export interface MetricValue<T extends string = string> {
  value: number;
  labels: LabelValues<T>;
  /** The last observation with labels of its own: of a histogram's bucket, `null` where it has none; of a counter where it has one. */
  exemplar?: MetricExemplar | null;
}

/** A sample that says which of its metric's names it has: a histogram's three, a summary's two. */
export interface MetricValueWithName<T extends string = string> extends MetricValue<T> {
  /** Which of its metric's names the sample has; the metric's own where it is left out. */
  metricName?: string;
}

/** The samples of a captured family in prom-client's order and shape. */
export function metricValues(captured: CapturedFamily): MetricValueWithName[] {
  const { family, seriesIds, values, width } = captured;
  const samples: MetricValueWithName[] = [];
  for (let index = 0; index < seriesIds.length; index++) {
    const labels = parseLabels(labelsText(captured, index));
    const block = index * width;
    if (family.kind === FamilyKind.summary) {
      samples.push(...summaryValues(captured, index, labels));
      continue;
    }
    if (family.kind !== FamilyKind.histogram) {
      const exemplar = exemplarOf(captured, index, 0);
      samples.push({
        value: singleValue(captured, index),
        labels,
        ...(exemplar === null ? {} : { exemplar }),
      });
      continue;
    }
    let cumulative = 0;
    for (const [bucket, bound] of [...family.bounds, '+Inf' as const].entries()) {
      cumulative += values[block + BLOCK_COUNTS + bucket] as number;
      samples.push({
        value: cumulative,
        metricName: `${family.name}_bucket`,
        exemplar: exemplarOf(captured, index, bucket),
        labels: { le: bound, ...labels },
      });
    }
    samples.push({
      value: values[block + BLOCK_SUM] as number,
      metricName: `${family.name}_sum`,
      labels,
    });
    samples.push({ value: cumulative, metricName: `${family.name}_count`, labels });
  }
  return samples;
}

function summaryValues(
  captured: CapturedFamily,
  index: number,
  labels: MetricValue['labels'],
): MetricValueWithName[] {
  const { family, values, width } = captured;
  const block = index * width;
  return [
    ...family.quantiles.map((share) => ({
      labels: { quantile: share, ...labels },
      value: summaryQuantile(captured, index, share),
    })),
    { metricName: `${family.name}_sum`, labels, value: values[block + BLOCK_SUM] as number },
    { metricName: `${family.name}_count`, labels, value: values[block + BLOCK_COUNTS] as number },
  ];
}

function exemplarOf(
  { exemplars }: CapturedFamily,
  seriesIndex: number,
  bucketIndex: number,
): MetricExemplar | null {
  const exemplar = exemplars?.(seriesIndex, bucketIndex);
  if (exemplar === undefined) return null;
  const { labels, value, timestampMs } = exemplar;
  return {
    labelSet: Object.fromEntries(labels),
    value,
    timestamp: timestampMs / MS_PER_SECOND,
  };
}
