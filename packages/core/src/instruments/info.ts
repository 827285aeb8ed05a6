import { OffloopError, showValue } from '../errors.js';
import { FamilyKind, OpenMetricsType } from '../layout/catalog.js';
import { seriesBlock } from '../layout/catalog-reader.js';
import { writeLiveValue } from '../record/live-value.js';
import { Metric } from './metric.js';
import type { MetricConfiguration } from './metric-configuration.js';

/** Configuration of an info metric. */
export interface InfoConfiguration<T extends string>
  extends Omit<MetricConfiguration<T>, 'labelNames' | 'maxSeries'> {
  /** Facts that do not change while the process runs, at least one. */
  readonly labels: Readonly<Record<T, string | number>>;
}

/**
 * Facts about a process as labels of a gauge that is always 1, to be joined to other metrics in queries. In OpenMetrics of type info, where
 * the name ends in `_info`.
 *
 * @example
 * new Info({ name: 'build_info', help: 'What runs.', labels: { revision: 'abc123' }, aggregator: 'first' });
 */
export class Info<T extends string = string> extends Metric<T> {
  /** @throws {OffloopError} `OFFLOOP_ERR_METRIC_CONFIG` */
  constructor(config: InfoConfiguration<T>) {
    const { labels, ...common } = config ?? {};
    refuseNoFacts(labels);
    super(
      {
        ...common,
        labelNames: Object.keys(labels) as T[],
        // Not set here: that would lay memory out where the program may still have options to give.
        collect: function collect(this: Info<T>) {
          this.write(labels);
        },
      },
      { type: 'gauge', kind: FamilyKind.liveGauge, openMetricsType: OpenMetricsType.info },
    );
  }

  private write(labels: Readonly<Record<T, string | number>>): void {
    const { segment } = this.pipeline.producer;
    writeLiveValue(segment, seriesBlock(segment, this.family.seriesByObject(labels)), 1);
  }
}

function refuseNoFacts(labels: unknown): void {
  const isObject = typeof labels === 'object' && labels !== null && !Array.isArray(labels);
  if (isObject && Object.keys(labels).length > 0) return;
  throw new OffloopError(
    'OFFLOOP_ERR_METRIC_CONFIG',
    `labels must be an object with one label at least and its value, got ${showValue(labels)}`,
  );
}
