import type { Aggregator } from '../instruments/aggregators.js';
import type { RegistryContentType } from '../instruments/content-types.js';
import { Counter } from '../instruments/counter.js';
import { Gauge } from '../instruments/gauge.js';
import { Histogram } from '../instruments/histogram.js';
import type { LabelValues } from '../instruments/metric-configuration.js';
import type { Registry } from '../instruments/registry.js';
import { Summary } from '../instruments/summary.js';
import { LagSampler } from './lag-sampler.js';

/** Labels of one default metric, beside the ones that all of them have. */
export type OwnLabels = Readonly<Record<string, string>>;

/** How the loop's utilisation is shown. */
export interface UtilizationOptions {
  readonly intervalMs: number;
  readonly buckets: readonly number[];
  readonly percentiles: readonly number[];
  readonly maxAgeSeconds: number;
  readonly ageBuckets: number;
}

/** What all default metrics of one call have in common, and what stops them. */
export class DefaultMetricsScope {
  readonly register: Registry<RegistryContentType>;
  readonly gcDurationBuckets: readonly number[];
  /** Ticks for everything that watches the loop. */
  readonly sampler: LagSampler;
  readonly utilization: UtilizationOptions;
  private readonly prefix: string;
  private readonly labels: LabelValues<string>;
  private readonly metrics: (Counter | Gauge | Histogram | Summary)[] = [];
  private readonly stops: (() => void)[] = [];

  constructor(options: {
    readonly register: Registry<RegistryContentType>;
    readonly prefix: string;
    readonly labels: LabelValues<string>;
    readonly gcDurationBuckets: readonly number[];
    readonly lagIntervalMs: number;
    readonly utilization: UtilizationOptions;
  }) {
    this.register = options.register;
    this.prefix = options.prefix;
    this.labels = options.labels;
    this.gcDurationBuckets = options.gcDurationBuckets;
    this.sampler = new LagSampler(options.lagIntervalMs);
    this.utilization = options.utilization;
  }

  /** A gauge that is read when somebody asks for it. */
  gauge(
    definition: {
      readonly name: string;
      readonly help: string;
      readonly labelNames?: readonly string[];
      readonly aggregator?: Aggregator;
    },
    read: (set: (value: number, labels?: OwnLabels) => void) => void,
  ): void {
    const { labels } = this;
    this.add(
      new Gauge({
        ...this.common(definition),
        collect: function collect(this: Gauge) {
          read((value, own) => this.set({ ...own, ...labels }, value));
        },
      }),
    );
  }

  /**
   * A counter that follows a total kept elsewhere.
   *
   * @param readTotal Never falls.
   */
  counter(
    definition: { readonly name: string; readonly help: string },
    readTotal: () => number,
  ): void {
    const { labels } = this;
    let recorded = 0;
    this.add(
      new Counter({
        ...this.common(definition),
        collect: function collect(this: Counter) {
          const { recorder } = this.pipeline.producer;
          const total = readTotal();
          const seriesId = this.family.seriesByObject(labels as Record<string, string>);
          // A full ring refuses the record: the next reading makes up for it.
          if (recorder.record(seriesId, total - recorded)) recorded = total;
        },
      }),
    );
  }

  /** A histogram. @returns What observes a value under a label set. */
  histogram(
    definition: {
      readonly name: string;
      readonly help: string;
      readonly labelNames: readonly string[];
      readonly buckets: readonly number[];
    },
    collect: () => void,
  ): {
    readonly isStarted: () => boolean;
    readonly observe: (own: OwnLabels, value: number) => void;
  } {
    const histogram = new Histogram({
      ...this.common(definition),
      buckets: definition.buckets,
      collect,
    });
    this.add(histogram);
    const { labels } = this;
    return {
      isStarted: () => histogram.pipeline.isStarted,
      observe: (own, value) => histogram.observe({ ...own, ...labels }, value),
    };
  }

  /** A summary of what happens without anybody's asking. @returns What observes a value. */
  summary(
    definition: {
      readonly name: string;
      readonly help: string;
      readonly percentiles: readonly number[];
      readonly maxAgeSeconds: number;
      readonly ageBuckets: number;
    },
    collect: () => void,
  ): { readonly observe: (value: number) => void } {
    const summary = new Summary({ ...this.common(definition), collect });
    this.add(summary);
    const { labels } = this;
    return { observe: (value) => summary.observe({ ...labels }, value) };
  }

  /** Something to let go of when the metrics are stopped. */
  onStop(stop: () => void): void {
    this.stops.push(stop);
  }

  /** Stops everything, and takes out of the registry what is still there of it. */
  stop(): void {
    for (const stop of this.stops.splice(0)) stop();
    for (const metric of this.metrics.splice(0)) {
      metric.collect = undefined;
      if (this.register.getSingleMetric(metric.name) === metric) {
        this.register.removeSingleMetric(metric.name);
      }
    }
  }

  private add(metric: Counter | Gauge | Histogram | Summary): void {
    this.metrics.push(metric);
  }

  private common<
    Definition extends { readonly name: string; readonly labelNames?: readonly string[] },
  >(definition: Definition) {
    const { name, labelNames = [] } = definition;
    return {
      ...definition,
      name: `${this.prefix}${name}`,
      labelNames: [...labelNames, ...Object.keys(this.labels)],
      registers: [this.register],
    };
  }
}

/** The same reading for all who ask in one turn: metrics of one page then agree with each other, and it is made once. */
export function oncePerTurn<Reading>(read: () => Reading): () => Reading {
  let last: { readonly reading: Reading } | undefined;
  return () => {
    if (last === undefined) {
      last = { reading: read() };
      queueMicrotask(() => {
        last = undefined;
      });
    }
    return last.reading;
  };
}
