import { SKETCH_CELLS } from '../aggregate/sketch.js';
import type { Pipeline } from '../engine/pipeline.js';
import { FamilyKind, FamilyRole } from '../layout/catalog.js';
import { seriesBlock } from '../layout/catalog-reader.js';
import type { Segment } from '../layout/segment.js';
import { writeLiveCount } from '../record/live-value.js';
import type { Recorder } from '../record/recorder.js';
import type { CatalogWriter, FamilyEntry } from './catalog-writer.js';
import type { Family } from './family.js';
import { sampledWindowOf, sliceTicksFor, windowOf } from './family-window.js';
import { type MetricObjectWithValues, type MetricType, metricValues } from './metric-value.js';
import type { Registry } from './registry.js';

/** Labels of the HTTP families, in this order. */
export const HTTP_LABEL_NAMES: readonly string[] = ['method', 'route', 'status_code'];

/**
 * The metrics of HTTP requests: `http_requests_total`, `http_request_duration_seconds` and `http_requests_in_flight`.
 *
 * One record a request feeds the first two: the counter shows the histogram's observation counts, so they cannot disagree. In flight
 * is a live value, written in place: a dropped record could leave a gauge wrong for ever.
 */
export class HttpMetrics {
  private readonly duration: Family;
  private readonly recorder: Recorder;
  private readonly catalog: CatalogWriter;
  private readonly segment: Segment;
  private readonly inFlightBlock: number;
  private inFlight = 0;

  constructor(pipeline: Pipeline, registry: Registry) {
    const names = [
      'http_requests_total',
      'http_request_duration_seconds',
      'http_requests_in_flight',
    ] as const;
    for (const name of names) registry.refuseDuplicate(name);
    // Only now is memory laid out and the engine started: a refused name leaves nothing running.
    const { producer, options } = pipeline;
    this.duration = pipeline.defineFamily({
      ...familyDefaults(names[1], 'Duration of HTTP requests in seconds.'),
      kind: FamilyKind.histogram,
      role: FamilyRole.httpDuration,
      labelNames: HTTP_LABEL_NAMES,
      bounds: options.http.bucketsMs.map((bound) => bound / 1000),
      sketchCells: SKETCH_CELLS,
      window:
        options.estimator === 'reservoir'
          ? sampledWindowOf(options.window.seconds, options.reservoir.capacity)
          : windowOf(options.window.seconds),
    });
    const total = pipeline.defineFamily({
      ...familyDefaults(names[0], 'HTTP requests answered, and aborted ones as status 499.'),
      kind: FamilyKind.observationCounter,
      labelNames: HTTP_LABEL_NAMES,
      source: this.duration.id,
    });
    const inFlight = pipeline.defineFamily({
      ...familyDefaults(names[2], 'HTTP requests being answered.'),
      kind: FamilyKind.liveGauge,
      role: FamilyRole.httpInFlight,
    });
    // Both show the duration's series, and keep it while they are held. A level is what it is: resetting it would leave it wrong.
    const reset = (): void => this.duration.reset();
    for (const part of [
      { type: 'counter', family: total },
      { type: 'histogram', family: this.duration, reset },
      { type: 'gauge', family: inFlight, reset: () => {} },
    ] as const) {
      registry.registerMetric(familyMetric({ pipeline, reset, ...part }));
    }
    this.recorder = producer.recorder;
    this.catalog = producer.catalog;
    this.segment = producer.segment;
    this.inFlightBlock = seriesBlock(producer.segment, inFlight.onlySeries);
  }

  /** Changes the length of the window, seconds: from its next slice on. */
  setWindow(seconds: number): void {
    this.catalog.setSliceTicks(this.duration.id, sliceTicksFor(seconds));
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
    const { recorder } = this;
    recorder.stamp(endedMs);
    const isRecorded = recorder.record(seriesId, durationSeconds);
    recorder.publish();
    return isRecorded;
  }

  requestStarted(): void {
    writeLiveCount(this.segment, this.inFlightBlock, ++this.inFlight);
  }

  requestEnded(): void {
    writeLiveCount(this.segment, this.inFlightBlock, --this.inFlight);
  }
}

function familyDefaults(name: string, help: string): FamilyEntry {
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

function familyMetric(of: {
  readonly pipeline: Pipeline;
  readonly family: Family;
  readonly type: MetricType;
  readonly reset: () => void;
}) {
  const { pipeline, family, type, reset } = of;
  const { name, help } = family.entry;
  return {
    name,
    help,
    type,
    aggregator: 'sum' as const,
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
