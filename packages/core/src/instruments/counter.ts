import { format } from 'node:util';
import { OffloopError, OffloopTypeError } from '../errors.js';
import { FamilyKind } from '../layout/catalog.js';
import type { Recorder } from '../record/recorder.js';
import type { BoundSeries } from './bound-series.js';
import type { CollectFunction } from './collector.js';
import { type ExemplarCall, isExemplarCall, putExemplar } from './exemplar-recording.js';
import { existingMetric } from './existing-metric.js';
import { Metric, type MetricKind } from './metric.js';
import type { LabelValues, MetricConfiguration } from './metric-configuration.js';
import type { Producer } from './producer.js';

/** Configuration of a counter. */
export interface CounterConfiguration<T extends string> extends MetricConfiguration<T> {
  /** Brings the counter up to date before it is read; `this` is the counter. What it throws rejects the reading. */
  readonly collect?: CollectFunction<Counter<T>> | undefined;
  /** Lets `inc({ labels, value, exemplarLabels })` bring exemplars. Default `false`. */
  readonly enableExemplars?: boolean | undefined;
}

/** What `inc` takes where exemplars are enabled. */
export interface CounterIncrement<T extends string> extends ExemplarCall {
  /** Labels of the series; not given for a metric without labels. */
  readonly labels?: LabelValues<T> | undefined;
}

const KIND: MetricKind = { type: 'counter', kind: FamilyKind.counter };

/** A counter with its labels chosen: the quick way to count, as nothing is looked up. */
export class CounterChild {
  protected readonly record: Recorder['record'];
  protected readonly series: BoundSeries;

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
  inc(value?: number): void;
  /** The same with an exemplar, where they are enabled. */
  inc(increment: ExemplarCall): void;
  inc(value: number | ExemplarCall = 1): void {
    let amount = value as number | null;
    // `null` comes from code in JavaScript, and counts one. Before the series, which a refused amount must not begin.
    if (typeof amount !== 'number' || !(amount >= 0 && amount < Number.POSITIVE_INFINITY))
      amount = checkedAmount(amount);
    this.record(this.series.id, amount);
  }
}

/** A child of a counter with exemplars. A class of its own, so that the others keep the method that they have. */
class ExemplarCounterChild extends CounterChild {
  private readonly producer: Producer;

  constructor(producer: Producer, series: BoundSeries) {
    super(producer.recorder.record, series);
    this.producer = producer;
  }

  override inc(given?: number | ExemplarCall): void {
    const { value, exemplarLabels: labels } = isExemplarCall(given) ? given : { value: given };
    const amount = checkedAmount(value as number | undefined);
    const seriesId = this.series.id;
    if (!this.record(seriesId, amount)) return;
    putExemplar(this.producer, { seriesId, bucket: 0, labels, value: amount });
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
  /** Whether `inc({ labels, value, exemplarLabels })` brings exemplars. */
  readonly enableExemplars: boolean;
  private record: Recorder['record'] | undefined;

  constructor(config: CounterConfiguration<T>) {
    super(config, KIND);
    this.enableExemplars = config.enableExemplars === true;
    // On the instance: `inc` of all others stays as it is, and as fast.
    if (this.enableExemplars) this.inc = this.incWithExemplar;
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
  /**
   * The same with an exemplar, where they are enabled: `inc({ labels, value, exemplarLabels })`. It holds the amount of this call.
   *
   * @throws {RangeError} `OFFLOOP_ERR_EXEMPLAR` for exemplar labels of more than 128 characters. The amount has been added by then.
   */
  inc(increment: CounterIncrement<T>): void;
  inc(labels?: LabelValues<T> | CounterIncrement<T> | number, value?: number): void {
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

  /** The counter with its labels chosen, by values in the order of the names. */
  labels(...values: readonly (string | number)[]): CounterChild;
  /** The counter with its labels chosen, by an object. */
  labels(labels: LabelValues<T>): CounterChild;
  labels(...args: readonly unknown[]): CounterChild {
    const series = this.bind(args);
    if (this.enableExemplars) return new ExemplarCounterChild(this.pipeline.producer, series);
    return new CounterChild(this.record ?? this.start(), series);
  }

  private incWithExemplar(
    given?: LabelValues<T> | CounterIncrement<T> | number,
    value?: number,
  ): void {
    if (value !== undefined || !isExemplarCall(given)) {
      Reflect.apply(Counter.prototype.inc, this, [given, value]);
      return;
    }
    const { labels, exemplarLabels } = given;
    const amount = checkedAmount(given.value);
    const { producer } = this.pipeline;
    const seriesId = this.family.seriesByObject((labels ?? {}) as Record<string, string>);
    if (!producer.recorder.record(seriesId, amount)) return;
    putExemplar(producer, { seriesId, bucket: 0, labels: exemplarLabels, value: amount });
  }

  private unlabelled(): number {
    return this.labelNames.length === 0 ? this.family.onlySeries : this.family.seriesByObject({});
  }

  private start(): Recorder['record'] {
    this.record = this.pipeline.producer.recorder.record;
    return this.record;
  }
}

function checkedAmount(value: number | null | undefined): number {
  const amount = value ?? 1;
  if (typeof amount !== 'number' || !(amount >= 0 && amount < Number.POSITIVE_INFINITY))
    refuseAmount(amount);
  return amount;
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

/** prom-client's names of types. */
export declare namespace Counter {
  /** What `labels()` gives. */
  export type Internal = CounterChild;
}
