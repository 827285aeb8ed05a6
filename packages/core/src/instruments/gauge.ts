import { format } from 'node:util';
import { OffloopTypeError } from '../errors.js';
import { FamilyKind } from '../layout/catalog.js';
import { seriesBlock } from '../layout/catalog-reader.js';
import type { Segment } from '../layout/segment.js';
import { readLiveValue, writeLiveValue } from '../record/live-value.js';
import type { BoundSeries } from './bound-series.js';
import type { CollectFunction } from './collector.js';
import { existingMetric } from './existing-metric.js';
import type { LabelSet } from './family.js';
import { Metric, type MetricKind } from './metric.js';
import type { LabelValues, MetricConfiguration } from './metric-configuration.js';
import { startTimer } from './timer.js';

/** Configuration of a gauge. */
export interface GaugeConfiguration<T extends string> extends MetricConfiguration<T> {
  /** Brings the gauge up to date before it is read; `this` is the gauge. What it throws rejects the reading. */
  readonly collect?: CollectFunction<Gauge<T>> | undefined;
}

const KIND: MetricKind = { type: 'gauge', kind: FamilyKind.liveGauge };

const MS_PER_SECOND = 1000;

/** A gauge with its labels chosen: nothing is looked up. */
export class GaugeChild<T extends string = string> {
  private readonly segment: Segment;
  private readonly series: BoundSeries;

  constructor(segment: Segment, series: BoundSeries) {
    this.segment = segment;
    this.series = series;
  }

  /** @throws {TypeError} `OFFLOOP_ERR_VALUE` for what is no number. NaN and the infinities are levels like any other. */
  set(value: number): void {
    checkNumber('Value', value);
    setLevel(this.segment, this.series.id, value);
  }

  /** @throws {TypeError} `OFFLOOP_ERR_VALUE` for what is no number. */
  inc(delta = 1): void {
    checkNumber('Delta', delta);
    addToLevel(this.segment, this.series.id, delta);
  }

  /** @throws {TypeError} `OFFLOOP_ERR_VALUE` for what is no number. */
  dec(delta = 1): void {
    checkNumber('Delta', delta);
    addToLevel(this.segment, this.series.id, -delta);
  }

  /** Sets the gauge to the Unix time, seconds. */
  setToCurrentTime(): void {
    this.set(Date.now() / MS_PER_SECOND);
  }

  /** Starts to measure; the function it returns sets the gauge, with further labels where it is given some, to the seconds since then. */
  startTimer(): (endLabels?: LabelValues<T>) => number {
    const end = startTimer();
    return (endLabels) => {
      const seconds = end();
      if (endLabels === undefined) this.set(seconds);
      else setLevel(this.segment, this.series.withLabels(endLabels as LabelSet), seconds);
      return seconds;
    };
  }
}

/**
 * A level that rises and falls: prom-client's Gauge. Without labels it starts at 0.
 *
 * Its value is written in place, and not by way of the ring: it is never dropped, and every thread sees it at once.
 *
 * @example
 * const depth = new Gauge({ name: 'queue_depth', help: 'Jobs waiting.', labelNames: ['queue'] });
 * depth.set({ queue: 'mail' }, 12);
 * depth.labels('mail').dec();
 */
export class Gauge<T extends string = string> extends Metric<T> {
  constructor(config: GaugeConfiguration<T>) {
    super(config, KIND);
  }

  /**
   * The gauge that is registered under this configuration, or a new one: a module that is loaded again goes on with the one it made.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC` when the name belongs to a metric of another configuration.
   */
  static getOrCreate<T extends string = string>(config: GaugeConfiguration<T>): Gauge<T> {
    return existingMetric<Gauge<T>>(config, KIND) ?? new Gauge(config);
  }

  /** Sets the series without labels. */
  set(value: number): void;
  /** Sets the series with these labels. */
  set(labels: LabelValues<T>, value: number): void;
  set(labels: LabelValues<T> | number, value?: number): void {
    const { segment } = this.pipeline.producer;
    const level = (isLabels(labels) ? value : labels) as number;
    checkNumber('Value', level);
    setLevel(segment, this.idOf(labels), level);
  }

  /** Adds `delta` (default 1) to the series without labels. */
  inc(delta?: number): void;
  /** Adds `delta` (default 1) to the series with these labels. */
  inc(labels: LabelValues<T>, delta?: number): void;
  inc(labels?: LabelValues<T> | number, delta?: number): void {
    this.add(labels, delta, 1);
  }

  /** Subtracts `delta` (default 1) from the series without labels. */
  dec(delta?: number): void;
  /** Subtracts `delta` (default 1) from the series with these labels. */
  dec(labels: LabelValues<T>, delta?: number): void;
  dec(labels?: LabelValues<T> | number, delta?: number): void {
    this.add(labels, delta, -1);
  }

  /** Sets the gauge to the Unix time, seconds. */
  setToCurrentTime(labels?: LabelValues<T>): void {
    const { segment } = this.pipeline.producer;
    setLevel(segment, this.idOf(labels), Date.now() / MS_PER_SECOND);
  }

  /** Starts to measure; the function it returns sets the series with both label sets to the seconds since then, and returns them. */
  startTimer(startLabels?: LabelValues<T>): (endLabels?: LabelValues<T>) => number {
    const end = startTimer();
    return (endLabels) => {
      const seconds = end();
      this.set({ ...startLabels, ...endLabels } as LabelValues<T>, seconds);
      return seconds;
    };
  }

  /** The gauge with its labels chosen, by values in the order of the names. */
  labels(...values: readonly (string | number)[]): GaugeChild<T>;
  /** The gauge with its labels chosen, by an object. */
  labels(labels: LabelValues<T>): GaugeChild<T>;
  labels(...args: readonly unknown[]): GaugeChild<T> {
    const series = this.bind(args);
    return new GaugeChild<T>(this.pipeline.producer.segment, series);
  }

  private add(labels: unknown, value: number | undefined, sign: 1 | -1): void {
    const { segment } = this.pipeline.producer;
    const delta = (isLabels(labels) ? value : (labels as number | undefined)) ?? 1;
    checkNumber('Delta', delta);
    addToLevel(segment, this.idOf(labels), sign * delta);
  }

  /** The series that a call's first argument chooses. */
  private idOf(labels: unknown): number {
    return this.family.seriesByObject(isLabels(labels) ? labels : {});
  }
}

function isLabels(value: unknown): value is Record<string, string | number> {
  return typeof value === 'object' && value !== null;
}

function setLevel(segment: Segment, seriesId: number, value: number): void {
  writeLiveValue(segment, seriesBlock(segment, seriesId), value);
}

function addToLevel(segment: Segment, seriesId: number, delta: number): void {
  const block = seriesBlock(segment, seriesId);
  writeLiveValue(segment, block, readLiveValue(segment, block) + delta);
}

/** Before the series is looked up: a refused value must leave none behind. */
function checkNumber(what: 'Value' | 'Delta', value: unknown): void {
  if (typeof value !== 'number') refuse(what, value);
}

function refuse(what: 'Value' | 'Delta', value: unknown): never {
  throw new OffloopTypeError(
    'OFFLOOP_ERR_VALUE',
    `${what} is not a valid number: ${format(value)}`,
  );
}

/** prom-client's names of types. */
export declare namespace Gauge {
  /** What `labels()` gives. */
  export type Internal<T extends string> = GaugeChild<T>;
}
