import { readCommitted } from '../aggregate/committed-read.js';
import { parseLabels } from '../instruments/label-text.js';
import { FamilyRole } from '../layout/catalog.js';
import {
  type CatalogFamily,
  findFamily,
  removalsOf,
  seriesBlock,
  seriesLabels,
  seriesOf,
} from '../layout/catalog-reader.js';
import type { Segment } from '../layout/segment.js';
import { readLiveValue } from '../record/live-value.js';
import { type PipelineTotals, readPipelineTotals } from './pipeline-totals.js';
import { RequestSums } from './request-sums.js';
import type { Snapshot } from './snapshot.js';

interface Route {
  readonly method: string;
  readonly route: string;
  readonly sums: RequestSums;
}

interface RouteSeries {
  readonly block: number;
  readonly isError: boolean;
  readonly route: Route;
}

const FIRST_SERVER_ERROR = 500;

/**
 * Reads snapshots of one segment, on any thread, from shared memory alone. It remembers what the catalog says of each series, so
 * that a snapshot costs time in proportion to routes and not to requests.
 */
export class SnapshotReader {
  private readonly segment: Segment;
  private http: CatalogFamily | undefined;
  private lag: CatalogFamily | undefined;
  private readonly series: RouteSeries[] = [];
  private removalsSeen = 0;
  private readonly routes = new Map<string, Route>();
  private all = new RequestSums(0);
  private lagSums = new RequestSums(0);

  constructor(segment: Segment) {
    this.segment = segment;
  }

  /** Reads one snapshot, as of one batch. */
  read(state: { readonly isLagMonitored: boolean }): Snapshot {
    this.learnSeries();
    const { segment, all, lagSums, routes } = this;
    const lagBlocks =
      this.lag === undefined
        ? []
        : [...seriesOf(segment, this.lag.id)].map((id) => seriesBlock(segment, id));
    let totals: PipelineTotals | undefined;
    readCommitted(segment, (aggregates) => {
      all.reset();
      lagSums.reset();
      for (const { sums } of routes.values()) sums.reset();
      for (const { block, isError, route } of this.series)
        route.sums.addBlock(aggregates, block, isError);
      for (const block of lagBlocks) lagSums.addBlock(aggregates, block, false);
      totals = readPipelineTotals(segment, aggregates);
    });
    for (const { sums } of routes.values()) all.add(sums);
    return {
      takenAt: new Date().toISOString(),
      totalRequests: all.requests,
      errorRate: all.errorRate,
      ...all.latencies,
      requestsInFlight: this.inFlight(),
      latencyHistogram: this.histogram(),
      cache: { hits: 0, misses: 0, evictions: 0, hitRate: null },
      eventLoop: {
        avgLagMs: lagSums.latencies.avgLatencyMs,
        p95LagMs: lagSums.quantileMs(0.95),
        monitoringActive: state.isLagMonitored,
      },
      websocket: { openConnectionsEstimate: 0, messagesSent: 0 },
      routes: [...routes.values()]
        .filter(({ sums }) => sums.requests > 0)
        .map(({ method, route, sums }) => ({
          method,
          route,
          requests: sums.requests,
          errors: sums.errors,
          errorRate: sums.errorRate,
          ...sums.latencies,
        })),
      pipeline: totals as PipelineTotals,
    };
  }

  /** Takes in the series that have come since the last snapshot. */
  private learnSeries(): void {
    const { segment } = this;
    if (this.http === undefined) {
      this.http = findFamily(segment, FamilyRole.httpDuration);
      if (this.http !== undefined) this.all = new RequestSums(this.http.bounds.length);
    }
    if (this.lag === undefined) {
      this.lag = findFamily(segment, FamilyRole.loopLag);
      if (this.lag !== undefined) this.lagSums = new RequestSums(this.lag.bounds.length);
    }
    if (this.http === undefined) return;
    const removals = removalsOf(segment, this.http.id);
    if (removals !== this.removalsSeen) {
      this.removalsSeen = removals;
      this.series.length = 0;
      this.routes.clear();
    }
    const ids = seriesOf(segment, this.http.id);
    for (const id of ids.subarray(this.series.length)) {
      const {
        method = '',
        route = '',
        status_code: status = '',
      } = parseLabels(seriesLabels(segment, id));
      this.series.push({
        block: seriesBlock(segment, id),
        isError: Number(status) >= FIRST_SERVER_ERROR,
        route: this.routeOf(method, route),
      });
    }
  }

  private routeOf(method: string, route: string): Route {
    // A method holds no space, so this joins without merging.
    const key = `${method} ${route}`;
    let known = this.routes.get(key);
    if (known === undefined) {
      known = { method, route, sums: new RequestSums(this.all.counts.length - 1) };
      this.routes.set(key, known);
    }
    return known;
  }

  private histogram(): Record<string, number> {
    const histogram: Record<string, number> = {};
    const bounds = this.http?.bounds ?? [];
    let cumulative = 0;
    for (const [bucket, count] of this.all.counts.entries()) {
      cumulative += count;
      const bound = bounds[bucket];
      // Bounds are kept in seconds; rounding takes back what the conversion added.
      histogram[bound === undefined ? '+Inf' : String(Number((bound * 1000).toPrecision(12)))] =
        cumulative;
    }
    return histogram;
  }

  private inFlight(): number {
    const family = findFamily(this.segment, FamilyRole.httpInFlight);
    if (family === undefined) return 0;
    const [id] = seriesOf(this.segment, family.id);
    return id === undefined ? 0 : readLiveValue(this.segment, seriesBlock(this.segment, id));
  }
}
