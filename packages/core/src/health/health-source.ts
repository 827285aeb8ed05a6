import { readCommitted, readUndisturbed } from '../aggregate/committed-read.js';
import { readingOf } from '../aggregate/segment-reading.js';
import { windowStart } from '../aggregate/window-reading.js';
import { parseLabels } from '../instruments/label-text.js';
import { BLOCK_COUNTS, BLOCK_SUM } from '../layout/aggregates.js';
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
import { WindowSums } from '../snapshot/window-sums.js';
import { EMPTY_WINDOW, SketchWindow } from './sketch-window.js';

/** Since the start. They fall only where series are removed. */
export interface HealthTotals {
  readonly requests: number;
  readonly errors: number;
  readonly lagSamples: number;
  readonly lagSeconds: number;
}

/** A cache's look-ups since the start. */
export interface CacheTotals {
  readonly cacheId: number;
  readonly hits: number;
  readonly misses: number;
}

/** The window as health looks at it. */
export interface HealthWindow {
  readonly http: SketchWindow;
  readonly lag: SketchWindow;
}

interface Place {
  readonly id: number;
  readonly block: number;
  readonly labels: Readonly<Record<string, string>>;
}

const FIRST_SERVER_ERROR = 500;

/** What the evaluator of health looks at, read from shared memory on any thread. It remembers only what the catalog says. */
export class HealthSource {
  private readonly segment: Segment;
  private readonly http: FamilyPlaces;
  private readonly lag: FamilyPlaces;
  private readonly hits: FamilyPlaces;
  private readonly misses: FamilyPlaces;

  constructor(segment: Segment) {
    this.segment = segment;
    const places = (role: FamilyRole) => new FamilyPlaces(segment, role);
    this.http = places(FamilyRole.httpDuration);
    this.lag = places(FamilyRole.loopLag);
    this.hits = places(FamilyRole.cacheHits);
    this.misses = places(FamilyRole.cacheMisses);
  }

  /** As of one batch. */
  totals(): HealthTotals {
    return readUndisturbed(this.segment, () => this.totalsOnce());
  }

  private totalsOnce(): HealthTotals {
    const totals = { requests: 0, errors: 0, lagSamples: 0, lagSeconds: 0 };
    const { http, lag } = this;
    const [requests, samples] = [http.learn(), lag.learn()];
    readCommitted(this.segment, (aggregates) => {
      totals.requests = totals.errors = totals.lagSamples = totals.lagSeconds = 0;
      for (const { block, labels } of requests) {
        const count = countOf(aggregates, block, http.bounds);
        totals.requests += count;
        if (Number(labels['status_code']) >= FIRST_SERVER_ERROR) totals.errors += count;
      }
      for (const { block } of samples) {
        totals.lagSamples += countOf(aggregates, block, lag.bounds);
        totals.lagSeconds += aggregates[block + BLOCK_SUM] as number;
      }
    });
    return totals;
  }

  /** Of every cache, in the order in which they came. */
  caches(): CacheTotals[] {
    return readUndisturbed(this.segment, () => this.cachesOnce());
  }

  private cachesOnce(): CacheTotals[] {
    const hits = this.hits.learn();
    const misses = new Map(this.misses.learn().map((place) => [place.labels['cache'], place]));
    let found: CacheTotals[] = [];
    readCommitted(this.segment, (aggregates) => {
      const sumOf = (place: Place | undefined): number =>
        place === undefined ? 0 : (aggregates[place.block + BLOCK_SUM] as number);
      found = hits.map((place) => ({
        cacheId: place.id,
        hits: sumOf(place),
        misses: sumOf(misses.get(place.labels['cache'])),
      }));
    });
    return found;
  }

  /** The sliding window at a tick of the producer's clock. */
  windowAt(nowTick: number): HealthWindow {
    return readUndisturbed(this.segment, () => this.windowOnce(nowTick));
  }

  private windowOnce(nowTick: number): HealthWindow {
    const { http, lag } = this;
    http.learn();
    lag.learn();
    let window: HealthWindow = { http: EMPTY_WINDOW, lag: EMPTY_WINDOW };
    readCommitted(this.segment, (aggregates) => {
      window = {
        http: this.windowOf(http, aggregates, nowTick),
        lag: this.windowOf(lag, aggregates, nowTick),
      };
    });
    return window;
  }

  /** To be called with the aggregates of `readCommitted`. */
  private windowOf(
    { family, known, bounds }: FamilyPlaces,
    aggregates: Float64Array,
    nowTick: number,
  ): SketchWindow {
    const { segment } = this;
    const start = family && windowStart(segment, family, { aggregates, nowTick });
    if (family === undefined || start === undefined) return EMPTY_WINDOW;
    const sums = new WindowSums(bounds);
    const reading = readingOf(segment, aggregates);
    const slices = family.window?.slices ?? 0;
    sums.begin({ reading, start, slices });
    sums.add(known.map(({ block }) => ({ block, isError: false })));
    const { requests: samples, seconds } = sums.window;
    return new SketchWindow({ samples, seconds, cells: sums.cells() });
  }
}

/** Name of the cache whose hits a series counts. */
export function cacheName(segment: Segment, cacheId: number): string {
  return parseLabels(seriesLabels(segment, cacheId))['cache'] ?? '';
}

/** A histogram's observations: the sum of its counts. */
function countOf(aggregates: Float64Array, block: number, bounds: number): number {
  let count = 0;
  for (let bucket = 0; bucket <= bounds; bucket++) {
    count += aggregates[block + BLOCK_COUNTS + bucket] as number;
  }
  return count;
}

/** Where the series of the family of a role lie, as far as there are any. */
class FamilyPlaces {
  known: Place[] = [];
  family: CatalogFamily | undefined;
  private readonly segment: Segment;
  private readonly role: FamilyRole;
  private removals = 0;

  constructor(segment: Segment, role: FamilyRole) {
    this.segment = segment;
    this.role = role;
  }

  get bounds(): number {
    return this.family?.bounds.length ?? 0;
  }

  /** Takes in those that have come since. */
  learn(): readonly Place[] {
    const { segment, role } = this;
    this.family ??= findFamily(segment, role);
    const { family } = this;
    if (family === undefined) return this.known;
    const removals = removalsOf(segment, family.id);
    if (removals !== this.removals) {
      this.removals = removals;
      this.known = [];
    }
    if (seriesCountOf(segment, family.id) === this.known.length) return this.known;
    for (const id of seriesOf(segment, family.id).subarray(this.known.length)) {
      this.known.push({
        id,
        block: seriesBlock(segment, id),
        labels: parseLabels(seriesLabels(segment, id)),
      });
    }
    return this.known;
  }
}
