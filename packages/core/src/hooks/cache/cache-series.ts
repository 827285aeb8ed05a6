import type { Pipeline } from '../../engine/pipeline.js';
import { BoundSeries } from '../../instruments/bound-series.js';
import type { Registry } from '../../instruments/registry.js';
import { FamilyRole } from '../../layout/catalog.js';
import type { Recorder } from '../../record/recorder.js';
import type { HookFamilies, HookFamily } from '../hook-families.js';
import { familiesOf } from '../hook-table.js';

/** What is done with a cache, as the label `operation` names it. */
export type CacheOperation = 'get' | 'mget' | 'wrap' | 'has' | 'set' | 'delete' | 'clear';

/** Why a cache let go of a value, as the label `reason` names it. */
export type EvictionReason = 'capacity' | 'expired';

/** Seconds: from what memory takes to what a network takes when it is slow. */
const BOUNDS: readonly number[] = [
  0.000_01, 0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1,
];

/** The metrics of hooked caches. */
export const CACHE_FAMILIES = {
  hits: {
    type: 'counter',
    name: 'cache_hits_total',
    help: 'Look-ups that found a value.',
    labelNames: ['cache'],
    role: FamilyRole.cacheHits,
  },
  misses: {
    type: 'counter',
    name: 'cache_misses_total',
    help: 'Look-ups that found none.',
    labelNames: ['cache'],
    role: FamilyRole.cacheMisses,
  },
  evictions: {
    type: 'counter',
    name: 'cache_evictions_total',
    help: 'Values that the cache let go of by itself, where it tells.',
    labelNames: ['cache', 'reason'],
    role: FamilyRole.cacheEvictions,
  },
  errors: {
    type: 'counter',
    name: 'cache_errors_total',
    help: 'Calls that threw or rejected.',
    labelNames: ['cache', 'operation'],
    role: FamilyRole.cacheErrors,
  },
  duration: {
    type: 'histogram',
    name: 'cache_operation_duration_seconds',
    help: 'Duration of cache calls in seconds, to the end of the promise where there is one.',
    labelNames: ['cache', 'operation'],
    role: FamilyRole.cacheDuration,
    bounds: BOUNDS,
  },
} as const satisfies Record<string, HookFamily>;

type CacheFamilies = HookFamilies<keyof typeof CACHE_FAMILIES>;

/**
 * The cache metrics of a registry's pipeline, in the registry.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC`, `OFFLOOP_ERR_FAMILIES_FULL`, `OFFLOOP_ERR_CATALOG_FULL`.
 */
export function cacheFamilies(register: Registry): CacheFamilies {
  return familiesOf('cache', { register, definitions: CACHE_FAMILIES });
}

/** The series of one operation of a cache. */
export class OperationSeries {
  private readonly recorder: Recorder;
  private readonly record: Recorder['record'];
  private readonly duration: BoundSeries;
  private readonly errors: BoundSeries;

  constructor(of: {
    readonly recorder: Recorder;
    readonly duration: BoundSeries;
    readonly errors: BoundSeries;
  }) {
    this.recorder = of.recorder;
    this.record = of.recorder.record;
    this.duration = of.duration;
    this.errors = of.errors;
  }

  /** @param startedMs When the call began, by `performance.now()`. */
  done(startedMs: number): void {
    const nowMs = performance.now();
    this.recorder.stamp(nowMs);
    // A clock that goes back, as fake ones do, took no time.
    this.record(this.duration.id, nowMs > startedMs ? (nowMs - startedMs) / 1000 : 0);
  }

  failed(startedMs: number): void {
    this.done(startedMs);
    this.record(this.errors.id, 1);
  }
}

/** The series of one cache. Each is looked up once, when the cache is hooked. */
export class CacheSeries {
  private readonly families: CacheFamilies;
  private readonly recorder: Recorder;
  private readonly name: string;
  private readonly hits: BoundSeries;
  private readonly misses: BoundSeries;
  private readonly operations = new Map<CacheOperation, OperationSeries>();
  private readonly evictions = new Map<EvictionReason, BoundSeries>();

  constructor(families: CacheFamilies, name: string) {
    this.families = families;
    this.recorder = families.pipeline.producer.recorder;
    this.name = name;
    this.hits = new BoundSeries(families.families.hits, [name]);
    this.misses = new BoundSeries(families.families.misses, [name]);
    // From the start at zero, so that a rate over time has where to begin.
    void this.hits.id;
    void this.misses.id;
  }

  get pipeline(): Pipeline {
    return this.families.pipeline;
  }

  hit(): void {
    this.recorder.record(this.hits.id, 1);
  }

  missed(): void {
    this.recorder.record(this.misses.id, 1);
  }

  lookedUp(found: { readonly hits: number; readonly misses: number }): void {
    if (found.hits > 0) this.recorder.record(this.hits.id, found.hits);
    if (found.misses > 0) this.recorder.record(this.misses.id, found.misses);
  }

  evicted(reason: EvictionReason, count: number): void {
    const { evictions } = this.families.families;
    let series = this.evictions.get(reason);
    if (series === undefined) {
      series = new BoundSeries(evictions, [this.name, reason]);
      this.evictions.set(reason, series);
    }
    if (count > 0) this.recorder.record(series.id, count);
    // At zero, for a cache that tells of evictions and had none yet.
    else void series.id;
  }

  operation(operation: CacheOperation): OperationSeries {
    let series = this.operations.get(operation);
    if (series === undefined) {
      const { duration, errors } = this.families.families;
      series = new OperationSeries({
        recorder: this.recorder,
        duration: new BoundSeries(duration, [this.name, operation]),
        errors: new BoundSeries(errors, [this.name, operation]),
      });
      this.operations.set(operation, series);
    }
    return series;
  }
}
