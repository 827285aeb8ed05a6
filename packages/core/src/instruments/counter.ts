import { format } from 'node:util';
import { OffloopError, OffloopTypeError } from '../errors.js';
import { FamilyKind } from '../layout/catalog.js';
import type { Recorder } from '../record/recorder.js';
import type { BoundSeries } from './bound-series.js';
import type { CollectFunction } from './collector.js';
import { existingMetric } from './existing-metric.js';
import { Metric, type MetricKind } from './metric.js';
import type { LabelValues, MetricConfiguration } from './metric-configuration.js';

/** Configuration of a counter. */
export interface CounterConfiguration<T extends string> extends MetricConfiguration<T> {
  /** Brings the counter up to date before it is read; `this` is the counter. What it throws rejects the reading. */
  readonly collect?: CollectFunction<Counter<T>>;
}

const KIND: MetricKind = { type: 'counter', kind: FamilyKind.counter };

/** A counter with its labels chosen: the quick way to count, as nothing is looked up. */
export class CounterChild {
  private readonly record: Recorder['record'];
  private readonly series: BoundSeries;

  constructor(record: Recorder['record'], series: BoundSeries) {
    this.record = record;
    this.series = series;
  }

  /**
   * Adds `value`.
   *
   * @param value At least 0 and finite.
   * @throws {TypeError} `OFFLOOP_ERR_VALUE` for what is no finite number, {OffloopError} the same for a negative one.
   */
  inc(value = 1): void {
    if (typeof value !== 'number' || !(value >= 0 && value < Number.POSITIVE_INFINITY))
      refuseAmount(value);
    this.record(this.series.id, value);
  }
}

/**
 * A value that only rises: prom-client's Counter. Without labels it starts at 0; with labels each series starts at its first use.
 *
 * @example
 * const jobs = new Counter({ name: 'jobs_total', help: 'Jobs done.', labelNames: ['queue'] });
 * jobs.inc({ queue: 'mail' });
 * const mail = jobs.labels('mail');
 * mail.inc(3);
 */
export class Counter<T extends string = string> extends Metric<T> {
  private record: Recorder['record'] | undefined;

  constructor(config: CounterConfiguration<T>) {
    super(config, KIND);
  }

  /**
   * The counter that is registered under this configuration, or a new one: a module that is loaded again goes on with the one it made.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC` when the name belongs to a metric of another configuration.
   */
  static getOrCreate<T extends string = string>(config: CounterConfiguration<T>): Counter<T> {
    return existingMetric<Counter<T>>(config, KIND) ?? new Counter(config);
  }

  /** Adds `value` (default 1) to the series without labels. */
  inc(value?: number): void;
  /** Adds `value` (default 1) to the series with these labels. */
  inc(labels: LabelValues<T>, value?: number): void;
  inc(labels?: LabelValues<T> | number, value?: number): void {
    const hasLabels = typeof labels === 'object' && labels !== null;
    const amount = (hasLabels ? value : labels) ?? 1;
    if (typeof amount !== 'number' || !(amount >= 0 && amount < Number.POSITIVE_INFINITY))
      refuseAmount(amount);
    const record = this.record ?? this.start();
    record(
      hasLabels ? this.family.seriesByObject(labels as Record<string, string>) : this.unlabelled(),
      amount,
    );
  }

  /** The counter with its labels chosen, by values in the order of the names or by an object. */
  labels(...values: readonly (string | number)[]): CounterChild;
  labels(labels: LabelValues<T>): CounterChild;
  labels(...args: readonly unknown[]): CounterChild {
    const series = this.bind(args);
    return new CounterChild(this.record ?? this.start(), series);
  }

  private unlabelled(): number {
    return this.labelNames.length === 0 ? this.family.onlySeries : this.family.seriesByObject({});
  }

  private start(): Recorder['record'] {
    this.record = this.pipeline.producer.recorder.record;
    return this.record;
  }
}

function refuseAmount(amount: unknown): never {
  if (typeof amount !== 'number' || !Number.isFinite(amount)) {
    throw new OffloopTypeError(
      'OFFLOOP_ERR_VALUE',
      `Value is not a valid number: ${format(amount)}`,
    );
  }
  throw new OffloopError('OFFLOOP_ERR_VALUE', 'It is not possible to decrease a counter');
}
