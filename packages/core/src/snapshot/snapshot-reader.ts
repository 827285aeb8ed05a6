import { readCommitted, readUndisturbed } from '../aggregate/committed-read.js';
import { sliceTicksOf } from '../aggregate/rotation.js';
import { NOTHING_BEFORE, type WindowStart, windowStart } from '../aggregate/window-reading.js';
import { TOTAL_CURSOR } from '../layout/aggregates.js';
import { FamilyRole } from '../layout/catalog.js';
import { type CatalogFamily, findFamily, seriesBlock, seriesOf } from '../layout/catalog-reader.js';
import { CLOCK_TICK, PRODUCER_CURSOR } from '../layout/control-block.js';
import { RECORD_CELLS_SHIFT, TICK_CELL } from '../layout/record.js';
import type { Segment } from '../layout/segment.js';
import { TICK_MS } from '../layout/windows.js';
import { readLoopWatch } from '../process/stall-reading.js';
import { readUtilization } from '../process/utilization-window.js';
import { readLiveValue } from '../record/live-value.js';
import { NO_CACHES, readCaches } from './cache-reading.js';
import { addFamily } from './family-sums.js';
import { HookReader } from './hook-reading.js';
import { IsoClock } from './iso-clock.js';
import { type PipelineTotals, readPipelineTotals } from './pipeline-totals.js';
import { ProcessReader } from './process-facts.js';
import { inMs, quotient } from './quotient.js';
import { noteRead } from './read-ahead.js';
import { readSamples } from './reservoir-reading.js';
import { NAMED } from './route.js';
import { RouteReader } from './route-reading.js';
import type { LatencySummary, Snapshot } from './snapshot.js';
import { NO_WEBSOCKETS, readWebSockets } from './websocket-reading.js';
import { WindowSums } from './window-sums.js';

/** What a snapshot is taken of, beside shared memory. */
export interface SnapshotState {
  readonly isLagMonitored: boolean;
  /** Of the producer's clock, as of now. Default: when it last published. */
  readonly nowTick?: number;
  /** Shares of `latencyQuantilesMs`, ascending. Default: the percentiles that have a name of their own. */
  readonly quantiles?: readonly number[];
}

const MS_PER_SECOND = 1_000;

const NO_WINDOW: WindowStart = { slice: NOTHING_BEFORE, tick: 0, spanMs: 0 };

type LagSummary = Pick<Snapshot['eventLoop'], 'avgLagMs' | 'p95LagMs' | 'p99LagMs' | 'maxLagMs'>;

const NO_LAG: LagSummary = { avgLagMs: null, p95LagMs: null, p99LagMs: null, maxLagMs: null };

/**
 * Reads snapshots of one segment, on any thread, from shared memory alone. It remembers what the catalog says of each series, so
 * that a snapshot costs time in proportion to routes and not to requests.
 */
export class SnapshotReader {
  private readonly segment: Segment;
  private readonly clock = new IsoClock();
  private readonly facts = new ProcessReader();
  private readonly hooks: HookReader;
  private readonly routes: RouteReader;
  private lag: CatalogFamily | undefined;
  /** Requests in flight. */
  private level: CatalogFamily | undefined;
  /** Keys of the histogram, `+Inf` not among them. */
  private boundNames: readonly (string | number)[] = [];
  private largestWhole: number | undefined;
  private sharesNamed: readonly number[] = [];
  private shareNames: readonly string[] = [];
  private readonly lagSums = new WindowSums(0);
  private readonly wantsReadAhead: boolean;

  /** @param options.wantsReadAhead Whether the pool thread is to read ahead for it: for main's, and no other of the segment. Default `false`. */
  constructor(segment: Segment, options: { readonly wantsReadAhead?: boolean } = {}) {
    this.segment = segment;
    this.wantsReadAhead = options.wantsReadAhead ?? false;
    this.hooks = new HookReader(segment);
    this.routes = new RouteReader(segment);
  }

  /** Reads one snapshot, as of one batch. */
  read(state: SnapshotState): Snapshot {
    return readUndisturbed(this.segment, () => this.readOnce(state));
  }

  private readOnce(state: SnapshotState): Snapshot {
    this.learn();
    const { segment, routes } = this;
    const { quantiles = NAMED, nowTick = segment.control[CLOCK_TICK] as number } = state;
    let totals: PipelineTotals | undefined;
    let start = NO_WINDOW;
    let eventLoop = NO_LAG;
    let caches = NO_CACHES;
    let webSockets = NO_WEBSOCKETS;
    this.hooks.learn();
    const isOfOneBatch = readCommitted(segment, (aggregates) => {
      const { family } = routes;
      start = this.startOf(family, { aggregates, nowTick });
      const samples = family && readSamples(segment, family, { aggregates, nowTick });
      routes.read({ aggregates, start, samples, shares: quantiles });
      eventLoop = this.readLag(aggregates, nowTick);
      caches = readCaches(this.hooks, { aggregates, nowTick });
      webSockets = readWebSockets(this.hooks, { aggregates, nowTick });
      totals = readPipelineTotals(segment, aggregates);
    });
    if (isOfOneBatch) routes.confirm();
    if (this.wantsReadAhead) noteRead(segment, quantiles);
    const { window, lifetime } = routes.all;
    const latencies = latenciesOf(routes.all, routes.named);
    const loop = readLoopWatch(segment);
    return {
      takenAt: this.clock.now(),
      ageMs: this.ageMs(nowTick),
      totalRequests: lifetime.requests,
      errorRate: quotient(window.errors, window.requests),
      // Field by field, here and below, for the reason that the rows have.
      avgLatencyMs: latencies.avgLatencyMs,
      p50LatencyMs: latencies.p50LatencyMs,
      p90LatencyMs: latencies.p90LatencyMs,
      p95LatencyMs: latencies.p95LatencyMs,
      p99LatencyMs: latencies.p99LatencyMs,
      requestsInFlight: this.inFlight(),
      latencyHistogram: this.histogram(),
      latencyQuantilesMs: this.asked(quantiles),
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
        avgLagMs: eventLoop.avgLagMs,
        p95LagMs: eventLoop.p95LagMs,
        p99LagMs: eventLoop.p99LagMs,
        maxLagMs: eventLoop.maxLagMs,
        utilization: readUtilization(segment) ?? null,
        monitoringActive: state.isLagMonitored,
        blockedMs: loop.blockedMs,
        blockedBy: loop.blockedBy,
        stalls: loop.stalls,
        longestStall: loop.longestStall,
        lastStall: loop.lastStall,
      },
      websocket: webSockets,
      process: this.facts.read(),
      routes: routes.rows(),
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

  private readLag(aggregates: Float64Array, nowTick: number): LagSummary {
    const { lag, lagSums, segment } = this;
    if (lag === undefined) return NO_LAG;
    lagSums.reset();
    const start = this.startOf(lag, { aggregates, nowTick });
    addFamily(lagSums, segment, { family: lag, aggregates, start });
    const named = new Float64Array(NAMED.length);
    lagSums.quantiles(NAMED, named);
    const { avgLatencyMs, p95LatencyMs, p99LatencyMs } = latenciesOf(lagSums, named);
    const { maximum } = lagSums;
    // A copy that was handed out is as large as all aggregates.
    if (aggregates !== segment.aggregates) lagSums.letGo();
    return {
      avgLagMs: avgLatencyMs,
      p95LagMs: p95LatencyMs,
      p99LagMs: p99LatencyMs,
      maxLagMs: maximum === undefined ? null : maximum * MS_PER_SECOND,
    };
  }

  private windowSeconds(): number {
    const { family } = this.routes;
    if (family?.window === undefined) return 0;
    return (family.window.slices * sliceTicksOf(this.segment, family.id) * TICK_MS) / MS_PER_SECOND;
  }

  /** Takes in what has come into the catalog since the last snapshot. */
  private learn(): void {
    const { routes, segment } = this;
    const { family: known } = routes;
    routes.learn();
    if (routes.family !== undefined && known === undefined) {
      // Bounds are kept in seconds; rounding takes back what the conversion added.
      const bounds = routes.family.bounds.map((bound) =>
        Number((bound * MS_PER_SECOND).toPrecision(12)),
      );
      // Numbers where they are elements: of a string, each reading would find that out again.
      this.boundNames = bounds.map((bound) => (isElement(bound) ? bound : String(bound)));
      this.largestWhole = bounds.findLast(isElement);
    }
    this.lag ??= findFamily(segment, FamilyRole.loopLag);
  }

  private histogram(): Record<string, number> {
    const histogram: Record<string, number> = {};
    const { buckets } = this.routes.all;
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

  private asked(shares: readonly number[]): Record<string, number | null> {
    if (shares !== this.sharesNamed) {
      this.sharesNamed = shares;
      this.shareNames = shares.map(String);
    }
    const { shareNames } = this;
    const { asked } = this.routes;
    const quantiles: Record<string, number | null> = {};
    for (let index = 0; index < shareNames.length; index++)
      quantiles[shareNames[index] as string] = inMs(asked[index]);
    return quantiles;
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
function isElement(name: number): boolean {
  return Number.isInteger(name) && name < 2 ** 32 - 1;
}

function latenciesOf({ window }: WindowSums, named: Float64Array): LatencySummary {
  return {
    avgLatencyMs: quotient(window.seconds * MS_PER_SECOND, window.requests),
    p50LatencyMs: inMs(named[0]),
    p90LatencyMs: inMs(named[1]),
    p95LatencyMs: inMs(named[2]),
    p99LatencyMs: inMs(named[3]),
  };
}
