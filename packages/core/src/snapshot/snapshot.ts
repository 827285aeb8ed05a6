import type { PipelineTotals } from './pipeline-totals.js';

/** Latencies of a set of requests, milliseconds. `null` where there was no request to take them from. */
export interface LatencySummary {
  readonly avgLatencyMs: number | null;
  readonly p50LatencyMs: number | null;
  readonly p90LatencyMs: number | null;
  readonly p95LatencyMs: number | null;
  readonly p99LatencyMs: number | null;
}

/** One row a method and route template. */
export interface RouteSnapshot extends LatencySummary {
  readonly method: string;
  readonly route: string;
  readonly requests: number;
  readonly errors: number;
  /** Share of requests answered with status 500 and above. */
  readonly errorRate: number | null;
}

/**
 * The service's numbers as of one moment, since its start. On the wire the same tree in snake_case (`snapshotToJson`).
 *
 * A rate or mean with nothing to divide by is `null`, never 0. Percentiles are at most one bucket of the sketch, 2.2 %, off.
 */
export interface Snapshot extends LatencySummary {
  /** When it was read, ISO 8601. */
  readonly takenAt: string;
  readonly totalRequests: number;
  /** Share of requests answered with status 500 and above. */
  readonly errorRate: number | null;
  readonly requestsInFlight: number;
  /** Cumulative: bound in milliseconds → requests that took at most so long; '+Inf' is all of them. */
  readonly latencyHistogram: Readonly<Record<string, number>>;
  readonly cache: {
    readonly hits: number;
    readonly misses: number;
    readonly evictions: number;
    readonly hitRate: number | null;
  };
  readonly eventLoop: {
    readonly avgLagMs: number | null;
    readonly p95LagMs: number | null;
    readonly monitoringActive: boolean;
  };
  readonly websocket: { readonly openConnectionsEstimate: number; readonly messagesSent: number };
  readonly routes: readonly RouteSnapshot[];
  readonly pipeline: PipelineTotals;
}

/** A snapshot as JSON gives it: keys in snake_case, the keys of `latencyHistogram` as they are. */
export type SnapshotJson = { readonly [key: string]: JsonValue };
type JsonValue = string | number | boolean | null | readonly JsonValue[] | SnapshotJson;

/** The wire form of a snapshot, or of a part of it: schema/snapshot.schema.json. */
export function snapshotToJson(snapshot: Partial<Snapshot>): SnapshotJson {
  return toSnakeCase(snapshot as unknown as SnapshotJson) as SnapshotJson;
}

function toSnakeCase(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(toSnakeCase);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [snakeCase(key), toSnakeCase(inner)]);
  return Object.fromEntries(entries) as SnapshotJson;
}

/** Only letters make words: `p95LatencyMs` → `p95_latency_ms`, `0.5` and `+Inf` stay. */
function snakeCase(key: string): string {
  return /^[a-z]/.test(key) ? key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : key;
}
