import type { Pipeline } from '../engine/pipeline.js';
import { processPipeline } from '../engine/process-pipeline.js';
import { OffloopError } from '../errors.js';
import type { CapturedFamily } from '../exposition/capture.js';
import { type FamilyKind, FamilyRole, OpenMetricsType } from '../layout/catalog.js';
import type { Aggregator } from './aggregators.js';
import { BoundSeries } from './bound-series.js';
import type { FamilyEntry, FamilyWindow } from './catalog-writer.js';
import type { CollectFunction } from './collector.js';
import type { Family } from './family.js';
import { escapeHelp } from './label-text.js';
import {
  type AnyRegistry,
  checkConfiguration,
  type LabelValues,
  type MetricConfiguration,
} from './metric-configuration.js';
import {
  type MetricObjectWithValues,
  type MetricType,
  type MetricValueWithName,
  metricValues,
} from './metric-value.js';
import { takenName } from './registered-metric.js';
import { type Registry, register } from './registry.js';

/** What a kind of metric adds to the common configuration. */
export interface MetricKind {
  readonly type: MetricType;
  readonly kind: FamilyKind;
  readonly reserved?: readonly string[];
  readonly bounds?: readonly number[];
  readonly quantiles?: readonly number[];
  readonly sketchCells?: number;
  readonly openMetricsType?: OpenMetricsType;
  readonly window?: FamilyWindow;
}

/** What all metrics share: their family, and their place in registries. */
export abstract class Metric<T extends string> {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly labelNames: readonly T[];
  readonly aggregator: Aggregator;
  /** Its own cardinality limit, where it has one. */
  readonly maxSeries: number | undefined;
  /** Seconds without a record after which a series is removed, where the metric has such a limit. */
  readonly maxIdleSeconds: number | undefined;
  /** Runs before the metric is read: by `get()`, by its registries, and by a scrape. Its type says nothing of `this`, so that a metric of some labels is one of any. */
  collect: (() => void | Promise<void>) | undefined;
  /** The family on the producing thread. For registries. */
  readonly family: Family;
  readonly pipeline: Pipeline;

  protected constructor(
    config: MetricConfiguration<T> & { readonly collect?: CollectFunction<never> | undefined },
    kind: MetricKind,
  ) {
    checkConfiguration(config, kind.reserved ?? []);
    const registers = config.registers ?? [register];
    // Checked before anything is built: a refused metric must leave nothing in memory that cannot be removed again.
    for (const registry of registers) refuseTaken(registry, config.name);
    this.name = config.name;
    this.help = config.help;
    this.type = kind.type;
    this.aggregator = config.aggregator ?? 'sum';
    this.maxSeries = config.maxSeries;
    this.maxIdleSeconds = config.maxIdleSeconds;
    this.collect = (config.collect as CollectFunction<this> | null | undefined) ?? undefined;
    this.labelNames = [...(config.labelNames ?? [])];
    this.pipeline = registers.find(isOwn)?.pipeline ?? processPipeline();
    this.family = this.pipeline.defineFamily(familyEntry(config, kind), config);
    for (const registry of registers) registry.registerMetric(this);
  }

  /**
   * The metric and its samples, everything recorded before the call included.
   *
   * @throws What `collect` throws.
   */
  async get(): Promise<MetricObjectWithValues<MetricValueWithName<T>>> {
    await this.collect?.();
    // Laid out at the first use; what it was before then has no ids.
    void this.pipeline.producer;
    const { families } = await this.pipeline.capture([this.family.id]);
    return {
      name: this.name,
      help: this.help,
      type: this.type,
      // Read back from memory as text, of the names that the metric was declared with.
      values: metricValues(families[0] as CapturedFamily) as MetricValueWithName<T>[],
      aggregator: this.aggregator,
    };
  }

  /**
   * Removes the series of these labels, in order with the records around the call: one that comes later begins another, at zero.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_LABELS` for labels that the metric does not have.
   */
  remove(...values: readonly (string | number)[]): void;
  /** The same, of labels by an object. */
  remove(labels: LabelValues<T>): void;
  remove(...args: readonly unknown[]): void {
    void this.pipeline.producer;
    this.family.remove(args);
  }

  /**
   * Removes every series, in order with the records around the call. A metric without labels goes on at zero.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_CATALOG_FULL` when memory has no room for a new series.
   */
  reset(): void {
    this.family.reset();
  }

  /** Series of the labels in prom-client's two forms: an object, or the values in the order of the names. */
  protected bind(args: readonly unknown[]): BoundSeries {
    // Laid out at the first use; what it was before then has no ids.
    void this.pipeline.producer;
    return new BoundSeries(this.family, args);
  }
}

/** prom-client's registries do not have one. */
function isOwn(registry: AnyRegistry): registry is Registry {
  return 'pipeline' in registry;
}

function refuseTaken(registry: AnyRegistry, name: string): void {
  if (registry.getSingleMetric(name) === undefined) return;
  throw new OffloopError('OFFLOOP_ERR_DUPLICATE_METRIC', takenName(name));
}

function familyEntry(config: MetricConfiguration<string>, kind: MetricKind): FamilyEntry {
  return {
    kind: kind.kind,
    role: FamilyRole.none,
    name: config.name,
    help: escapeHelp(config.help),
    labelNames: [...(config.labelNames ?? [])],
    bounds: kind.bounds ?? [],
    quantiles: kind.quantiles ?? [],
    sketchCells: kind.sketchCells ?? 0,
    openMetricsType: kind.openMetricsType ?? OpenMetricsType.byKind,
    window: kind.window,
    source: undefined,
  };
}
