import type { Snapshot } from './snapshot.js';

/** Latency, loop lag and throughput. */
const FIELDS = [
  'takenAt',
  'totalRequests',
  'avgLatencyMs',
  'p50LatencyMs',
  'p90LatencyMs',
  'p95LatencyMs',
  'p99LatencyMs',
  'requestsInFlight',
  'latencyHistogram',
  'latencyQuantilesMs',
  'window',
  'eventLoop',
] as const satisfies readonly (keyof Snapshot)[];

/** The part of a snapshot that says how fast the service is. */
export type PerformanceSnapshot = Pick<Snapshot, (typeof FIELDS)[number]>;

/** Takes that part of a snapshot. */
export function performanceOf(snapshot: Snapshot): PerformanceSnapshot {
  return Object.fromEntries(FIELDS.map((field) => [field, snapshot[field]])) as PerformanceSnapshot;
}
