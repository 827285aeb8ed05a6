import { WIDE_SKETCH_CELLS } from '../aggregate/wide-sketch.js';
import { OffloopError, showValue } from '../errors.js';
import { FamilyKind } from '../layout/catalog.js';
import { TICK_MS } from '../layout/windows.js';
import type { Recorder } from '../record/recorder.js';
import type { BoundSeries } from './bound-series.js';
import type { CollectFunction } from './collector.js';
import { existingMetric } from './existing-metric.js';
import type { LabelSet } from './family.js';
import { windowOf } from './family-window.js';
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
  readonly percentiles?: readonly number[] | undefined;
  /**
   * Length of the sliding window that quantiles are of, seconds; at least a tenth of a second for each of its slices. The sum and the count
   * stay those since the start. Default: quantiles are of everything since the start.
   */
  readonly maxAgeSeconds?: number | undefined;
  /**
   * Slices of the window, in [1, 60], default 5: it lets one go at a time, so it holds its length at most and that less a slice at least.
   * Changes nothing without `maxAgeSeconds`.
   */
  readonly ageBuckets?: number | undefined;
  /** Whether a series goes, with its sum and count, when its window has seen nothing for so long. Default `false`. */
  readonly pruneAgedBuckets?: boolean | undefined;
  /** Changes nothing: a sketch needs no compressing. */
  readonly compressCount?: number | undefined;
  /** Brings the summary up to date before it is read; `this` is the summary. What it throws rejects the reading. */
  readonly collect?: CollectFunction<Summary<T>> | undefined;
}

/** A summary with its labels chosen: the quick way to observe, as nothing is looked up. */
export class SummaryChild<T extends string = string> {
  private readonly recorder: Recorder;
  private readonly hasWindow: boolean;
  private readonly series: BoundSeries;

  constructor(
    { recorder, hasWindow }: { readonly recorder: Recorder; readonly hasWindow: boolean },
    series: BoundSeries,
  ) {
    this.recorder = recorder;
    this.hasWindow = hasWindow;
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
    this.write(this.series.id, value);
  }

  /** Starts to measure; the function it returns observes the seconds since then, with further labels where it is given some, and returns them. */
  startTimer(): (endLabels?: LabelValues<T>) => number {
    const end = startTimer();
    return (endLabels) => {
      const seconds = end();
      if (endLabels === undefined) this.observe(seconds);
      else this.write(this.series.withLabels(endLabels as LabelSet), seconds);
      return seconds;
    };
  }

  private write(seriesId: number, value: number): void {
    if (this.hasWindow) this.recorder.stamp(performance.now());
    this.recorder.record(seriesId, value);
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
  private recorder: Recorder | undefined;
  private readonly hasWindow: boolean;

  constructor(config: SummaryConfiguration<T>) {
    super(withIdleLimit(config), kindOf(config));
    this.hasWindow = config.maxAgeSeconds !== undefined;
  }

  /**
   * The summary that is registered under this configuration, or a new one: a module that is loaded again goes on with the one it made.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC` when the name belongs to a metric of another configuration.
   */
  static getOrCreate<T extends string = string>(config: SummaryConfiguration<T>): Summary<T> {
    return existingMetric<Summary<T>>(withIdleLimit(config), kindOf(config)) ?? new Summary(config);
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
    const recorder = this.recorder ?? this.start();
    if (this.hasWindow) recorder.stamp(performance.now());
    recorder.record(
      hasLabels ? this.family.seriesByObject(labels as Record<string, string>) : this.unlabelled(),
      observed,
    );
  }

  /** The summary with its labels chosen, by values in the order of the names. */
  labels(...values: readonly (string | number)[]): SummaryChild<T>;
  /** The summary with its labels chosen, by an object. */
  labels(labels: LabelValues<T>): SummaryChild<T>;
  labels(...args: readonly unknown[]): SummaryChild<T> {
    const series = this.bind(args);
    const recorder = this.recorder ?? this.start();
    return new SummaryChild<T>({ recorder, hasWindow: this.hasWindow }, series);
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

  private start(): Recorder {
    this.recorder = this.pipeline.producer.recorder;
    return this.recorder;
  }
}

/** What concerns a summary alone. */
type SketchOptions = Pick<
  SummaryConfiguration<string>,
  'percentiles' | 'maxAgeSeconds' | 'ageBuckets' | 'pruneAgedBuckets'
>;

const AGE_BUCKETS = 5;
const AGE_BUCKETS_MAX = 60;

function kindOf(config: SketchOptions | undefined): MetricKind {
  const window = checkWindow(config ?? {});
  return {
    type: 'summary',
    kind: FamilyKind.summary,
    reserved: ['quantile'],
    quantiles: checkPercentiles(config?.percentiles ?? DEFAULT_PERCENTILES),
    sketchCells: WIDE_SKETCH_CELLS,
    ...(window && { window }),
  };
}

/** What prom-client prunes is what has been idle for as long as the window is. */
function withIdleLimit<T extends string>(config: SummaryConfiguration<T>): SummaryConfiguration<T> {
  const { maxAgeSeconds, pruneAgedBuckets, maxIdleSeconds } = config ?? {};
  if (pruneAgedBuckets !== true || maxAgeSeconds === undefined || maxIdleSeconds !== undefined)
    return config;
  return { ...config, maxIdleSeconds: maxAgeSeconds };
}

/** @throws {OffloopError} `OFFLOOP_ERR_METRIC_CONFIG` */
function checkWindow({ maxAgeSeconds, ageBuckets = AGE_BUCKETS }: SketchOptions) {
  const refuse = (option: string, rule: string, value: unknown): never => {
    throw new OffloopError(
      'OFFLOOP_ERR_METRIC_CONFIG',
      `${option} must be ${rule}, got ${showValue(value)}`,
    );
  };
  if (!(Number.isInteger(ageBuckets) && ageBuckets >= 1 && ageBuckets <= AGE_BUCKETS_MAX))
    refuse('ageBuckets', `a whole number in [1, ${AGE_BUCKETS_MAX}]`, ageBuckets);
  if (maxAgeSeconds === undefined) return undefined;
  const shortest = (ageBuckets * TICK_MS) / 1000;
  if (!(Number.isFinite(maxAgeSeconds) && maxAgeSeconds >= shortest))
    refuse('maxAgeSeconds', `a finite number of at least ${shortest}`, maxAgeSeconds);
  return windowOf(maxAgeSeconds, ageBuckets);
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
