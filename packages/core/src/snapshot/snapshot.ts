import type { LoopWatch } from '../process/stall-reading.js';
import type { PipelineTotals } from './pipeline-totals.js';
import type { ProcessFacts } from './process-facts.js';

/** Latencies of a set of requests over the window, milliseconds. `null` where the window holds no request to take them from. */
export interface LatencySummary {
  readonly avgLatencyMs: number | null;
  readonly p50LatencyMs: number | null;
  readonly p90LatencyMs: number | null;
  readonly p95LatencyMs: number | null;
  readonly p99LatencyMs: number | null;
}

/** What the window holds of a set of requests. */
export interface WindowCounts {
  readonly requests: number;
  /** Answered with status 500 and above. */
  readonly errors: number;
  /** `null` at the window's very beginning. */
  readonly requestsPerSecond: number | null;
}

/** One row a method and route template. */
export interface RouteSnapshot extends LatencySummary {
  readonly method: string;
  readonly route: string;
  /** Since the start. */
  readonly requests: number;
  /** Of them, those answered with status 500 and above. */
  readonly errors: number;
  /** Share of the window's requests that were answered with status 500 and above. */
  readonly errorRate: number | null;
  readonly window: WindowCounts;
}

/** What hooked caches count. Latencies are of all calls over the window, by the sketch. */
export interface CacheNumbers extends LatencySummary {
  /** Look-ups since the start that found a value. */
  readonly hits: number;
  readonly misses: number;
  /** Values that made room for others, where the library tells. */
  readonly evictions: number;
  /** Calls that threw or rejected. */
  readonly errors: number;
  /** Share of the window's look-ups that found a value. */
  readonly hitRate: number | null;
  readonly window: {
    readonly hits: number;
    readonly misses: number;
    readonly evictions: number;
    readonly errors: number;
    /** `null` at the window's very beginning. */
    readonly lookUpsPerSecond: number | null;
    readonly evictionsPerSecond: number | null;
  };
  readonly lifetime: { readonly hitRate: number | null };
}

/** One row a name under which caches are hooked. */
export interface CacheSnapshot extends CacheNumbers {
  readonly name: string;
}

/** All hooked caches together, and each. */
export interface CacheTotals extends CacheNumbers {
  readonly caches: readonly CacheSnapshot[];
}

/** What instrumented WebSockets count; a count without a window is since the start. */
export interface WebSocketTotals {
  /** Exact where sockets are instrumented from their beginning to their end. */
  readonly openConnectionsEstimate: number;
  readonly connections: number;
  readonly messagesSent: number;
  readonly messagesReceived: number;
  /** Of messages, as the application has them. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly errors: number;
  readonly upgradesRefused: number;
  readonly window: {
    readonly messagesSent: number;
    readonly messagesReceived: number;
    /** `null` at the window's very beginning. */
    readonly messagesSentPerSecond: number | null;
    readonly messagesReceivedPerSecond: number | null;
  };
}

/**
 * The service's numbers as of one moment. On the wire the same tree in snake_case (`snapshotToJson`).
 *
 * Rates, means and percentiles are over the sliding window, counts since the start. A rate or mean with nothing to divide by is `null`,
 * never 0. Percentiles are at most one bucket of the sketch, 2.2 %, off (docs/percentiles.md).
 */
export interface Snapshot extends LatencySummary {
  /** When it was read, ISO 8601. */
  readonly takenAt: string;
  /** How long the oldest record has been waiting that is not in these numbers yet, ms; 0 when none is. To within 100 ms. */
  readonly ageMs: number;
  /** Since the start. */
  readonly totalRequests: number;
  /** Share of the window's requests that were answered with status 500 and above. */
  readonly errorRate: number | null;
  readonly requestsInFlight: number;
  /** Since the start, cumulative: bound in milliseconds → requests that took at most so long; '+Inf' is all of them. */
  readonly latencyHistogram: Readonly<Record<string, number>>;
  /** Configured shares → milliseconds: the option `quantiles`. */
  readonly latencyQuantilesMs: Readonly<Record<string, number | null>>;
  readonly window: WindowCounts & {
    /** Its length, seconds. */
    readonly seconds: number;
    /** How much time it holds at present, seconds: less while the process is younger, and while its newest slice is not complete. */
    readonly spanSeconds: number;
  };
  /** Beside the window's numbers. */
  readonly lifetime: {
    readonly errors: number;
    readonly errorRate: number | null;
    readonly avgLatencyMs: number | null;
  };
  readonly cache: CacheTotals;
  /** Lag over the window, weighted by time; and what can be told of the loop from another thread (docs/liveness.md). */
  readonly eventLoop: LoopWatch & {
    readonly avgLagMs: number | null;
    readonly p95LagMs: number | null;
    readonly p99LagMs: number | null;
    readonly maxLagMs: number | null;
    /** Share of the window in which the loop was not waiting for events. */
    readonly utilization: number | null;
    readonly monitoringActive: boolean;
  };
  readonly websocket: WebSocketTotals;
  readonly process: ProcessFacts;
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
