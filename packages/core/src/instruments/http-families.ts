import { SKETCH_CELLS } from '../aggregate/sketch.js';
import type { Pipeline } from '../engine/pipeline.js';
import { OffloopError } from '../errors.js';
import { FamilyKind, FamilyRole } from '../layout/catalog.js';
import type { FamilyEntry, FamilyWindow } from './catalog-writer.js';
import type { Family } from './family.js';
import { type MetricObjectWithValues, type MetricType, metricValues } from './metric-value.js';
import type { RegisteredMetric } from './registered-metric.js';
import { takenName } from './registered-metric.js';
import type { Registry } from './registry.js';

/** Names of the families of HTTP requests. Each may have several, all of which show the same series; with none it is on no page. */
export interface HttpFamilyNames {
  readonly requests: readonly string[];
  readonly duration: readonly string[];
}

/** One kind of labels for HTTP requests. */
export interface HttpFamiliesOptions {
  readonly names: HttpFamilyNames;
  readonly labelNames: readonly string[];
  /** Default: none. */
  readonly role?: FamilyRole;
  /** Default: none. */
  readonly window?: FamilyWindow;
  /** Called when they are reset, as by `resetMetrics()`. Default: nothing. */
  readonly onReset?: () => void;
}

/** What a family without a name on any page is called in the catalog. */
const UNSHOWN_NAME = 'http_request_duration_seconds';

/**
 * Durations and counts of HTTP requests under one set of label names.
 *
 * One record a request feeds both, under all their names: the counter shows the histogram's observation counts, and a further name shows the
 * first one's series. So none of them can disagree, and a name more costs a request nothing.
 */
export class HttpFamilies {
  /** Its series ids are what requests are recorded under. */
  readonly duration: Family;

  /** @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC`, with nothing defined then. */
  constructor(pipeline: Pipeline, registry: Registry, options: HttpFamiliesOptions) {
    const { names, labelNames, role = FamilyRole.none, window, onReset } = options;
    refuseTakenNames(registry, [...names.requests, ...names.duration]);
    const [name = UNSHOWN_NAME, ...others] = names.duration;
    const durationEntry = {
      ...familyDefaults(name, 'Duration of HTTP requests in seconds.'),
      kind: FamilyKind.histogram,
      labelNames,
      bounds: pipeline.options.http.bucketsMs.map((bound) => bound / 1000),
      sketchCells: SKETCH_CELLS,
    };
    this.duration = pipeline.defineFamily({ ...durationEntry, role, window });
    const source = this.duration.id;
    const requests = names.requests.map((each) =>
      pipeline.defineFamily({
        ...familyDefaults(each, 'HTTP requests answered, and aborted ones as status 499.'),
        kind: FamilyKind.observationCounter,
        labelNames,
        source,
      }),
    );
    const aliases = others.map((each) =>
      pipeline.defineFamily({ ...durationEntry, name: each, source }),
    );
    // All show the duration's series, and keep it while they are held.
    const reset = (): void => {
      this.duration.reset();
      onReset?.();
    };
    for (const family of requests)
      registerFamily({ pipeline, registry, family, type: 'counter', reset });
    const shown = names.duration.length === 0 ? [] : [this.duration, ...aliases];
    for (const family of shown)
      registerFamily({ pipeline, registry, family, type: 'histogram', reset });
  }
}

/** @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC` for a name that is registered, or is in the list twice. */
export function refuseTakenNames(registry: Registry, names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    registry.refuseDuplicate(name);
    if (names.indexOf(name) !== index)
      throw new OffloopError('OFFLOOP_ERR_DUPLICATE_METRIC', takenName(name));
  }
}

/** A family of offloop's own, of which the rest is still to be said. */
export function familyDefaults(name: string, help: string): FamilyEntry {
  return {
    kind: FamilyKind.counter,
    role: FamilyRole.none,
    name,
    help,
    labelNames: [],
    bounds: [],
    quantiles: [],
    sketchCells: 0,
    source: undefined,
  };
}

interface OwnFamily {
  readonly pipeline: Pipeline;
  readonly family: Family;
  readonly type: MetricType;
  readonly reset: () => void;
}

/** A family of offloop's own as registries hold it. */
export function familyMetric({ pipeline, family, type, reset }: OwnFamily): RegisteredMetric {
  const { name, help } = family.entry;
  return {
    name,
    help,
    type,
    aggregator: 'sum',
    family,
    pipeline,
    reset,
    get: async (): Promise<MetricObjectWithValues> => {
      const { families } = await pipeline.capture([family.id]);
      const values = families.flatMap(metricValues);
      return { name, help, type, values, aggregator: 'sum' };
    },
  };
}

/** Puts a family on the registry's page. */
export function registerFamily({
  registry,
  ...own
}: OwnFamily & { readonly registry: Registry }): void {
  registry.registerMetric(familyMetric(own));
}
