import type { Pipeline } from '../engine/pipeline.js';
import { processPipeline } from '../engine/process-pipeline.js';
import { OffloopError, OffloopTypeError } from '../errors.js';
import type { DefaultLabels } from '../exposition/default-labels.js';
import { OPEN_METRICS_CONTENT_TYPE, OPEN_METRICS_END } from '../exposition/open-metrics-format.js';
import { TEXT_CONTENT_TYPE } from '../exposition/text-format.js';
import { COLLECT_ERRORS } from '../layout/control-block.js';
import { addToWideCounter } from '../layout/wide-counter.js';
import { type Collected, collectAll } from './collector.js';
import type { Family, LabelSet } from './family.js';
import { validateLabelName } from './metric-configuration.js';
import type { MetricObject } from './metric-value.js';
import { ScrapeCollectors } from './scrape-collectors.js';

/** What a registry holds: a metric of offloop. */
export interface RegisteredMetric extends Collected {
  readonly family: Family;
  readonly pipeline: Pipeline;
  get(): Promise<MetricObject>;
  reset(): void;
}

/**
 * Metrics by name, in order of registration: prom-client's Registry. It holds names only; values live in the pipeline's memory.
 */
export class Registry {
  static readonly PROMETHEUS_CONTENT_TYPE = TEXT_CONTENT_TYPE;
  static readonly OPENMETRICS_CONTENT_TYPE = OPEN_METRICS_CONTENT_TYPE;

  /** Where metrics that name this registry first keep their values. */
  readonly pipeline: Pipeline;
  private readonly metricsByName = new Map<string, RegisteredMetric>();
  private readonly scrapeCollectors = new ScrapeCollectors(() =>
    addToWideCounter(this.pipeline.producer.segment.control, COLLECT_ERRORS, 1),
  );
  private labels: DefaultLabels = [];
  private ownContentType = TEXT_CONTENT_TYPE;

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
  static merge(registers: readonly Registry[]): Registry {
    const [first] = registers;
    if (registers.some(({ contentType }) => contentType !== first?.contentType)) {
      throw new OffloopError(
        'OFFLOOP_ERR_ARGUMENT',
        'Registers can only be merged if they have the same content type',
      );
    }
    const merged = new Registry(first?.pipeline);
    if (first !== undefined) merged.setContentType(first.contentType);
    for (const metric of registers.flatMap((registry) => registry.getMetricsAsArray()))
      merged.registerMetric(metric);
    return merged;
  }

  /**
   * @param home The pipeline of its metrics, by default the process's; or prom-client's argument, the content type.
   * @throws {TypeError} `OFFLOOP_ERR_ARGUMENT` for a content type that is none of the two statics.
   */
  constructor(home: Pipeline | string = processPipeline()) {
    if (typeof home !== 'string') {
      this.pipeline = home;
      return;
    }
    if (!isContentType(home)) {
      throw new OffloopTypeError('OFFLOOP_ERR_ARGUMENT', `Content type ${home} is unsupported`);
    }
    this.ownContentType = home;
    this.pipeline = processPipeline();
  }

  /** Content type of `metrics()` and of single metrics as text. A scrape's page has the format that its client asks for. */
  get contentType(): string {
    return this.ownContentType;
  }

  /** @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` for a content type that is none of the two statics. */
  setContentType(contentType: string): void {
    if (!isContentType(contentType)) {
      throw new OffloopError('OFFLOOP_ERR_ARGUMENT', `Content type ${contentType} is unsupported`);
    }
    this.ownContentType = contentType;
  }

  /**
   * Labels that pages and JSON add to every sample of this registry, in place of those set before. A label that a sample has itself stays
   * its own. They belong to the page: recording is as it was.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_LABELS` for a name that no page can show.
   */
  setDefaultLabels(labels: LabelSet): void {
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
    await collectAll(this.metricsByName.values());
    const pages: string[] = [];
    for (const [pipeline, families] of this.familiesByPipeline())
      pages.push(await this.renderFamilies(pipeline, families));
    return this.isOpenMetrics ? `${pages.join('')}${OPEN_METRICS_END}` : pages.join('\n');
  }

  /**
   * One metric as it stands in `metrics()`, without the line feed at its end, and without OpenMetrics' last line.
   *
   * @throws What its `collect` throws.
   */
  async getMetricsAsString(metric: RegisteredMetric): Promise<string> {
    await collectAll([metric]);
    void metric.pipeline.producer;
    return (await this.renderFamilies(metric.pipeline, [metric.family.id])).trimEnd();
  }

  /**
   * The same by name.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` when no metric has the name.
   */
  async getSingleMetricAsString(name: string): Promise<string> {
    const metric = this.metricsByName.get(name);
    if (metric === undefined) {
      throw new OffloopError('OFFLOOP_ERR_ARGUMENT', `name: no metric is registered as ${name}`);
    }
    return this.getMetricsAsString(metric);
  }

  /**
   * Brings the metrics up to date for a scrape.
   *
   * Never rejects, as one collector that fails would lose everybody else's numbers: its metric is shown with the values from before, the
   * failure is counted in `offloop_collect_errors_total` and reported as a process warning. A collector that takes more than 5 s counts as
   * failed, and is not started again before it is done.
   */
  async collectForScrape(): Promise<void> {
    await this.scrapeCollectors.run([...this.metricsByName.values()]);
  }

  /**
   * Puts a metric under its name. The same metric may be registered twice.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC` when another one has the name.
   */
  registerMetric(metric: RegisteredMetric): void {
    if (this.metricsByName.get(metric.name) === metric) return;
    this.refuseDuplicate(metric.name);
    this.metricsByName.set(metric.name, metric);
    metric.pipeline.holdFamily(metric.family);
  }

  /** @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC` when the name is taken. */
  refuseDuplicate(name: string): void {
    if (!this.metricsByName.has(name)) return;
    throw new OffloopError(
      'OFFLOOP_ERR_DUPLICATE_METRIC',
      `A metric with the name ${name} has already been registered.`,
    );
  }

  getSingleMetric(name: string): RegisteredMetric | undefined {
    return this.metricsByName.get(name);
  }

  /** Takes a metric out; a new one may then have its name. */
  removeSingleMetric(name: string): void {
    const metric = this.metricsByName.get(name);
    if (metric === undefined) return;
    this.metricsByName.delete(name);
    metric.pipeline.releaseFamily(metric.family);
  }

  /** Takes every metric out, and the default labels. */
  clear(): void {
    for (const name of [...this.metricsByName.keys()]) this.removeSingleMetric(name);
    this.labels = [];
  }

  /**
   * Resets every metric, in order with the records around the call: series with labels go, those without begin at zero.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_CATALOG_FULL` when memory has no room for a new series.
   */
  resetMetrics(): void {
    for (const metric of this.metricsByName.values()) metric.reset();
  }

  /** The metrics themselves, in order of registration. */
  getMetricsAsArray(): RegisteredMetric[] {
    return [...this.metricsByName.values()];
  }

  /**
   * Every metric with its samples, in prom-client's shape.
   *
   * @throws What a metric's `collect` throws.
   */
  async getMetricsAsJSON(): Promise<MetricObject[]> {
    const metrics = await Promise.all(this.getMetricsAsArray().map((metric) => metric.get()));
    if (this.labels.length === 0) return metrics;
    const defaults = Object.fromEntries(this.labels);
    return metrics.map((metric) => ({
      ...metric,
      values: metric.values.map((sample) => ({
        ...sample,
        labels: { ...sample.labels, ...defaults, ...sample.labels },
      })),
    }));
  }

  /** Catalog ids in order of registration; lays memory out. For pages. */
  familyIds(): number[] {
    void this.pipeline.producer;
    return [...this.metricsByName.values()]
      .filter((metric) => metric.pipeline === this.pipeline)
      .map((metric) => metric.family.id);
  }

  private get isOpenMetrics(): boolean {
    return this.ownContentType === OPEN_METRICS_CONTENT_TYPE;
  }

  /** Without OpenMetrics' last line, as pages of several pipelines become one. */
  private async renderFamilies(pipeline: Pipeline, families: number[]): Promise<string> {
    const { isOpenMetrics } = this;
    const { bytes } = await pipeline.render({
      families,
      includePipeline: false,
      defaultLabels: this.labels,
      format: isOpenMetrics ? 'openMetrics' : 'text',
    });
    const length = bytes.byteLength - (isOpenMetrics ? OPEN_METRICS_END.length : 0);
    return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('utf8');
  }

  private familiesByPipeline(): Map<Pipeline, number[]> {
    const families = new Map<Pipeline, number[]>();
    for (const metric of this.metricsByName.values()) {
      void metric.pipeline.producer;
      const ids = families.get(metric.pipeline) ?? [];
      ids.push(metric.family.id);
      families.set(metric.pipeline, ids);
    }
    return families;
  }
}

function isContentType(contentType: string): boolean {
  return contentType === TEXT_CONTENT_TYPE || contentType === OPEN_METRICS_CONTENT_TYPE;
}

const ANCHOR = Symbol.for('@offloop/core.register.1');

/** The registry of this process, shared by all copies of this package like its pipeline. */
export const register: Registry = processRegistry();

function processRegistry(): Registry {
  const anchored = globalThis as unknown as Record<symbol, Registry | undefined>;
  const existing = anchored[ANCHOR];
  if (existing !== undefined) return existing;
  const created = new Registry();
  Object.defineProperty(globalThis, ANCHOR, {
    value: created,
    configurable: true,
    enumerable: false,
    writable: true,
  });
  return created;
}
