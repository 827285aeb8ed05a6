import { anchored } from '../anchored.js';
import { Pipeline } from '../engine/pipeline.js';
import { processPipeline } from '../engine/process-pipeline.js';
import { OffloopError, OffloopTypeError, showValue } from '../errors.js';
import type { DefaultLabels } from '../exposition/default-labels.js';
import type { ForeignFamily } from '../exposition/foreign-family.js';
import { OPEN_METRICS_CONTENT_TYPE } from '../exposition/open-metrics-format.js';
import type { Page } from '../exposition/render.js';
import { TEXT_CONTENT_TYPE } from '../exposition/text-format.js';
import { COLLECT_ERRORS } from '../layout/control-block.js';
import { addToWideCounter } from '../layout/wide-counter.js';
import { type Aggregator, aggregateMetrics } from './aggregators.js';
import type { Metric } from './any-metric.js';
import { type Collected, collectAll } from './collector.js';
import type { PrometheusContentType, RegistryContentType } from './content-types.js';
import {
  type ForeignMetric,
  type ForeignMetricObject,
  ForeignReading,
  foreignFamily,
} from './foreign-metric.js';
import { refusePipelineName, validateLabelName } from './metric-configuration.js';
import type { MetricObjectWithValues, MetricValueWithName } from './metric-value.js';
import { isOwnMetric, type RegisteredMetric, takenName } from './registered-metric.js';
import { type PageForm, type RegistryPage, renderRegistry, withoutEnd } from './registry-page.js';
import { ScrapeCollectors } from './scrape-collectors.js';

/** A metric under its name: one of offloop, or a foreign one and what reads it. */
type Entry =
  | { readonly metric: RegisteredMetric; readonly reading: undefined }
  | { readonly metric: ForeignMetric; readonly reading: ForeignReading };

/**
 * Metrics by name, in order of registration: prom-client's Registry. It holds names only; values live in the pipeline's memory.
 *
 * Metrics that are not offloop's may be registered as well: they are read on this thread whenever the registry is, and shown after the others.
 */
export class Registry<T extends RegistryContentType = PrometheusContentType> {
  static readonly PROMETHEUS_CONTENT_TYPE = TEXT_CONTENT_TYPE;
  static readonly OPENMETRICS_CONTENT_TYPE = OPEN_METRICS_CONTENT_TYPE;

  /** Where metrics that name this registry first keep their values. */
  readonly pipeline: Pipeline;
  private readonly entries = new Map<string, Entry>();
  private readonly scrapeCollectors: ScrapeCollectors;
  private labels: DefaultLabels = [];
  private ownContentType: RegistryContentType = TEXT_CONTENT_TYPE;

  /** The registry of this process: `register`. */
  static get globalRegistry(): Registry {
    return register;
  }

  /**
   * A registry that holds the metrics of all of these, without their default labels.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` when their content types differ; `OFFLOOP_ERR_DUPLICATE_METRIC` when two metrics share
   *   a name.
   */
  static merge<Merged extends RegistryContentType>(
    registers: readonly Registry<Merged>[],
  ): Registry<Merged> {
    const [first] = registers;
    if (registers.some(({ contentType }) => contentType !== first?.contentType)) {
      throw new OffloopError(
        'OFFLOOP_ERR_ARGUMENT',
        'Registers can only be merged if they have the same content type',
      );
    }
    const merged = new Registry<Merged>(first?.pipeline);
    if (first !== undefined) merged.setContentType(first.contentType);
    for (const metric of registers.flatMap((registry) => registry.getMetricsAsArray()))
      merged.registerMetric(metric);
    return merged;
  }

  /**
   * A registry of what several processes' registries gave as JSON, merged by each metric's own aggregator: prom-client 0.16's. Quantiles of
   * several summaries are left out, as nothing can be made of them; their sums and counts are there.
   *
   * @param processes One `getMetricsAsJSON()` each.
   * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` for an aggregator that there is not.
   */
  static aggregate<Aggregated extends RegistryContentType = PrometheusContentType>(
    processes: readonly (readonly MetricObjectWithValues<MetricValueWithName>[])[],
    contentType: RegistryContentType = TEXT_CONTENT_TYPE,
  ): Registry<Aggregated> {
    const aggregated = new Registry<Aggregated>(new Pipeline());
    aggregated.setContentType(contentType);
    for (const metric of aggregateMetrics(processes)) aggregated.registerMetric(metric);
    return aggregated;
  }

  /**
   * @param home The pipeline of its metrics, by default the process's; or prom-client's argument, the content type.
   * @throws {TypeError} `OFFLOOP_ERR_ARGUMENT` for a content type that is none of the two statics.
   */
  constructor(home: Pipeline | RegistryContentType = processPipeline()) {
    if (typeof home === 'string') {
      if (!isContentType(home)) {
        throw new OffloopTypeError('OFFLOOP_ERR_ARGUMENT', `Content type ${home} is unsupported`);
      }
      this.ownContentType = home;
    }
    const pipeline = typeof home === 'string' ? processPipeline() : home;
    this.pipeline = pipeline;
    this.scrapeCollectors = new ScrapeCollectors(
      () => addToWideCounter(pipeline.producer.segment.control, COLLECT_ERRORS, 1),
      pipeline,
    );
  }

  /** The metrics themselves, without their values, which {@link getMetricsAsJSON} has. */
  toJSON(): object {
    return this.getMetricsAsArray();
  }

  /** Content type of `metrics()` and of single metrics as text. A scrape's page has the format that its client asks for. */
  get contentType(): T {
    return this.ownContentType as T;
  }

  /** @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` for a content type that is none of the two statics. */
  setContentType(contentType: RegistryContentType): void {
    if (!isContentType(contentType)) {
      throw new OffloopError('OFFLOOP_ERR_ARGUMENT', `Content type ${contentType} is unsupported`);
    }
    this.ownContentType = contentType;
    if ((this as unknown) === register) globalContentType = contentType;
  }

  /**
   * Labels that pages and JSON add to every sample of this registry, in place of those set before. A label that a sample has itself stays
   * its own. They belong to the page: recording is as it was.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_LABELS` for a name that no page can show.
   */
  setDefaultLabels(labels: object): void {
    const pairs = Object.entries(labels).map(
      ([name, value]) => [name, String(value).toWellFormed()] as const,
    );
    for (const [name] of pairs) {
      if (validateLabelName(name)) continue;
      throw new OffloopError('OFFLOOP_ERR_LABELS', `Invalid label name: ${name}`);
    }
    this.labels = pairs;
  }

  /** The default labels in the page's order. For pages. */
  get defaultLabels(): DefaultLabels {
    return this.labels;
  }

  /**
   * All metrics in the format of the registry's content type, everything recorded before the call included.
   *
   * @throws What a metric's `collect` throws.
   */
  async metrics(): Promise<string> {
    const { bytes } = await this.page();
    return textOf(bytes);
  }

  /**
   * What `metrics()` gives, as bytes that the engine renders and packs.
   *
   * @param form.format Default: that of the registry's content type.
   * @param form.encoding Default `identity`. A page of several pipelines' metrics, and a small one, are not packed.
   * @throws What a metric's `collect` throws.
   */
  async page(form: Partial<PageForm> = {}): Promise<Pick<Page, 'bytes' | 'encoding'>> {
    await collectAll(this.collected());
    const own = this.familiesByPipeline();
    return this.render({ own, foreign: this.foreignFamilies(), ...form });
  }

  /**
   * One metric as it stands in `metrics()`, without the line feed at its end, and without OpenMetrics' last line. It need not be registered.
   *
   * @throws What its `collect` throws.
   */
  async getMetricsAsString(metric: RegisteredMetric | ForeignMetric): Promise<string> {
    const own = new Map<Pipeline, number[]>();
    const foreign: ForeignFamily[] = [];
    if (isOwnMetric(metric)) {
      await collectAll([metric]);
      void metric.pipeline.producer;
      own.set(metric.pipeline, [metric.family.id]);
    } else {
      foreign.push(foreignFamily(String(metric.name), await metric.get()));
    }
    const { bytes } = await this.render({ own, foreign });
    return withoutEnd(textOf(bytes)).trimEnd();
  }

  /**
   * The same by name.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` when no metric has the name.
   */
  async getSingleMetricAsString(name: string): Promise<string> {
    const metric = this.entries.get(name)?.metric;
    if (metric === undefined) {
      throw new OffloopError('OFFLOOP_ERR_ARGUMENT', `name: no metric is registered as ${name}`);
    }
    return this.getMetricsAsString(metric);
  }

  /**
   * Brings the metrics up to date for a scrape.
   *
   * Never rejects, as one collector that fails would lose everybody else's numbers: its metric is shown with the values from before, the
   * failure is counted in `offloop_collect_errors_total` and reported to the logger. A collector that takes more than 5 s counts as
   * failed, and is not started again before it is done. The same holds for a foreign metric's `get()`.
   */
  async collectForScrape(): Promise<void> {
    await this.scrapeCollectors.run(this.collected());
  }

  /**
   * Puts a metric under its name. The same metric may be registered twice. Foreign ones are taken as prom-client takes them: by their shape.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC` when another one has the name; {TypeError} `OFFLOOP_ERR_ARGUMENT` for what is no
   *   metric; {OffloopError} `OFFLOOP_ERR_METRIC_CONFIG` for a foreign one called like one of the pipeline's own.
   */
  registerMetric(metric: RegisteredMetric | ForeignMetric | ForeignMetricObject): void {
    if (!isReadable(metric)) {
      throw new OffloopTypeError(
        'OFFLOOP_ERR_ARGUMENT',
        `metric must have a name and a function get, got ${showValue(metric)}`,
      );
    }
    // prom-client also takes an object whose name only its get() gives.
    const name = String(metric.name);
    if (this.entries.get(name)?.metric === metric) return;
    this.refuseDuplicate(name);
    if (isOwnMetric(metric)) {
      this.entries.set(name, { metric, reading: undefined });
      metric.pipeline.holdFamily(metric.family);
      return;
    }
    refusePipelineName(name);
    this.entries.set(name, { metric, reading: new ForeignReading(metric) });
  }

  /** @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC` when the name is taken. */
  refuseDuplicate(name: string): void {
    if (!this.entries.has(name)) return;
    throw new OffloopError('OFFLOOP_ERR_DUPLICATE_METRIC', takenName(name));
  }

  /** The metric of this name. Of prom-client's type, for code that is written for it: a foreign one is whatever was registered. */
  getSingleMetric<T extends string = string>(name: string): Metric<T> | undefined {
    return this.entries.get(name)?.metric as Metric<T> | undefined;
  }

  /** The metric of this name, where it is one of offloop. For pages. */
  ownMetric(name: string): RegisteredMetric | undefined {
    const entry = this.entries.get(name);
    return entry === undefined || entry.reading !== undefined ? undefined : entry.metric;
  }

  /** Takes a metric out; a new one may then have its name. */
  removeSingleMetric(name: string): void {
    const own = this.ownMetric(name);
    this.entries.delete(name);
    own?.pipeline.releaseFamily(own.family);
  }

  /** Takes every metric out, and the default labels. */
  clear(): void {
    for (const name of [...this.entries.keys()]) this.removeSingleMetric(name);
    this.labels = [];
  }

  /**
   * Resets every metric, in order with the records around the call: series with labels go, those without begin at zero.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_CATALOG_FULL` when memory has no room for a new series. All others are reset.
   */
  resetMetrics(): void {
    const refusals: unknown[] = [];
    for (const { metric } of this.entries.values()) {
      try {
        metric.reset?.();
      } catch (refusal) {
        refusals.push(refusal);
      }
    }
    if (refusals.length > 0) throw refusals[0];
  }

  /**
   * The metrics themselves, in order of registration.
   *
   * @param aggregator Only those with this one, as prom-client 0.16 has it. A metric without one has `sum`.
   */
  getMetricsAsArray(aggregator?: Aggregator | (string & {})): Metric[] {
    return [...this.entries.values()]
      .map(({ metric }) => metric as Metric)
      .filter((metric) => aggregator === undefined || (metric.aggregator ?? 'sum') === aggregator);
  }

  /**
   * Every metric with its samples, in prom-client's shape.
   *
   * @param aggregator Only those with this one.
   * @throws What a metric's `collect` throws.
   */
  async getMetricsAsJSON(
    aggregator?: Aggregator | (string & {}),
  ): Promise<MetricObjectWithValues<MetricValueWithName>[]> {
    const metrics: MetricObjectWithValues<MetricValueWithName>[] = await Promise.all(
      this.getMetricsAsArray(aggregator).map((metric) => metric.get()),
    );
    if (this.labels.length === 0) return metrics;
    const defaults = Object.fromEntries(this.labels);
    return metrics.map((metric) => ({
      ...metric,
      values: metric.values?.map((sample) => ({
        ...sample,
        labels: { ...sample.labels, ...defaults, ...sample.labels },
      })),
    }));
  }

  /** Catalog ids in order of registration; lays memory out. For pages. */
  familyIds(): number[] {
    void this.pipeline.producer;
    return this.ownMetrics()
      .filter((metric) => metric.pipeline === this.pipeline)
      .map((metric) => metric.family.id);
  }

  /** Families of the foreign metrics, as of when they were collected last. For pages. */
  foreignFamilies(): ForeignFamily[] {
    return [...this.entries.values()].flatMap(({ reading }) => reading?.family ?? []);
  }

  private ownMetrics(): RegisteredMetric[] {
    return [...this.entries.values()].flatMap(({ metric, reading }) =>
      reading === undefined ? metric : [],
    );
  }

  private collected(): Collected[] {
    return [...this.entries.values()].map(({ metric, reading }) => reading ?? metric);
  }

  private render(
    parts: Pick<RegistryPage, 'own' | 'foreign'> & Partial<PageForm>,
  ): Promise<Pick<Page, 'bytes' | 'encoding'>> {
    const isOpenMetrics = this.ownContentType === OPEN_METRICS_CONTENT_TYPE;
    return renderRegistry({
      home: this.pipeline,
      defaultLabels: this.labels,
      format: isOpenMetrics ? 'openMetrics' : 'text',
      encoding: 'identity',
      ...parts,
    });
  }

  private familiesByPipeline(): Map<Pipeline, number[]> {
    const families = new Map<Pipeline, number[]>();
    for (const metric of this.ownMetrics()) {
      void metric.pipeline.producer;
      const ids = families.get(metric.pipeline) ?? [];
      ids.push(metric.family.id);
      families.set(metric.pipeline, ids);
    }
    return families;
  }
}

function isContentType(contentType: string): contentType is RegistryContentType {
  return contentType === TEXT_CONTENT_TYPE || contentType === OPEN_METRICS_CONTENT_TYPE;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** The registry of this process, shared by all copies of this package like its pipeline. */
export const register: Registry = anchored('@offloop/core.register.1', () => new Registry());

/**
 * Content type of the global `register`: prom-client's `contentType`, as a binding that follows `register.setContentType()`. A module cannot let
 * others assign to it, as prom-client does.
 */
let globalContentType: RegistryContentType = register.contentType;

export { globalContentType as contentType };

function isReadable(
  metric: RegisteredMetric | ForeignMetric | ForeignMetricObject,
): metric is RegisteredMetric | ForeignMetric {
  return typeof (metric as Partial<ForeignMetric> | undefined)?.get === 'function';
}
