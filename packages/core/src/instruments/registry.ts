import type { Pipeline } from '../engine/pipeline.js';
import { processPipeline } from '../engine/process-pipeline.js';
import { OffloopError } from '../errors.js';
import { TEXT_CONTENT_TYPE } from '../exposition/text-format.js';
import type { Family } from './family.js';
import type { MetricObject } from './metric-value.js';

/** What a registry holds: a metric of offloop. */
export interface RegisteredMetric {
  readonly name: string;
  readonly family: Family;
  readonly pipeline: Pipeline;
  get(): Promise<MetricObject>;
}

/**
 * Metrics by name, in order of registration: prom-client's Registry. It holds names only; values live in the pipeline's memory.
 */
export class Registry {
  static readonly PROMETHEUS_CONTENT_TYPE = TEXT_CONTENT_TYPE;

  /** Where metrics that name this registry first keep their values. */
  readonly pipeline: Pipeline;
  readonly contentType: string = TEXT_CONTENT_TYPE;
  private readonly metricsByName = new Map<string, RegisteredMetric>();

  constructor(pipeline: Pipeline = processPipeline()) {
    this.pipeline = pipeline;
  }

  /** All metrics in the Prometheus text format, everything recorded before the call included. */
  async metrics(): Promise<string> {
    const pages: string[] = [];
    for (const [pipeline, families] of this.familiesByPipeline()) {
      const page = await pipeline.render({ families, includePipeline: false });
      pages.push(
        Buffer.from(page.bytes.buffer, page.bytes.byteOffset, page.bytes.byteLength).toString(
          'utf8',
        ),
      );
    }
    return pages.join('\n');
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
    this.metricsByName.delete(name);
  }

  /** Takes every metric out. */
  clear(): void {
    this.metricsByName.clear();
  }

  /** Every metric with its samples, in prom-client's shape. */
  async getMetricsAsJSON(): Promise<MetricObject[]> {
    return Promise.all([...this.metricsByName.values()].map((metric) => metric.get()));
  }

  /** Catalog ids in order of registration; lays memory out. For pages. */
  familyIds(): number[] {
    void this.pipeline.producer;
    return [...this.metricsByName.values()]
      .filter((metric) => metric.pipeline === this.pipeline)
      .map((metric) => metric.family.id);
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
