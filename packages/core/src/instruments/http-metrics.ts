import type { Pipeline } from '../engine/pipeline.js';
import { FamilyKind, FamilyRole } from '../layout/catalog.js';
import { seriesBlock } from '../layout/catalog-reader.js';
import { createLiveCount } from '../record/live-value.js';
import type { Recorder } from '../record/recorder.js';
import type { CatalogWriter } from './catalog-writer.js';
import type { Family } from './family.js';
import { sampledWindowOf, sliceTicksFor, windowOf } from './family-window.js';
import { familyDefaults, HttpFamilies, refuseTakenNames, registerFamily } from './http-families.js';
import type { Registry } from './registry.js';

/** Labels of the HTTP families, in this order. */
export const HTTP_LABEL_NAMES: readonly string[] = ['method', 'route', 'status_code'];

/** How HTTP requests are shown. */
export interface HttpMetricsOptions {
  /**
   * Whether durations and counts by method, route and status are on no page, as families with other labels show the requests there. Snapshots
   * need them all the same. Default `false`.
   */
  readonly isRelabelled?: boolean;
}

/**
 * The metrics of HTTP requests: `http_requests_total`, `http_request_duration_seconds` and `http_requests_in_flight`, or what the options
 * call them.
 *
 * In flight is a live value, written in place: a dropped record could leave a gauge wrong for ever.
 */
export class HttpMetrics {
  private readonly duration: Family;
  private readonly recordAt: Recorder['recordAt'];
  private readonly catalog: CatalogWriter;
  private readonly addInFlight: (difference: 1 | -1) => void;

  /** @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC`; of a refused name nothing is left running. */
  constructor(
    pipeline: Pipeline,
    registry: Registry,
    { isRelabelled = false }: HttpMetricsOptions = {},
  ) {
    const { metricNames } = pipeline.plannedOptions;
    const { requests, duration, inFlight: inFlightNames } = metricNames;
    refuseTakenNames(registry, [...requests, ...duration, ...inFlightNames]);
    // Only now is memory laid out and the engine started.
    const { producer, options } = pipeline;
    this.duration = new HttpFamilies(pipeline, registry, {
      names: isRelabelled ? { requests: [], duration: [] } : { requests, duration },
      labelNames: HTTP_LABEL_NAMES,
      role: FamilyRole.httpDuration,
      window:
        options.estimator === 'reservoir'
          ? sampledWindowOf(options.window.seconds, options.reservoir.capacity)
          : windowOf(options.window.seconds),
    }).duration;
    const [name = 'http_requests_in_flight', ...others] = inFlightNames;
    const level = {
      ...familyDefaults(name, 'HTTP requests being answered.'),
      kind: FamilyKind.liveGauge,
    };
    const inFlight = pipeline.defineFamily({ ...level, role: FamilyRole.httpInFlight });
    const aliases = others.map((each) =>
      pipeline.defineFamily({ ...level, name: each, source: inFlight.id }),
    );
    // A level is what it is: resetting it would leave it wrong.
    const reset = (): void => {};
    const shown = inFlightNames.length === 0 ? [] : [inFlight, ...aliases];
    for (const family of shown)
      registerFamily({ pipeline, registry, family, type: 'gauge', reset });
    this.recordAt = producer.recorder.recordAt;
    this.catalog = producer.catalog;
    const { segment } = producer;
    this.addInFlight = createLiveCount(segment, seriesBlock(segment, inFlight.onlySeries));
  }

  /** Changes the length of the window, seconds: from its next slice on. */
  setWindow(seconds: number): void {
    this.catalog.setSliceTicks(this.duration.id, sliceTicksFor(seconds));
  }

  /** Begins anew, where families with other labels are reset. */
  reset(): void {
    this.duration.reset();
  }

  /** Moves when ids that were found before may have lost their series: `resetMetrics()` takes them all. */
  get seriesEpoch(): number {
    return this.duration.epoch;
  }

  /** Series of a finished request. Not for the request path's steady state: callers keep the id. */
  seriesIdOf(method: string, route: string, statusCode: string): number {
    return this.duration.seriesByValues([method, route, statusCode]);
  }

  /**
   * Records a finished request and publishes it, so that a request answered before the loop is blocked is counted meanwhile.
   *
   * @param endedMs When it ended, by `performance.now()`: the window's time.
   * @returns       `false` when the ring is full: the record is dropped, and counted.
   */
  record(seriesId: number, durationSeconds: number, endedMs: number = performance.now()): boolean {
    return this.recordAt(seriesId, durationSeconds, endedMs);
  }

  requestStarted(): void {
    this.addInFlight(1);
  }

  requestEnded(): void {
    this.addInFlight(-1);
  }
}
