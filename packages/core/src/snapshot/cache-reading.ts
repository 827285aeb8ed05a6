import { readingOf } from '../aggregate/segment-reading.js';
import { windowStart } from '../aggregate/window-reading.js';
import { FamilyRole } from '../layout/catalog.js';
import {
  type CounterReading,
  type HookReader,
  type ReadingMoment,
  readCounter,
  windowSpanSeconds,
} from './hook-reading.js';
import { inMs, quotient } from './quotient.js';
import type { CacheNumbers, CacheTotals, LatencySummary } from './snapshot.js';
import { WindowSums } from './window-sums.js';

const MS_PER_SECOND = 1_000;
const SHARES = [0.5, 0.9, 0.95, 0.99] as const;

const ROLES = {
  hits: FamilyRole.cacheHits,
  misses: FamilyRole.cacheMisses,
  evictions: FamilyRole.cacheEvictions,
  errors: FamilyRole.cacheErrors,
} as const;
type Count = keyof typeof ROLES;

/** What is added up of one cache. */
interface Sums {
  readonly counts: Record<Count, { total: number; inWindow: number }>;
  readonly latency: WindowSums;
}

/** Where nothing is hooked. */
export const NO_CACHES: CacheTotals = { ...numbersOf(emptySums(0), 0), caches: [] };

/** Reads what hooked caches count. To be called with the aggregates of `readCommitted`. */
export function readCaches(reader: HookReader, moment: ReadingMoment): CacheTotals {
  if (!reader.has(FamilyRole.cacheDuration)) return NO_CACHES;
  const boundsCount = reader.read(FamilyRole.cacheDuration)[0]?.family.bounds.length ?? 0;
  const sums = new Map<string, Sums>();
  const sumsOf = (name: string): Sums => {
    const known = sums.get(name) ?? emptySums(boundsCount);
    sums.set(name, known);
    return known;
  };
  for (const [count, role] of Object.entries(ROLES)) {
    for (const { family, series } of reader.read(role)) {
      for (const { block, labels } of series) {
        // What expired made room for nothing.
        if ((labels['reason'] ?? 'capacity') !== 'capacity') continue;
        const value = readCounter(reader.segment, { family, block }, moment);
        add(sumsOf(labels['cache'] as string).counts[count as Count], value);
      }
    }
  }
  readLatencies(reader, moment, sumsOf);
  const all = emptySums(boundsCount);
  for (const { counts, latency } of sums.values()) {
    for (const count of Object.keys(ROLES) as Count[]) add(all.counts[count], counts[count]);
    all.latency.addSums(latency);
  }
  const seconds = windowSpanSeconds(reader, FamilyRole.cacheHits, moment);
  return {
    ...numbersOf(all, seconds),
    caches: [...sums].map(([name, ofCache]) => ({ name, ...numbersOf(ofCache, seconds) })),
  };
}

function readLatencies(
  reader: HookReader,
  { aggregates, nowTick }: ReadingMoment,
  sumsOf: (name: string) => Sums,
): void {
  const { segment } = reader;
  const reading = readingOf(segment, aggregates);
  for (const { family, series } of reader.read(FamilyRole.cacheDuration)) {
    const start = windowStart(segment, family, { aggregates, nowTick });
    if (start === undefined) continue;
    const slices = family.window?.slices ?? 0;
    for (const { block, labels } of series) {
      const { latency } = sumsOf(labels['cache'] as string);
      latency.begin({ reading, start, slices });
      latency.add([{ block, isError: false }]);
    }
  }
}

function emptySums(boundsCount: number): Sums {
  const none = () => ({ total: 0, inWindow: 0 });
  return {
    counts: { hits: none(), misses: none(), evictions: none(), errors: none() },
    latency: new WindowSums(boundsCount),
  };
}

function add(sum: { total: number; inWindow: number }, value: CounterReading): void {
  sum.total += value.total;
  sum.inWindow += value.inWindow;
}

function numbersOf({ counts, latency }: Sums, seconds: number): CacheNumbers {
  const { hits, misses, evictions, errors } = counts;
  return {
    hits: hits.total,
    misses: misses.total,
    evictions: evictions.total,
    errors: errors.total,
    hitRate: quotient(hits.inWindow, hits.inWindow + misses.inWindow),
    ...latenciesOf(latency),
    window: {
      hits: hits.inWindow,
      misses: misses.inWindow,
      evictions: evictions.inWindow,
      errors: errors.inWindow,
      lookUpsPerSecond: quotient(hits.inWindow + misses.inWindow, seconds),
      evictionsPerSecond: quotient(evictions.inWindow, seconds),
    },
    lifetime: { hitRate: quotient(hits.total, hits.total + misses.total) },
  };
}

function latenciesOf(sums: WindowSums): LatencySummary {
  const values = new Float64Array(SHARES.length);
  sums.quantiles(SHARES, values);
  const { requests: calls, seconds } = sums.window;
  return {
    avgLatencyMs: quotient(seconds * MS_PER_SECOND, calls),
    p50LatencyMs: inMs(values[0]),
    p90LatencyMs: inMs(values[1]),
    p95LatencyMs: inMs(values[2]),
    p99LatencyMs: inMs(values[3]),
  };
}
