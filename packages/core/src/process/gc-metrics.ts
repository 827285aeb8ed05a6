import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import type { DefaultMetricsScope } from './default-metrics-scope.js';

const MS_PER_SECOND = 1000;

const KINDS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

/** Collections kept while memory is not laid out; a program that has had so many has begun. */
const WAITING_MAX = 1_000;

/** Durations of garbage collections: of every one, as Node hands them over in batches. */
export function defineGcDuration(scope: DefaultMetricsScope): void {
  const waiting: PerformanceEntry[] = [];
  // Not recorded at once where nothing else has been: that would lay memory out before the program has given its options.
  const take = (entries: readonly PerformanceEntry[]): void => {
    waiting.push(...entries);
    if (histogram.isStarted() || waiting.length > WAITING_MAX) recordAll();
  };
  const recordAll = (): void => {
    for (const entry of waiting.splice(0)) {
      const kind = KINDS.get(kindOf(entry));
      if (kind !== undefined) histogram.observe({ kind }, entry.duration / MS_PER_SECOND);
    }
  };
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  const histogram = scope.histogram(
    {
      name: 'nodejs_gc_duration_seconds',
      help: 'Garbage collection duration by kind, one of major, minor, incremental or weakcb.',
      labelNames: ['kind'],
      buckets: scope.gcDurationBuckets,
    },
    () => {
      // Those that Node has not handed over yet.
      waiting.push(...observer.takeRecords());
      recordAll();
    },
  );
  observer.observe({ entryTypes: ['gc'] });
  scope.onStop(() => observer.disconnect());
}

function kindOf(entry: PerformanceEntry): number {
  const { detail } = entry as { readonly detail?: unknown };
  return typeof detail === 'object' && detail !== null && 'kind' in detail
    ? Number(detail.kind)
    : -1;
}
