import { format } from 'node:util';
import { WIDE_SKETCH_CELLS } from '../aggregate/wide-sketch.js';
import { OffloopError, OffloopTypeError, showValue } from '../errors.js';
import { FamilyKind } from '../layout/catalog.js';
import type { Recorder } from '../record/recorder.js';
import type { BoundSeries } from './bound-series.js';
import type { CollectFunction } from './collector.js';
import type { ExemplarLabels } from './exemplar-labels.js';
import { type ExemplarCall, isExemplarCall, putExemplar } from './exemplar-recording.js';
import { existingMetric } from './existing-metric.js';
import type { LabelSet } from './family.js';
import { Metric, type MetricKind } from './metric.js';
import type { LabelValues, MetricConfiguration } from './metric-configuration.js';
import type { Producer } from './producer.js';
import { startTimer } from './timer.js';

/** prom-client's default bounds, seconds. */
export const DEFAULT_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Configuration of a histogram. */
export interface HistogramConfiguration<T extends string> extends MetricConfiguration<T> {
  /** Ascending, finite. Default {@link DEFAULT_BUCKETS}. +Infinity may stand at the end and changes nothing. */
  readonly buckets?: readonly number[] | undefined;
  /**
   * Whether it is a Prometheus native histogram, too, in formats that have them: buckets of 2.2 % width for any value, which merge over
   * processes and time. Each series then takes 41 kB of address space, of which what values fall into becomes resident. With an empty
   * `buckets` other formats show its sum and count. Default `false`.
   */
  readonly native?: boolean | undefined;
  /** Brings the histogram up to date before it is read; `this` is the histogram. What it throws rejects the reading. */
  readonly collect?: CollectFunction<Histogram<T>> | undefined;
  /** Lets `observe({ labels, value, exemplarLabels })` bring exemplars. Default `false`. */
  readonly enableExemplars?: boolean | undefined;
}

/** What `observe` takes where exemplars are enabled. */
export interface HistogramObservation<T extends string> extends ExemplarCall {
  /** Labels of the series; not given for a metric without labels. */
  readonly labels?: LabelValues<T> | undefined;
}

/** A histogram with its labels chosen: the quick way to observe, as nothing is looked up. */
export class HistogramChild<T extends string = string> {
  protected readonly record: Recorder['record'];
  protected readonly series: BoundSeries;

  constructor(record: Recorder['record'], series: BoundSeries) {
    this.record = record;
    this.series = series;
  }

  /**
   * Observes `value`.
   *
   * @throws {TypeError} `OFFLOOP_ERR_VALUE` for what is no finite number.
   */
  observe(value: number): void;
  /** The same with an exemplar, where they are enabled. */
  observe(observation: ExemplarCall): void;
  observe(value: number | ExemplarCall): void {
    // False for NaN and both infinities as well; a subtraction, as Number.isFinite is a call here.
    if (typeof value !== 'number' || value - value !== 0) refuseValue(value);
    this.record(this.series.id, value);
  }

  /**
   * Starts to measure; the function it returns observes the seconds since then, with further labels where it is given some, and returns them.
   * Where exemplars are enabled, both take the exemplar's labels instead.
   */
  startTimer(startLabels?: ExemplarLabels): (endLabels?: LabelValues<T>) => number;
  startTimer(): (endLabels?: LabelValues<T>) => number {
    const end = startTimer();
    return (endLabels) => {
      const seconds = end();
      if (endLabels === undefined) this.observe(seconds);
      else this.record(this.series.withLabels(endLabels as LabelSet), seconds);
      return seconds;
    };
  }
}

/** A child of a histogram with exemplars. A class of its own, so that the others keep the method that they have. */
class ExemplarHistogramChild<T extends string> extends HistogramChild<T> {
  private readonly producer: Producer;
  private readonly bounds: readonly number[];

  constructor(producer: Producer, series: BoundSeries, bounds: readonly number[]) {
    super(producer.recorder.record, series);
    this.producer = producer;
    this.bounds = bounds;
  }

  override observe(given: number | ExemplarCall): void {
    const { value, exemplarLabels: labels } = isExemplarCall(given) ? given : { value: given };
    if (typeof value !== 'number' || value - value !== 0) refuseValue(value);
    const seriesId = this.series.id;
    if (!this.record(seriesId, value)) return;
    putExemplar(this.producer, { seriesId, bucket: bucketOf(this.bounds, value), labels, value });
  }

  override startTimer(startLabels?: ExemplarLabels): (endLabels?: ExemplarLabels) => number {
    const end = startTimer();
    return (endLabels) => {
      const value = end();
      this.observe({ value, exemplarLabels: { ...startLabels, ...endLabels } });
      return value;
    };
  }
}

/**
 * Counts observations in buckets: prom-client's Histogram. Bounds out of order are refused, where prom-client counts wrongly.
 *
 * @example
 * const size = new Histogram({ name: 'upload_bytes', help: 'Uploads.', buckets: [1e3, 1e6], labelNames: ['kind'] });
 * size.observe({ kind: 'image' }, 48_211);
 */
export class Histogram<T extends string = string> extends Metric<T> {
  /** Whether `observe({ labels, value, exemplarLabels })` brings exemplars. */
  readonly enableExemplars: boolean;
  private record: Recorder['record'] | undefined;

  constructor(config: HistogramConfiguration<T>) {
    super(config, kindOf(config));
    this.enableExemplars = config.enableExemplars === true;
    // On the instance: `observe` of all others stays as it is, and as fast.
    if (this.enableExemplars) this.observe = this.observeWithExemplar;
  }

  /**
   * The histogram that is registered under this configuration, or a new one: a module that is loaded again goes on with the one it made.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC` when the name belongs to a metric of another configuration.
   */
  static getOrCreate<T extends string = string>(config: HistogramConfiguration<T>): Histogram<T> {
    return existingMetric<Histogram<T>>(config, kindOf(config)) ?? new Histogram(config);
  }

  /** Observes a value of the series without labels. */
  observe(value: number): void;
  /** Observes a value of the series with these labels. */
  observe(labels: LabelValues<T>, value: number): void;
  /**
   * The same with an exemplar, where they are enabled: `observe({ labels, value, exemplarLabels })`.
   *
   * @throws {RangeError} `OFFLOOP_ERR_EXEMPLAR` for exemplar labels of more than 128 characters. The value has been observed by then.
   */
  observe(observation: HistogramObservation<T>): void;
  observe(labels: LabelValues<T> | HistogramObservation<T> | number, value?: number): void {
    const hasLabels = typeof labels === 'object' && labels !== null;
    // `??`, as prom-client takes (undefined, value) for a value without labels.
    const observed = (hasLabels ? value : (labels ?? value)) as number;
    if (typeof observed !== 'number' || observed - observed !== 0) refuseValue(observed);
    const record = this.record ?? this.start();
    record(
      hasLabels ? this.family.seriesByObject(labels as Record<string, string>) : this.unlabelled(),
      observed,
    );
  }

  /** The histogram with its labels chosen, by values in the order of the names. */
  labels(...values: readonly (string | number)[]): HistogramChild<T>;
  /** The histogram with its labels chosen, by an object. */
  labels(labels: LabelValues<T>): HistogramChild<T>;
  labels(...args: readonly unknown[]): HistogramChild<T> {
    const series = this.bind(args);
    if (this.enableExemplars) {
      const { bounds } = this.family.entry;
      return new ExemplarHistogramChild<T>(this.pipeline.producer, series, bounds);
    }
    return new HistogramChild<T>(this.record ?? this.start(), series);
  }

  /**
   * Starts to measure; the function it returns observes the seconds since then under both label sets, and returns them. Where exemplars are
   * enabled, with both sets of exemplar labels.
   */
  startTimer(
    startLabels?: LabelValues<T>,
    startExemplarLabels?: ExemplarLabels,
  ): (endLabels?: LabelValues<T>, endExemplarLabels?: ExemplarLabels) => number {
    const end = startTimer();
    return (endLabels, endExemplarLabels) => {
      const seconds = end();
      const labels = { ...startLabels, ...endLabels } as LabelValues<T>;
      if (!this.enableExemplars) this.observe(labels, seconds);
      else {
        const exemplarLabels = { ...startExemplarLabels, ...endExemplarLabels };
        this.observe({ labels, value: seconds, exemplarLabels });
      }
      return seconds;
    };
  }

  /**
   * Begins the series of these labels, with no observation yet.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_LABELS` for a label that the metric does not have.
   */
  zero(labels: LabelValues<T>): void {
    this.family.remove([labels]);
    void this.bind([labels]).id;
  }

  private observeWithExemplar(
    given: LabelValues<T> | HistogramObservation<T> | number,
    value?: number,
  ): void {
    if (value !== undefined || !isExemplarCall(given)) {
      Reflect.apply(Histogram.prototype.observe, this, [given, value]);
      return;
    }
    const { labels, value: observed, exemplarLabels } = given;
    if (typeof observed !== 'number' || observed - observed !== 0) refuseValue(observed);
    const { producer } = this.pipeline;
    const seriesId = this.family.seriesByObject((labels ?? {}) as Record<string, string>);
    if (!producer.recorder.record(seriesId, observed)) return;
    const bucket = bucketOf(this.family.entry.bounds, observed);
    putExemplar(producer, { seriesId, bucket, labels: exemplarLabels, value: observed });
  }

  private unlabelled(): number {
    return this.labelNames.length === 0 ? this.family.onlySeries : this.family.seriesByObject({});
  }

  private start(): Recorder['record'] {
    this.record = this.pipeline.producer.recorder.record;
    return this.record;
  }
}

function kindOf(
  config: Pick<HistogramConfiguration<string>, 'buckets' | 'native'> | undefined,
): MetricKind {
  const native = config?.native ?? false;
  if (typeof native !== 'boolean') {
    throw new OffloopError(
      'OFFLOOP_ERR_METRIC_CONFIG',
      `native must be true or false, got ${showValue(native)}`,
    );
  }
  return {
    type: 'histogram',
    kind: FamilyKind.histogram,
    reserved: ['le'],
    bounds: checkBounds(config?.buckets ?? DEFAULT_BUCKETS),
    sketchCells: native ? WIDE_SKETCH_CELLS : 0,
  };
}

/** @throws {OffloopError} `OFFLOOP_ERR_METRIC_CONFIG` */
function checkBounds(buckets: readonly number[]): readonly number[] {
  const refuse = (rule: string): never => {
    throw new OffloopError(
      'OFFLOOP_ERR_METRIC_CONFIG',
      `buckets must be ${rule}, got ${showValue(buckets)}`,
    );
  };
  if (!Array.isArray(buckets) || buckets.length > 512) refuse('an array of at most 512 numbers');
  const bounds = buckets.at(-1) === Number.POSITIVE_INFINITY ? buckets.slice(0, -1) : [...buckets];
  for (const [index, bound] of bounds.entries()) {
    if (typeof bound !== 'number' || !Number.isFinite(bound)) refuse('finite numbers');
    if (index > 0 && bound <= (bounds[index - 1] as number)) refuse('in ascending order');
  }
  return bounds;
}

/** @throws {TypeError} `OFFLOOP_ERR_VALUE`, in prom-client's words. */
export function refuseValue(value: unknown): never {
  throw new OffloopTypeError('OFFLOOP_ERR_VALUE', `Value is not a valid number: ${format(value)}`);
}

/** Index of the bucket that counts a value; the last one is that of +Inf. */
function bucketOf(bounds: readonly number[], value: number): number {
  const bucket = bounds.findIndex((bound) => value <= bound);
  return bucket === -1 ? bounds.length : bucket;
}

/** prom-client's names of types. */
export declare namespace Histogram {
  /** What `labels()` gives. */
  export type Internal<T extends string> = HistogramChild<T>;
  export interface Config {
    buckets?: number[];
  }
}
