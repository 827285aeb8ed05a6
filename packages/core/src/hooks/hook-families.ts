import { SKETCH_CELLS } from '../aggregate/sketch.js';
import type { Pipeline } from '../engine/pipeline.js';
import type { Family } from '../instruments/family.js';
import { sliceTicksFor, windowOf } from '../instruments/family-window.js';
import { familyDefaults, familyMetric } from '../instruments/http-families.js';
import type { RegisteredMetric } from '../instruments/registered-metric.js';
import type { Registry } from '../instruments/registry.js';
import { FamilyKind, type FamilyRole } from '../layout/catalog.js';

/** A metric that hooks feed. */
export interface HookFamily {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** What the snapshot finds it by; default: it shows nothing of it. */
  readonly role?: FamilyRole;
  /** Of a histogram, seconds. */
  readonly bounds?: readonly number[];
}

const KINDS = {
  counter: FamilyKind.counter,
  gauge: FamilyKind.liveGauge,
  histogram: FamilyKind.histogram,
} as const;

/**
 * The families of one kind of hook in one pipeline. Counters and histograms have a window, so that a snapshot can say how it is now.
 */
export class HookFamilies<Key extends string> {
  readonly families: Readonly<Record<Key, Family>>;
  readonly pipeline: Pipeline;
  /** What hooks share under a name, for those of another copy of this package as well. */
  readonly shared = new Map<string, unknown>();
  private readonly metrics: readonly RegisteredMetric[];

  /**
   * Lays memory out, and registers nothing.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_FAMILIES_FULL`, `OFFLOOP_ERR_CATALOG_FULL`.
   */
  constructor(pipeline: Pipeline, definitions: Readonly<Record<Key, HookFamily>>) {
    this.pipeline = pipeline;
    const { window } = pipeline.options;
    const defined = Object.entries<HookFamily>(definitions).map(([key, definition]) => {
      const { type, name, help, labelNames, role, bounds } = definition;
      const defaults = familyDefaults(name, help);
      const family = pipeline.defineFamily({
        ...defaults,
        kind: KINDS[type],
        role: role ?? defaults.role,
        labelNames,
        bounds: bounds ?? [],
        sketchCells: type === 'histogram' ? SKETCH_CELLS : 0,
        window: type === 'gauge' ? undefined : windowOf(window.seconds),
      });
      // A level is what it is: resetting it would leave it wrong.
      const reset = type === 'gauge' ? () => {} : () => family.reset();
      const metric = familyMetric({ pipeline, family, type, reset });
      return { key, family, metric };
    });
    this.families = Object.fromEntries(defined.map(({ key, family }) => [key, family])) as Record<
      Key,
      Family
    >;
    this.metrics = defined.map(({ metric }) => metric);
  }

  /** Puts the metrics into a registry; those that are in it already stay. */
  registerIn(register: Registry): void {
    for (const metric of this.metrics) register.registerMetric(metric);
  }

  /** Changes the length of the windows, seconds: from their next slice on. */
  setWindow(seconds: number): void {
    const { catalog } = this.pipeline.producer;
    for (const { entry, id } of Object.values<Family>(this.families)) {
      if (entry.window !== undefined) catalog.setSliceTicks(id, sliceTicksFor(seconds));
    }
  }
}

/**
 * Checked before anything is laid out: a refused name leaves no family behind.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC` where a metric of these names is in the registry that is not a hook's.
 */
export function refuseForeignHolders(
  register: Registry,
  definitions: Readonly<Record<string, HookFamily>>,
  known: HookFamilies<string> | undefined,
): void {
  const own = new Set(Object.values(known?.families ?? {}));
  for (const { name } of Object.values(definitions)) {
    const family = register.ownMetric(name)?.family;
    if (family === undefined || !own.has(family)) register.refuseDuplicate(name);
  }
}
