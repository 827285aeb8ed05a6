import { readCommitted } from '../aggregate/committed-read.js';
import { sliceTicksOf } from '../aggregate/rotation.js';
import { readingOf } from '../aggregate/segment-reading.js';
import { type WindowStart, windowStart } from '../aggregate/window-reading.js';
import { parseLabels } from '../instruments/label-text.js';
import { TOTAL_CURSOR } from '../layout/aggregates.js';
import { FamilyRole } from '../layout/catalog.js';
import {
  type CatalogFamily,
  findFamily,
  removalsOf,
  seriesBlock,
  seriesCountOf,
  seriesLabels,
  seriesOf,
} from '../layout/catalog-reader.js';
import { CLOCK_TICK, PRODUCER_CURSOR } from '../layout/control-block.js';
import { RECORD_CELLS_SHIFT, TICK_CELL } from '../layout/record.js';
import type { Segment } from '../layout/segment.js';
import { TICK_MS } from '../layout/windows.js';
import { readLoopWatch } from '../process/stall-reading.js';
import { readUtilization } from '../process/utilization-window.js';
import { readLiveValue } from '../record/live-value.js';
import { NO_CACHES, readCaches } from './cache-reading.js';
import { HookReader } from './hook-reading.js';
import { type PipelineTotals, readPipelineTotals } from './pipeline-totals.js';
import { ProcessReader } from './process-facts.js';
import { inMs, quotient } from './quotient.js';
import { readSamples, type Samples, sampleQuantiles, splitSamples } from './reservoir-reading.js';
import type { LatencySummary, RouteSnapshot, Snapshot } from './snapshot.js';
import { NO_WEBSOCKETS, readWebSockets } from './websocket-reading.js';
import { WindowSums } from './window-sums.js';

interface SeriesPlace {
  readonly id: number;
  readonly block: number;
  readonly isError: boolean;
}

interface Route {
  readonly method: string;
  readonly route: string;
  readonly series: SeriesPlace[];
}

/** What a snapshot is taken of, beside shared memory. */
export interface SnapshotState {
  readonly isLagMonitored: boolean;
  /** Of the producer's clock, as of now. Default: when it last published. */
  readonly nowTick?: number;
  /** Shares of `latencyQuantilesMs`, ascending. Default: the percentiles that have a name of their own. */
  readonly quantiles?: readonly number[];
}

const FIRST_SERVER_ERROR = 500;
const MS_PER_SECOND = 1_000;

/** The percentiles that have a name of their own. */
const NAMED = [0.5, 0.9, 0.95, 0.99] as const;

const NO_WINDOW: WindowStart = { slice: -1, spanMs: 0 };

type LagSummary = Pick<Snapshot['eventLoop'], 'avgLagMs' | 'p95LagMs' | 'p99LagMs' | 'maxLagMs'>;

const NO_LAG: LagSummary = { avgLagMs: null, p95LagMs: null, p99LagMs: null, maxLagMs: null };

const NO_LATENCIES: LatencySummary = {
  avgLatencyMs: null,
  p50LatencyMs: null,
  p90LatencyMs: null,
  p95LatencyMs: null,
  p99LatencyMs: null,
};

/**
 * Reads snapshots of one segment, on any thread, from shared memory alone. It remembers what the catalog says of each series, so
 * that a snapshot costs time in proportion to routes and not to requests.
 */
export class SnapshotReader {
  private readonly segment: Segment;
  private readonly facts = new ProcessReader();
  private readonly hooks: HookReader;
  private http: CatalogFamily | undefined;
  private lag: CatalogFamily | undefined;
  /** Requests in flight. */
  private level: CatalogFamily | undefined;
  private seriesCount = 0;
  private removalsSeen = 0;
  private readonly routes: Route[] = [];
  private readonly routesByKey = new Map<string, Route>();
  private all = new WindowSums(0);
  /** Of one route after the other. */
  private sums = new WindowSums(0);
  private boundNames: readonly string[] = [];
  private largestWhole: string | undefined;
  private readonly lagSums = new WindowSums(0);
  private readonly named = new Float64Array(NAMED.length);

  constructor(segment: Segment) {
    this.segment = segment;
    this.hooks = new HookReader(segment);
  }

  /** Reads one snapshot, as of one batch. */
  read(state: SnapshotState): Snapshot {
    this.learnSeries();
    const { segment, all } = this;
    const { quantiles = NAMED, nowTick = segment.control[CLOCK_TICK] as number } = state;
    let totals: PipelineTotals | undefined;
    let rows: RouteSnapshot[] = [];
    let start = NO_WINDOW;
    let latencies = NO_LATENCIES;
    let latencyQuantilesMs: Record<string, number | null> = {};
    let eventLoop = NO_LAG;
    let caches = NO_CACHES;
    let webSockets = NO_WEBSOCKETS;
    this.hooks.learn();
    readCommitted(segment, (aggregates) => {
      start = this.startOf(this.http, { aggregates, nowTick });
      const samples = this.http && readSamples(segment, this.http, { aggregates, nowTick });
      rows = this.readRoutes(aggregates, start, samples);
      latencies = this.latenciesOf(all, samples);
      latencyQuantilesMs = this.quantilesMs(quantiles, samples);
      eventLoop = this.readLag(aggregates, nowTick);
      caches = readCaches(this.hooks, { aggregates, nowTick });
      webSockets = readWebSockets(this.hooks, { aggregates, nowTick });
      totals = readPipelineTotals(segment, aggregates);
    });
    const { window, lifetime } = all;
    return {
      takenAt: new Date().toISOString(),
      ageMs: this.ageMs(nowTick),
      totalRequests: lifetime.requests,
      errorRate: quotient(window.errors, window.requests),
      // Field by field, for the reason that the rows have.
      avgLatencyMs: latencies.avgLatencyMs,
      p50LatencyMs: latencies.p50LatencyMs,
      p90LatencyMs: latencies.p90LatencyMs,
      p95LatencyMs: latencies.p95LatencyMs,
      p99LatencyMs: latencies.p99LatencyMs,
      requestsInFlight: this.inFlight(),
      latencyHistogram: this.histogram(),
      latencyQuantilesMs,
      window: {
        seconds: this.windowSeconds(),
        spanSeconds: start.spanMs / MS_PER_SECOND,
        requests: window.requests,
        errors: window.errors,
        requestsPerSecond: quotient(window.requests, start.spanMs / MS_PER_SECOND),
      },
      lifetime: {
        errors: lifetime.errors,
        errorRate: quotient(lifetime.errors, lifetime.requests),
        avgLatencyMs: quotient(lifetime.seconds * MS_PER_SECOND, lifetime.requests),
      },
      cache: caches,
      eventLoop: {
        ...eventLoop,
        utilization: readUtilization(segment) ?? null,
        monitoringActive: state.isLagMonitored,
        ...readLoopWatch(segment),
      },
      websocket: webSockets,
      process: this.facts.read(),
      routes: rows,
      pipeline: totals as PipelineTotals,
    };
  }

  private startOf(
    family: CatalogFamily | undefined,
    at: { readonly aggregates: Float64Array; readonly nowTick: number },
  ): WindowStart {
    if (family === undefined) return NO_WINDOW;
    return windowStart(this.segment, family, at) ?? NO_WINDOW;
  }

  private readRoutes(
    aggregates: Float64Array,
    start: WindowStart,
    samples: Samples | undefined,
  ): RouteSnapshot[] {
    const { all, sums } = this;
    const sampled = samples && this.splitByRoute(samples);
    const slices = this.http?.window?.slices ?? 0;
    const reading = readingOf(this.segment, aggregates);
    const rows: RouteSnapshot[] = [];
    all.reset();
    for (let index = 0; index < this.routes.length; index++) {
      const route = this.routes[index] as Route;
      sums.reset();
      for (const { block, isError } of route.series)
        sums.addSeries(reading, { block, isError, start, slices });
      if (sums.lifetime.requests === 0) continue;
      writeQuantiles(sums, sampled?.[index], { shares: NAMED, into: this.named });
      rows.push(rowOf(route, { sums, named: this.named, spanMs: start.spanMs }));
      // After its quantiles: what has been counted for them need not be counted again.
      all.add(sums);
    }
    return rows;
  }

  private readLag(aggregates: Float64Array, nowTick: number): LagSummary {
    const { lag, lagSums, segment } = this;
    if (lag === undefined) return NO_LAG;
    lagSums.reset();
    const start = this.startOf(lag, { aggregates, nowTick });
    const slices = lag.window?.slices ?? 0;
    const reading = readingOf(segment, aggregates);
    for (const id of seriesOf(segment, lag.id)) {
      lagSums.addSeries(reading, {
        block: seriesBlock(segment, id),
        isError: false,
        start,
        slices,
      });
    }
    const { avgLatencyMs, p95LatencyMs, p99LatencyMs } = this.latenciesOf(lagSums);
    const { maximum } = lagSums;
    return {
      avgLagMs: avgLatencyMs,
      p95LagMs: p95LatencyMs,
      p99LagMs: p99LatencyMs,
      maxLagMs: maximum === undefined ? null : maximum * MS_PER_SECOND,
    };
  }

  private windowSeconds(): number {
    const { http, segment } = this;
    if (http?.window === undefined) return 0;
    return (http.window.slices * sliceTicksOf(segment, http.id) * TICK_MS) / MS_PER_SECOND;
  }

  private splitByRoute(samples: Samples): Samples[] {
    const { routes } = this;
    const routeOf = new Map(
      routes.flatMap(({ series }, index) => series.map(({ id }) => [id, index] as const)),
    );
    return splitSamples(samples, { count: routes.length, of: (id) => routeOf.get(id) });
  }

  private latenciesOf(sums: WindowSums, samples?: Samples): LatencySummary {
    const { named } = this;
    writeQuantiles(sums, samples, { shares: NAMED, into: named });
    const { requests, seconds } = sums.window;
    return {
      avgLatencyMs: quotient(seconds * MS_PER_SECOND, requests),
      p50LatencyMs: inMs(named[0]),
      p90LatencyMs: inMs(named[1]),
      p95LatencyMs: inMs(named[2]),
      p99LatencyMs: inMs(named[3]),
    };
  }

  /** Those of all requests. To be called after `latenciesOf` all, which leaves the percentiles that have a name. */
  private quantilesMs(
    shares: readonly number[],
    samples: Samples | undefined,
  ): Record<string, number | null> {
    const { all, named } = this;
    const isNamed = shares.every((share) => NAMED.includes(share as (typeof NAMED)[number]));
    const values = isNamed ? named : new Float64Array(shares.length);
    if (!isNamed) writeQuantiles(all, samples, { shares, into: values });
    const quantilesMs: Record<string, number | null> = {};
    for (const [index, share] of shares.entries()) {
      const at = isNamed ? NAMED.indexOf(share as (typeof NAMED)[number]) : index;
      quantilesMs[String(share)] = inMs(values[at]);
    }
    return quantilesMs;
  }

  /** Takes in the series that have come since the last snapshot. */
  private learnSeries(): void {
    const { segment } = this;
    if (this.http === undefined) {
      this.http = findFamily(segment, FamilyRole.httpDuration);
      if (this.http !== undefined) {
        this.all = new WindowSums(this.http.bounds.length);
        this.sums = new WindowSums(this.http.bounds.length);
        // Bounds are kept in seconds; rounding takes back what the conversion added.
        this.boundNames = this.http.bounds.map((bound) =>
          String(Number((bound * MS_PER_SECOND).toPrecision(12))),
        );
        this.largestWhole = this.boundNames.findLast(isElement);
      }
    }
    this.lag ??= findFamily(segment, FamilyRole.loopLag);
    if (this.http === undefined) return;
    const removals = removalsOf(segment, this.http.id);
    if (removals !== this.removalsSeen) {
      this.removalsSeen = removals;
      this.seriesCount = 0;
      this.routes.length = 0;
      this.routesByKey.clear();
    }
    if (seriesCountOf(segment, this.http.id) === this.seriesCount) return;
    const ids = seriesOf(segment, this.http.id);
    for (; this.seriesCount < ids.length; this.seriesCount++) {
      const id = ids[this.seriesCount] as number;
      const {
        method = '',
        route = '',
        status_code: status = '',
      } = parseLabels(seriesLabels(segment, id));
      this.routeOf(method, route).series.push({
        id,
        block: seriesBlock(segment, id),
        isError: Number(status) >= FIRST_SERVER_ERROR,
      });
    }
  }

  private routeOf(method: string, route: string): Route {
    // A method holds no space, so this joins without merging.
    const key = `${method} ${route}`;
    let known = this.routesByKey.get(key);
    if (known === undefined) {
      known = { method, route, series: [] };
      this.routesByKey.set(key, known);
      this.routes.push(known);
    }
    return known;
  }

  private histogram(): Record<string, number> {
    const histogram: Record<string, number> = {};
    const { buckets } = this.all;
    // Whole numbers are an object's elements, and stand in order of size anyhow. The largest first tells V8 that they are sparse, which it
    // would notice after it had copied them into arrays of some thousands: 1.4 µs and not 7.
    if (this.largestWhole !== undefined) histogram[this.largestWhole] = 0;
    let cumulative = 0;
    for (let bucket = 0; bucket < buckets.length; bucket++) {
      cumulative += buckets[bucket] as number;
      histogram[this.boundNames[bucket] ?? '+Inf'] = cumulative;
    }
    return histogram;
  }

  private inFlight(): number {
    const { segment } = this;
    this.level ??= findFamily(segment, FamilyRole.httpInFlight);
    if (this.level === undefined) return 0;
    const [id] = seriesOf(segment, this.level.id);
    return id === undefined ? 0 : readLiveValue(segment, seriesBlock(segment, id));
  }

  /** By the tick of the oldest record in the ring. Its slot may be written anew meanwhile, which shows a younger one. */
  private ageMs(nowTick: number): number {
    const { control, aggregates, ringCells, sizes } = this.segment;
    const cursor = (aggregates[TOTAL_CURSOR] as number) | 0;
    if (Atomics.load(control, PRODUCER_CURSOR) === cursor) return 0;
    const slot = cursor & (sizes.capacityRecords - 1);
    const tick = ringCells[(slot << RECORD_CELLS_SHIFT) + TICK_CELL] as number;
    return Math.max(0, nowTick - tick) * TICK_MS;
  }
}

/** Whether a property of that name is one of an object's elements. */
function isElement(name: string): boolean {
  return Number.isInteger(Number(name)) && Number(name) < 2 ** 32 - 1;
}

/** Field by field, and not spread, which takes longer than to count. */
function rowOf(
  { method, route }: Route,
  of: { readonly sums: WindowSums; readonly named: Float64Array; readonly spanMs: number },
): RouteSnapshot {
  const { sums, named, spanMs } = of;
  const { window, lifetime } = sums;
  return {
    method,
    route,
    requests: lifetime.requests,
    errors: lifetime.errors,
    errorRate: quotient(window.errors, window.requests),
    avgLatencyMs: quotient(window.seconds * MS_PER_SECOND, window.requests),
    p50LatencyMs: inMs(named[0]),
    p90LatencyMs: inMs(named[1]),
    p95LatencyMs: inMs(named[2]),
    p99LatencyMs: inMs(named[3]),
    window: {
      requests: window.requests,
      errors: window.errors,
      requestsPerSecond: quotient(window.requests, spanMs / MS_PER_SECOND),
    },
  };
}

/** Writes the values below which shares of the observations lie: by the samples where there is a reservoir, else by the sketch. */
function writeQuantiles(
  sums: WindowSums,
  samples: Samples | undefined,
  { shares, into }: { readonly shares: readonly number[]; readonly into: Float64Array },
): void {
  if (samples === undefined) sums.quantiles(shares, into);
  else sampleQuantiles(samples, shares, into);
}
