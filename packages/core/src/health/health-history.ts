import * as layout from '../layout/health.js';
import type { Segment } from '../layout/segment.js';
import type { CacheWindow } from './cache-efficiency.js';
import type { CacheTotals } from './health-source.js';
import type { Slice } from './volume-anomaly.js';

/** What a step of the window came to. */
export interface HistoryRow {
  readonly tick: number;
  /** Since the row before. */
  readonly elapsedTicks: number;
  /** In that time. */
  readonly requests: number;
  /** Of the whole window at the row's end; NaN where they could not be told. */
  readonly quantiles: readonly number[];
}

/** Windows before the present one that make the baseline. */
const BASELINE_WINDOWS = 12;

/** Of a row: its latency was worse than the baseline's, so it is none. */
const REGRESSED = 1;

/**
 * What the evaluator remembers of the last windows, in shared memory: a row for each step, a sixth of a window.
 *
 * @see layout/health.ts
 */
export class HealthHistory {
  private readonly health: Float64Array;

  constructor({ health }: Segment) {
    this.health = health;
  }

  /** Ends a step; the first one only begins the next. Caches are those of which there is room for. */
  addRow(
    row: Pick<HistoryRow, 'tick' | 'quantiles'> & { readonly requestsTotal: number },
    caches: readonly CacheTotals[],
  ): void {
    const { health } = this;
    const { tick, quantiles, requestsTotal } = row;
    const lastTick = health[layout.ROW_TICK] as number;
    const place = this.placeOf(this.rowCount);
    health[place + layout.ROW_AT] = 0;
    this.noteCaches(place, caches);
    health[place + layout.ROW_ELAPSED] = tick - lastTick;
    health[place + layout.ROW_REQUESTS] = Math.max(
      0,
      requestsTotal - (health[layout.ROW_TOTALS] as number),
    );
    health.set(quantiles, place + layout.ROW_QUANTILES);
    health[place + layout.ROW_FLAGS] = 0;
    health[layout.ROW_TOTALS] = requestsTotal;
    health[layout.ROW_TICK] = tick;
    if (lastTick === 0) return;
    health[place + layout.ROW_AT] = tick;
    health[layout.ROW_COUNT] = this.rowCount + 1;
  }

  /** Says of the newest row that its latency is no baseline. */
  markRegressed(): void {
    if (this.rowCount > 0)
      this.health[this.placeOf(this.rowCount - 1) + layout.ROW_FLAGS] = REGRESSED;
  }

  /** Requests of each step of the window, and of the windows before; the oldest first. */
  slices(windowTicks: number): { readonly window: Slice[]; readonly baseline: Slice[] } {
    const { health } = this;
    const sliceAt = (place: number): Slice => ({
      requests: health[place + layout.ROW_REQUESTS] as number,
      ticks: health[place + layout.ROW_ELAPSED] as number,
    });
    const { window, baseline } = this.places(windowTicks);
    return { window: window.map(sliceAt), baseline: baseline.map(sliceAt) };
  }

  /**
   * What a percentile was in earlier windows, by its index. Windows that were worse than their baseline are none, until they are most of what there
   * is: then that is how it is now.
   */
  quantiles(windowTicks: number, index: number): number[] {
    const { health } = this;
    const { baseline } = this.places(windowTicks);
    const good = baseline.filter((place) => health[place + layout.ROW_FLAGS] !== REGRESSED);
    return (good.length * 2 >= baseline.length ? good : baseline)
      .map((place) => health[place + layout.ROW_QUANTILES + index] as number)
      .filter((value) => value > 0);
  }

  /** Look-ups of each cache in the window, and in those before. */
  caches(windowTicks: number): CacheWindow[] {
    const { window, baseline } = this.places(windowTicks);
    const found: CacheWindow[] = [];
    for (let cache = 0; cache < layout.CACHE_PLACES; cache++) {
      const id = this.health[this.totalsOf(cache)] as number;
      if (id === 0) continue;
      const now = this.outcomes(window, cache);
      found.push({ cacheId: id - 1, now, before: this.outcomes(baseline, cache) });
    }
    return found;
  }

  private outcomes(places: readonly number[], cache: number) {
    const outcomes = { hits: 0, misses: 0 };
    for (const place of places) {
      const at = place + layout.ROW_CACHES + 2 * cache;
      outcomes.hits += this.health[at] as number;
      outcomes.misses += this.health[at + 1] as number;
    }
    return outcomes;
  }

  private noteCaches(row: number, caches: readonly CacheTotals[]): void {
    const { health } = this;
    for (let cache = 0; cache < layout.CACHE_PLACES; cache++) {
      const totals = this.totalsOf(cache);
      const place = row + layout.ROW_CACHES + 2 * cache;
      const found = caches[cache];
      const isSame = found !== undefined && health[totals] === found.cacheId + 1;
      const fresh = { hits: 0, misses: 0 };
      const { hits, misses } = found ?? fresh;
      // Another cache, or the first look at it: what came before is nobody's.
      health[place] = isSame ? Math.max(0, hits - (health[totals + 1] as number)) : 0;
      health[place + 1] = isSame ? Math.max(0, misses - (health[totals + 2] as number)) : 0;
      health[totals] = found === undefined ? 0 : found.cacheId + 1;
      health[totals + 1] = hits;
      health[totals + 2] = misses;
    }
  }

  /** Places of the rows of the window, and of the twelve windows before it. */
  private places(windowTicks: number): { readonly window: number[]; readonly baseline: number[] } {
    const { health, rowCount } = this;
    const now = health[layout.ROW_TICK] as number;
    const window: number[] = [];
    const baseline: number[] = [];
    for (let row = Math.max(0, rowCount - layout.ROW_PLACES); row < rowCount; row++) {
      const place = this.placeOf(row);
      const age = now - (health[place + layout.ROW_AT] as number);
      if (age < windowTicks) window.push(place);
      else if (age < (1 + BASELINE_WINDOWS) * windowTicks) baseline.push(place);
    }
    return { window, baseline };
  }

  private get rowCount(): number {
    return this.health[layout.ROW_COUNT] as number;
  }

  private placeOf(row: number): number {
    return layout.ROWS + (row % layout.ROW_PLACES) * layout.ROW_DOUBLES;
  }

  private totalsOf(cache: number): number {
    return layout.CACHE_TOTALS + cache * layout.CACHE_TOTALS_DOUBLES;
  }
}
