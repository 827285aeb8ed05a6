import { WIDE_SKETCH_CELLS } from '../aggregate/wide-sketch.js';
import { OffloopError, showValue } from '../errors.js';
import { FamilyKind } from '../layout/catalog.js';
import type { Recorder } from '../record/recorder.js';
import type { BoundSeries } from './bound-series.js';
import type { CollectFunction } from './collector.js';
import { existingMetric } from './existing-metric.js';
import type { LabelSet } from './family.js';
import { refuseValue } from './histogram.js';
import { Metric, type MetricKind } from './metric.js';
import type { LabelValues, MetricConfiguration } from './metric-configuration.js';
import { startTimer } from './timer.js';

/** prom-client's default percentiles. */
export const DEFAULT_PERCENTILES: readonly number[] = [0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999];

/** A page has a line for each, and a family of the catalog a double. */
const PERCENTILES_MAX = 512;

/** Configuration of a summary. */
export interface SummaryConfiguration<T extends string> extends MetricConfiguration<T> {
  /** Shares in [0, 1], each once; shown in this order. Default {@link DEFAULT_PERCENTILES}. */
  readonly percentiles?: readonly number[];
  /** Refused: quantiles are of everything since the start. */
  readonly maxAgeSeconds?: number;
  /** Refused, as it belongs to `maxAgeSeconds`. */
  readonly ageBuckets?: number;
  /** Refused when `true`, as it belongs to `maxAgeSeconds`. */
  readonly pruneAgedBuckets?: boolean;
  /** Changes nothing: a sketch needs no compressing. */
  readonly compressCount?: number;
  /** Brings the summary up to date before it is read; `this` is the summary. What it throws rejects the reading. */
  readonly collect?: CollectFunction<Summary<T>>;
}

/** A summary with its labels chosen: the quick way to observe, as nothing is looked up. */
export class SummaryChild<T extends string = string> {
  private readonly record: Recorder['record'];
  private readonly series: BoundSeries;

  constructor(record: Recorder['record'], series: BoundSeries) {
    this.record = record;
    this.series = series;
  }

  /**
   * Observes `value`.
   *
   * @throws {TypeError} `OFFLOOP_ERR_VALUE` for what is no finite number.
   */
  observe(value: number): void {
    // False for NaN and both infinities as well; a subtraction, as Number.isFinite is a call here.
    if (typeof value !== 'number' || value - value !== 0) refuseValue(value);
    this.record(this.series.id, value);
  }

  /** Starts to measure; the function it returns observes the seconds since then, with further labels where it is given some, and returns them. */
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

/**
 * Shows quantiles of what it observes: prom-client's Summary. Values of either sign; a quantile is at most one bucket of the sketch off,
 * 2.2 %, and about a tenth of that where many values lie. A summary without observations shows NaN, where prom-client shows 0.
 *
 * Quantiles of several processes cannot be merged once they are taken. For that, and for time ranges, see `native` of a Histogram.
 *
 * @see docs/memory.md#buckets — how the error bound follows from the bucket widths.
 * @example
 * const delay = new Summary({ name: 'job_delay_seconds', help: 'Delay of jobs.', percentiles: [0.5, 0.99], labelNames: ['queue'] });
 * delay.observe({ queue: 'mail' }, 0.35);
 */
export class Summary<T extends string = string> extends Metric<T> {
  private record: Recorder['record'] | undefined;

  constructor(config: SummaryConfiguration<T>) {
    super(config, kindOf(config));
  }

  /**
   * The summary that is registered under this configuration, or a new one: a module that is loaded again goes on with the one it made.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC` when the name belongs to a metric of another configuration.
   */
  static getOrCreate<T extends string = string>(config: SummaryConfiguration<T>): Summary<T> {
    return existingMetric<Summary<T>>(config, kindOf(config)) ?? new Summary(config);
  }

  /** Observes a value of the series without labels. */
  observe(value: number): void;
  /** Observes a value of the series with these labels. */
  observe(labels: LabelValues<T>, value: number): void;
  observe(labels: LabelValues<T> | number, value?: number): void {
    const hasLabels = typeof labels === 'object' && labels !== null;
    // `??`, as prom-client takes (undefined, value) for a value without labels.
    const observed = (hasLabels ? value : (labels ?? value)) as number;
    if (typeof observed !== 'number' || observed - observed !== 0) {
      // Labels alone are shown, as prom-client takes them for the value.
      refuseValue(observed === undefined ? labels : observed);
    }
    const record = this.record ?? this.start();
    record(
      hasLabels ? this.family.seriesByObject(labels as Record<string, string>) : this.unlabelled(),
      observed,
    );
  }

  /** The summary with its labels chosen, by values in the order of the names or by an object. */
  labels(...values: readonly (string | number)[]): SummaryChild<T>;
  labels(labels: LabelValues<T>): SummaryChild<T>;
  labels(...args: readonly unknown[]): SummaryChild<T> {
    const series = this.bind(args);
    return new SummaryChild<T>(this.record ?? this.start(), series);
  }

  /** Starts to measure; the function it returns observes the seconds since then under both label sets, and returns them. */
  startTimer(startLabels?: LabelValues<T>): (endLabels?: LabelValues<T>) => number {
    const end = startTimer();
    return (endLabels) => {
      const seconds = end();
      this.observe({ ...startLabels, ...endLabels } as LabelValues<T>, seconds);
      return seconds;
    };
  }

  private unlabelled(): number {
    return this.labelNames.length === 0 ? this.family.onlySeries : this.family.seriesByObject({});
  }

  private start(): Recorder['record'] {
    this.record = this.pipeline.producer.recorder.record;
    return this.record;
  }
}

/** What concerns a summary alone. */
type SketchOptions = Pick<
  SummaryConfiguration<string>,
  'percentiles' | 'maxAgeSeconds' | 'ageBuckets' | 'pruneAgedBuckets'
>;

function kindOf(config: SketchOptions | undefined): MetricKind {
  refuseWindow(config ?? {});
  return {
    type: 'summary',
    kind: FamilyKind.summary,
    reserved: ['quantile'],
    quantiles: checkPercentiles(config?.percentiles ?? DEFAULT_PERCENTILES),
    sketchCells: WIDE_SKETCH_CELLS,
  };
}

/**
 * Refused and not ignored: quantiles of the last minutes are another number than those of all time.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_METRIC_CONFIG`
 */
function refuseWindow(config: SketchOptions): void {
  for (const option of ['maxAgeSeconds', 'ageBuckets', 'pruneAgedBuckets'] as const) {
    const value = config[option];
    if (value === undefined || value === false) continue;
    throw new OffloopError(
      'OFFLOOP_ERR_METRIC_CONFIG',
      `${option} must be left out, as a summary's quantiles are of everything since the start, got ${showValue(value)}`,
    );
  }
}

/** @throws {OffloopError} `OFFLOOP_ERR_METRIC_CONFIG` */
function checkPercentiles(percentiles: readonly number[]): readonly number[] {
  const refuse = (rule: string): never => {
    throw new OffloopError(
      'OFFLOOP_ERR_METRIC_CONFIG',
      `percentiles must be ${rule}, got ${showValue(percentiles)}`,
    );
  };
  if (!Array.isArray(percentiles) || percentiles.length > PERCENTILES_MAX)
    refuse(`an array of at most ${PERCENTILES_MAX} numbers`);
  if (!percentiles.every((share) => typeof share === 'number' && share >= 0 && share <= 1))
    refuse('numbers in [0, 1]');
  // One line twice loses the whole scrape.
  if (new Set(percentiles).size !== percentiles.length) refuse('different from one another');
  // −0 is equal to 0 and would be another label.
  return percentiles.map((share) => share + 0);
}

/** prom-client's names of types. */
export declare namespace Summary {
  /** What `labels()` gives. */
  export type Internal<T extends string> = SummaryChild<T>;
  export interface Config {
    percentiles?: number[];
  }
}
