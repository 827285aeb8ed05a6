import { readingOf, type SegmentReading } from '../aggregate/segment-reading.js';
import { ALL_BEFORE, type WindowStart } from '../aggregate/window-reading.js';
import { parseLabels } from '../instruments/label-text.js';
import { TOTAL_BATCHES } from '../layout/aggregates.js';
import { FamilyRole } from '../layout/catalog.js';
import {
  type CatalogFamily,
  findFamily,
  removalsOf,
  seriesBlock,
  seriesCountOf,
  seriesIdentity,
  seriesLabels,
  seriesOf,
} from '../layout/catalog-reader.js';
import type { Segment } from '../layout/segment.js';
import {
  hasRoom,
  isAhead,
  type Reading,
  type ReadingStamp,
  takeAhead,
  writeAhead,
} from './read-ahead.js';
import { type Samples, sampleQuantiles, splitSamples } from './reservoir-reading.js';
import { NAMED, Route } from './route.js';
import type { RouteSnapshot } from './snapshot.js';
import { WindowSums } from './window-sums.js';

const FIRST_SERVER_ERROR = 500;

/** What a reading is of. */
export interface ReadingMoment {
  /** From `readCommitted`. */
  readonly aggregates: Float64Array;
  readonly start: WindowStart;
  /** In place of the sketches, where a reservoir is the estimator. */
  readonly samples: Samples | undefined;
  /** Of the quantiles of all routes that are asked for, ascending. */
  readonly shares: readonly number[];
}

/**
 * Reads the requests of one segment: a row a route, and all of them together. It remembers what the catalog says of each series, and takes what the
 * pool thread has read ahead (layout/read-ahead.ts) where that is of the same batch and window.
 */
export class RouteReader {
  family: CatalogFamily | undefined;
  /** Of all routes, as of the last reading; so are the next two. */
  all = new WindowSums(0);
  /** Values below which the shares in `NAMED` of all requests in the window lie, seconds: NaN where it is empty. */
  readonly named = new Float64Array(NAMED.length);
  /** The same of those shares that were asked for. */
  asked = new Float64Array(NAMED.length);
  private shares: readonly number[] = NAMED;
  private readonly segment: Segment;
  private seriesCount = 0;
  private removalsSeen = 0;
  private readonly routes: Route[] = [];
  private readonly routesByKey = new Map<string, Route>();
  /** Of one route after the other. */
  private readonly routeNamed = new Float64Array(NAMED.length);
  /** Where the window began at the last reading. */
  private start: WindowStart = { slice: ALL_BEFORE, tick: 0, spanMs: 0 };
  /** Whether it is not known yet to have been of one batch. */
  private isOpen = false;
  /** Of the batch that was read; NaN: what is here is not what a batch says. */
  private batches = Number.NaN;
  /** Whether `all` has the sketches that its quantiles are looked for in. */
  private isSearchable = false;

  constructor(segment: Segment) {
    this.segment = segment;
    this.emptyAll();
  }

  /** Takes in the series that have come since the last reading. */
  learn(): void {
    const { segment } = this;
    if (this.family === undefined) {
      this.family = findFamily(segment, FamilyRole.httpDuration);
      if (this.family === undefined) return;
      this.all = new WindowSums(this.family.bounds.length);
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
  read({ aggregates, start, samples, shares }: ReadingMoment): void {
    const { segment } = this;
    const isSameWindow = start.slice === this.start.slice && start.tick === this.start.tick;
    // Samples are drawn from all routes, so that one route's requests may push another's out.
    if (this.isOpen || !isSameWindow || samples !== undefined) this.forget();
    this.isOpen = true;
    this.start = start;
    const batches = aggregates[TOTAL_BATCHES] as number;
    const isSameAsked = shares === this.shares;
    if (isSameAsked && batches === this.batches) return;
    this.batches = batches;
    if (!isSameAsked) {
      this.shares = shares;
      this.asked = new Float64Array(shares.length);
    }
    // Before the routes are looked at, as another thread may have written to each of them since.
    if (samples === undefined && this.takeAhead(aggregates)) return;
    const reading = readingOf(segment, aggregates);
    const isKept = samples === undefined && this.isAllKept(reading);
    if (isKept && isSameAsked) return;
    const sampled = samples && this.split(samples);
    if (!isKept || !this.isSearchable) this.readAll(reading, sampled?.ofEach);
    writeQuantiles(this.all, sampled?.ofAll, { shares: NAMED, into: this.named });
    this.writeAsked(sampled?.ofAll);
    if (aggregates !== segment.aggregates) this.letGo();
  }

  /** What was read was of one batch, and may be kept. */
  confirm(): void {
    this.isOpen = false;
  }

  /** Of the last reading. */
  rows(): RouteSnapshot[] {
    const rows: RouteSnapshot[] = [];
    for (let index = 0; index < this.routes.length; index++) {
      const route = this.routes[index] as Route;
      if (route.requests !== 0) rows.push(route.row(this.start.spanMs));
    }
    return rows;
  }

  /** Reads for who asks next, unless that is done. To be called after `learn`, by whoever holds the lease, between two batches. */
  readAhead(moment: ReadingMoment): void {
    const { segment } = this;
    const stamp = this.stamp(moment);
    if (isAhead(segment, stamp) || !hasRoom(this.reading())) return;
    this.read(moment);
    this.confirm();
    writeAhead(segment, stamp, this.reading());
  }

  private takeAhead(aggregates: Float64Array): boolean {
    const { segment, start, shares } = this;
    const stamp = this.stamp({ aggregates, start, shares });
    if (!isAhead(segment, stamp)) return false;
    this.emptyAll();
    const isTaken = takeAhead(segment, stamp, this.reading());
    for (const route of this.routes) route.isKept = isTaken;
    return isTaken;
  }

  private stamp({ aggregates, start, shares }: Omit<ReadingMoment, 'samples'>): ReadingStamp {
    const { removalsSeen: removals, seriesCount } = this;
    return { aggregates, start, removals, seriesCount, shares };
  }

  private reading(): Reading {
    const { routes, all, named, asked } = this;
    return { routes, all, named, asked };
  }

  private writeAsked(samples: Samples | undefined): void {
    const { shares, named, asked } = this;
    const isNamed = shares.every((share) => NAMED.includes(share as (typeof NAMED)[number]));
    if (!isNamed) {
      writeQuantiles(this.all, samples, { shares, into: asked });
      return;
    }
    for (const [index, share] of shares.entries())
      asked[index] = named[NAMED.indexOf(share as (typeof NAMED)[number])] as number;
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

  /** @param sampled Of each route, where a reservoir is the estimator. */
  private readAll(reading: SegmentReading, sampled: readonly Samples[] | undefined): void {
    const { all, start, routeNamed } = this;
    const slices = this.family?.window?.slices ?? 0;
    this.emptyAll();
    all.begin({ reading, start, slices });
    for (let index = 0; index < this.routes.length; index++) {
      const route = this.routes[index] as Route;
      all.add(route.series);
      if (route.isKept && route.requests === all.part.lifetime.requests) continue;
      route.keep(all.part);
      const samples = sampled?.[index];
      if (samples === undefined) all.partQuantiles(NAMED, routeNamed);
      else sampleQuantiles(samples, NAMED, routeNamed);
      route.keepNamed(routeNamed);
      route.isKept = true;
    }
    this.isSearchable = true;
  }

  private forget(): void {
    for (const route of this.routes) route.isKept = false;
    this.batches = Number.NaN;
    // Where there is no route either, so that nothing else would have it read anew.
    this.emptyAll();
  }

  /** Nothing of a copy that was handed out is kept: it is as large as all aggregates. */
  private letGo(): void {
    this.all.letGo();
    this.isSearchable = false;
  }

  private emptyAll(): void {
    this.all.reset();
    this.named.fill(Number.NaN);
    this.asked.fill(Number.NaN);
    this.isSearchable = false;
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
    this.batches = Number.NaN;
    known.series.push({
      identity: seriesIdentity(segment, id),
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

  /** What was sampled of all routes, and of each of them. Of series that are gone there are samples yet, which are in neither. */
  private split(samples: Samples) {
    const { routes } = this;
    const routeOf = new Map(
      routes.flatMap(({ series }, index) =>
        series.map(({ identity }) => [identity, index] as const),
      ),
    );
    const isKnown = (identity: number) => (routeOf.has(identity) ? 0 : undefined);
    const [ofAll] = splitSamples(samples, { count: 1, of: isKnown });
    const ofEach = splitSamples(samples, {
      count: routes.length,
      of: (identity) => routeOf.get(identity),
    });
    return { ofAll, ofEach };
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
