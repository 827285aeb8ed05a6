import type { Pipeline } from '../engine/pipeline.js';
import type { Aggregator } from './aggregators.js';
import type { Collected } from './collector.js';
import type { Family } from './family.js';
import type { MetricObjectWithValues, MetricType, MetricValueWithName } from './metric-value.js';

/** A metric of offloop, as registries hold it. */
export interface RegisteredMetric extends Collected {
  readonly help: string;
  readonly type: MetricType;
  readonly aggregator: Aggregator;
  readonly family: Family;
  readonly pipeline: Pipeline;
  get(): Promise<MetricObjectWithValues<MetricValueWithName>>;
  reset(): void;
}

/** What is said where a name is taken: prom-client's text. */
export function takenName(name: string): string {
  return `A metric with the name ${name} has already been registered.`;
}

/** Whether a metric is one of offloop: by its shape, as another copy of this package may have made it. */
export function isOwnMetric(metric: unknown): metric is RegisteredMetric {
  return (
    typeof metric === 'object' && metric !== null && 'pipeline' in metric && 'family' in metric
  );
}
