import { readingOf, type SegmentReading } from '../aggregate/segment-reading.js';
import { ALL_BEFORE, type WindowStart } from '../aggregate/window-reading.js';
import { parseLabels } from '../instruments/label-text.js';
import { BLOCK_COUNTS } from '../layout/aggregates.js';
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
import type { Segment } from '../layout/segment.js';
import { inMs, quotient } from './quotient.js';
import { type Samples, sampleQuantiles, splitSamples } from './reservoir-reading.js';
import type { RouteSnapshot } from './snapshot.js';
import { WindowSums } from './window-sums.js';

const FIRST_SERVER_ERROR = 500;
const MS_PER_SECOND = 1_000;

/** The percentiles that have a name of their own. */
export const NAMED = [0.5, 0.9, 0.95, 0.99] as const;

/** What a reading is of. */
export interface ReadingMoment {
  /** From `readCommitted`. */
  readonly aggregates: Float64Array;
  readonly start: WindowStart;
  /** In place of the sketches, where a reservoir is the estimator. */
  readonly samples: Samples | undefined;
}

interface SeriesPlace {
  readonly id: number;
  readonly block: number;
  readonly isError: boolean;
}

/**
 * A route, and what its last reading came to. That holds for as long as nothing is recorded on it and the window begins where it began: so a
 * reading takes its time for the routes that were in use since the one before.
 */
class Route {
  readonly method: string;
  readonly route: string;
  readonly series: SeriesPlace[] = [];
  /** Lifetime requests at that reading; none other than these can have been in the window. */
  requests = 0;
  errors = 0;
  windowRequests = 0;
  windowErrors = 0;
  windowSeconds = 0;
  /** Seconds; NaN for an empty window. */
  p50 = Number.NaN;
  p90 = Number.NaN;
  p95 = Number.NaN;
  p99 = Number.NaN;
  isKept = false;

  constructor(method: string, route: string) {
    this.method = method;
    this.route = route;
  }

  /** Observations of its series since the start. */
  countIn({ aggregates }: SegmentReading, bucketCount: number): number {
    let count = 0;
    for (let index = 0; index < this.series.length; index++) {
      const first = (this.series[index] as SeriesPlace).block + BLOCK_COUNTS;
      for (let at = first; at < first + bucketCount; at++) count += aggregates[at] as number;
    }
    return count;
  }

  keep({ lifetime, window }: WindowSums): void {
    this.requests = lifetime.requests;
    this.errors = lifetime.errors;
    this.windowRequests = window.requests;
    this.windowErrors = window.errors;
    this.windowSeconds = window.seconds;
  }

  keepNamed(named: Float64Array): void {
    this.p50 = named[0] as number;
    this.p90 = named[1] as number;
    this.p95 = named[2] as number;
    this.p99 = named[3] as number;
  }

  /** Field by field, and not spread, which takes longer than to count. */
  row(spanMs: number): RouteSnapshot {
    const { method, route, requests, errors, windowRequests, windowErrors, windowSeconds } = this;
    return {
      method,
      route,
      requests,
      errors,
      errorRate: quotient(windowErrors, windowRequests),
      avgLatencyMs: quotient(windowSeconds * MS_PER_SECOND, windowRequests),
      p50LatencyMs: inMs(this.p50),
      p90LatencyMs: inMs(this.p90),
      p95LatencyMs: inMs(this.p95),
      p99LatencyMs: inMs(this.p99),
      window: {
        requests: windowRequests,
        errors: windowErrors,
        requestsPerSecond: quotient(windowRequests, spanMs / MS_PER_SECOND),
      },
    };
  }
}

/** Reads the requests of one segment: a row a route, and all of them together. It remembers what the catalog says of each series. */
export class RouteReader {
  family: CatalogFamily | undefined;
  /** Of all routes, as of the last reading. */
  all = new WindowSums(0);
  private readonly segment: Segment;
  private seriesCount = 0;
  private removalsSeen = 0;
  private readonly routes: Route[] = [];
  private readonly routesByKey = new Map<string, Route>();
  /** Of one route after the other. */
  private sums = new WindowSums(0);
  private readonly named = new Float64Array(NAMED.length);
  /** Where the window began at the last reading. */
  private start: WindowStart = { slice: ALL_BEFORE, tick: 0, spanMs: 0 };
  /** Whether it is not known yet to have been of one batch. */
  private isOpen = false;
  /** Quantiles of all routes, as of the last reading: those in `NAMED`, and those that somebody asked for last. */
  private allNamed: Float64Array | undefined;
  private allAsked:
    | { readonly shares: readonly number[]; readonly values: Float64Array }
    | undefined;

  constructor(segment: Segment) {
    this.segment = segment;
  }

  /** Takes in the series that have come since the last reading. */
  learn(): void {
    const { segment } = this;
    if (this.family === undefined) {
      this.family = findFamily(segment, FamilyRole.httpDuration);
      if (this.family === undefined) return;
      this.all = new WindowSums(this.family.bounds.length);
      this.sums = new WindowSums(this.family.bounds.length);
    }
    const { id } = this.family;
    const removals = removalsOf(segment, id);
    if (removals !== this.removalsSeen) {
      this.removalsSeen = removals;
      this.seriesCount = 0;
      this.routes.length = 0;
      this.routesByKey.clear();
      this.forget();
    }
    if (seriesCountOf(segment, id) === this.seriesCount) return;
    const ids = seriesOf(segment, id);
    for (; this.seriesCount < ids.length; this.seriesCount++) {
      this.addSeries(ids[this.seriesCount] as number);
    }
  }

  /** To be called with the aggregates of `readCommitted`, and followed by `confirm` where that says that they were of one batch. */
  read({ aggregates, start, samples }: ReadingMoment): RouteSnapshot[] {
    const isSameWindow = start.slice === this.start.slice && start.tick === this.start.tick;
    // Samples are drawn from all routes, so that one route's requests may push another's out.
    if (this.isOpen || !isSameWindow || samples !== undefined) this.forget();
    this.isOpen = true;
    this.start = start;
    const reading = readingOf(this.segment, aggregates);
    if (!this.isAllKept(reading)) this.readAll(reading, samples);
    const rows: RouteSnapshot[] = [];
    for (let index = 0; index < this.routes.length; index++) {
      const route = this.routes[index] as Route;
      if (route.requests !== 0) rows.push(route.row(start.spanMs));
    }
    return rows;
  }

  /** What was read was of one batch, and may be kept. */
  confirm(): void {
    this.isOpen = false;
  }

  /** Values below which shares of all requests in the window lie, seconds: NaN where it is empty. As of the reading in which it is called. */
  quantiles(shares: readonly number[], samples: Samples | undefined): Float64Array {
    if (this.allNamed === undefined) this.allNamed = this.searchAll(NAMED, samples);
    const named = this.allNamed;
    if (shares === NAMED) return named;
    if (this.allAsked?.shares === shares) return this.allAsked.values;
    const places = shares.map((share) => NAMED.indexOf(share as (typeof NAMED)[number]));
    const values = places.includes(-1)
      ? this.searchAll(shares, samples)
      : Float64Array.from(places, (place) => named[place] as number);
    this.allAsked = { shares, values };
    return values;
  }

  private searchAll(shares: readonly number[], samples: Samples | undefined): Float64Array {
    const values = new Float64Array(shares.length);
    writeQuantiles(this.all, samples, { shares, into: values });
    return values;
  }

  /** Whether no route was in use since the last reading, so that all of it holds. */
  private isAllKept(reading: SegmentReading): boolean {
    const bucketCount = this.all.buckets.length;
    for (let index = 0; index < this.routes.length; index++) {
      const route = this.routes[index] as Route;
      if (!route.isKept || route.countIn(reading, bucketCount) !== route.requests) return false;
    }
    return true;
  }

  private readAll(reading: SegmentReading, samples: Samples | undefined): void {
    const { all, sums, start, named } = this;
    const sampled = samples && this.splitByRoute(samples);
    const slices = this.family?.window?.slices ?? 0;
    this.emptyAll();
    for (let index = 0; index < this.routes.length; index++) {
      const route = this.routes[index] as Route;
      sums.reset();
      for (const { block, isError } of route.series)
        sums.addSeries(reading, { block, isError, start, slices });
      if (!route.isKept || route.requests !== sums.lifetime.requests) {
        route.keep(sums);
        writeQuantiles(sums, sampled?.[index], { shares: NAMED, into: named });
        route.keepNamed(named);
        route.isKept = true;
      }
      // After its quantiles: what has been counted for them need not be counted again.
      all.add(sums);
    }
  }

  private forget(): void {
    for (const route of this.routes) route.isKept = false;
    // Where there is no route either, so that nothing else would have it read anew.
    this.emptyAll();
  }

  private emptyAll(): void {
    this.all.reset();
    this.allNamed = undefined;
    this.allAsked = undefined;
  }

  private addSeries(id: number): void {
    const { segment } = this;
    const {
      method = '',
      route = '',
      status_code: status = '',
    } = parseLabels(seriesLabels(segment, id));
    const known = this.routeOf(method, route);
    known.isKept = false;
    known.series.push({
      id,
      block: seriesBlock(segment, id),
      isError: Number(status) >= FIRST_SERVER_ERROR,
    });
  }

  private routeOf(method: string, route: string): Route {
    // A method holds no space, so this joins without merging.
    const key = `${method} ${route}`;
    let known = this.routesByKey.get(key);
    if (known === undefined) {
      known = new Route(method, route);
      this.routesByKey.set(key, known);
      this.routes.push(known);
    }
    return known;
  }

  private splitByRoute(samples: Samples): Samples[] {
    const { routes } = this;
    const routeOf = new Map(
      routes.flatMap(({ series }, index) => series.map(({ id }) => [id, index] as const)),
    );
    return splitSamples(samples, { count: routes.length, of: (id) => routeOf.get(id) });
  }
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
