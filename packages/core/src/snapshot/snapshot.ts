import type { LoopWatch } from '../process/stall-reading.js';
import type { PipelineTotals } from './pipeline-totals.js';
import type { ProcessFacts } from './process-facts.js';

/** Latencies of a set of requests or calls over the window, ms, at least 0; `null` where the window holds none to take them from. */
export interface LatencySummary {
  /** Mean latency over the window, ms; `null` where the window holds nothing. */
  readonly avgLatencyMs: number | null;
  /** Latency that half of the window stays below, ms, at most 2.2 % off; `null` where the window holds nothing. */
  readonly p50LatencyMs: number | null;
  /** Latency that 90 % of the window stays below, ms, at most 2.2 % off; `null` where the window holds nothing. */
  readonly p90LatencyMs: number | null;
  /** Latency that 95 % of the window stays below, ms, at most 2.2 % off; `null` where the window holds nothing. */
  readonly p95LatencyMs: number | null;
  /** Latency that 99 % of the window stays below, ms, at most 2.2 % off; `null` where the window holds nothing. */
  readonly p99LatencyMs: number | null;
}

/** What the window holds of a set of requests. */
export interface WindowCounts {
  /** Requests that were answered, or aborted. */
  readonly requests: number;
  /** Requests that were answered with status 500 and above. */
  readonly errors: number;
  /** Requests a second over what the window holds; `null` at its very beginning. */
  readonly requestsPerSecond: number | null;
}

/** One row a method and route template. */
export interface RouteSnapshot extends LatencySummary {
  /** Method of the requests, as the label has it. */
  readonly method: string;
  /** Template of the route, as the label has it. */
  readonly route: string;
  /** Requests since the start. */
  readonly requests: number;
  /** Requests since the start that were answered with status 500 and above. */
  readonly errors: number;
  /** Share of the window's requests that were answered with status 500 and above, in [0, 1]; `null` where the window holds none. */
  readonly errorRate: number | null;
  /** What the window holds of them. */
  readonly window: WindowCounts;
}

/** What hooked caches count. Latencies are of all calls over the window, by the sketch. */
export interface CacheNumbers extends LatencySummary {
  /** Look-ups since the start that found a value. */
  readonly hits: number;
  /** Look-ups since the start that found none. */
  readonly misses: number;
  /** Values since the start that made room for others, where the library tells. */
  readonly evictions: number;
  /** Calls since the start that threw or rejected. */
  readonly errors: number;
  /** Share of the window's look-ups that found a value, in [0, 1]; `null` where the window holds none. */
  readonly hitRate: number | null;
  /** What the window holds of them. */
  readonly window: {
    /** Look-ups that found a value. */
    readonly hits: number;
    /** Look-ups that found none. */
    readonly misses: number;
    /** Values that made room for others, where the library tells. */
    readonly evictions: number;
    /** Calls that threw or rejected. */
    readonly errors: number;
    /** Look-ups a second; `null` at the window's very beginning. */
    readonly lookUpsPerSecond: number | null;
    /** Evictions a second; `null` at the window's very beginning. */
    readonly evictionsPerSecond: number | null;
  };
  /** Since the start, beside the window's numbers. */
  readonly lifetime: {
    /** Share of all look-ups that found a value, in [0, 1]; `null` before the first. */
    readonly hitRate: number | null;
  };
}

/** One row a name under which caches are hooked. */
export interface CacheSnapshot extends CacheNumbers {
  /** The name, which is the label `cache`. */
  readonly name: string;
}

/** All hooked caches together, and each. */
export interface CacheTotals extends CacheNumbers {
  /** A row a name. */
  readonly caches: readonly CacheSnapshot[];
}

/** What instrumented WebSockets count; a count without a window is since the start. */
export interface WebSocketTotals {
  /** Connections that are open at present; exact where sockets are instrumented from their beginning to their end. */
  readonly openConnectionsEstimate: number;
  /** Connections that were opened. */
  readonly connections: number;
  /** Messages that the application sent. */
  readonly messagesSent: number;
  /** Messages that the application received. */
  readonly messagesReceived: number;
  /** Bytes of the messages sent, as the application has them. */
  readonly bytesSent: number;
  /** Bytes of the messages received, as the application has them. */
  readonly bytesReceived: number;
  /** Errors of connections. */
  readonly errors: number;
  /** Upgrades that servers answered with an error. */
  readonly upgradesRefused: number;
  /** What the window holds of them. */
  readonly window: {
    /** Messages that the application sent. */
    readonly messagesSent: number;
    /** Messages that the application received. */
    readonly messagesReceived: number;
    /** Messages sent a second; `null` at the window's very beginning. */
    readonly messagesSentPerSecond: number | null;
    /** Messages received a second; `null` at the window's very beginning. */
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
  /** Requests since the start that were answered, or aborted. */
  readonly totalRequests: number;
  /** Share of the window's requests that were answered with status 500 and above, in [0, 1]; `null` where the window holds none. */
  readonly errorRate: number | null;
  /** Requests that are being answered. */
  readonly requestsInFlight: number;
  /** Since the start, cumulative: bound in milliseconds → requests that took at most so long; '+Inf' is all of them. */
  readonly latencyHistogram: Readonly<Record<string, number>>;
  /** Shares of the option `quantiles` → latency that this share of the window's requests stays below, ms; `null` where the window holds none. */
  readonly latencyQuantilesMs: Readonly<Record<string, number | null>>;
  /** What the sliding window holds of all requests. */
  readonly window: WindowCounts & {
    /** Its length, seconds. */
    readonly seconds: number;
    /** How much time it holds at present, seconds: less while the process is younger, and while its newest slice is not complete. */
    readonly spanSeconds: number;
  };
  /** Since the start, beside the window's numbers. */
  readonly lifetime: {
    /** Requests that were answered with status 500 and above. */
    readonly errors: number;
    /** Share of them among all requests, in [0, 1]; `null` before the first request. */
    readonly errorRate: number | null;
    /** Mean latency of all requests, ms; `null` before the first. */
    readonly avgLatencyMs: number | null;
  };
  /** What hooked caches count. */
  readonly cache: CacheTotals;
  /** Lag over the window, weighted by time; and what can be told of the loop from another thread (docs/liveness.md). */
  readonly eventLoop: LoopWatch & {
    /** Mean lag, ms; `null` where the window holds no sample, as with the next three. */
    readonly avgLagMs: number | null;
    /** Lag that the loop stays below for 95 % of the window's time, ms, at most 2.2 % off. */
    readonly p95LagMs: number | null;
    /** Lag that the loop stays below for 99 % of the window's time, ms, at most 2.2 % off. */
    readonly p99LagMs: number | null;
    /** Highest lag, ms, at most 2.2 % too high. */
    readonly maxLagMs: number | null;
    /** Share of the window in which the loop was not waiting for events, in [0, 1]; `null` where nothing is known. */
    readonly utilization: number | null;
    /** Whether lag is sampled at present. */
    readonly monitoringActive: boolean;
  };
  /** What instrumented WebSockets count. */
  readonly websocket: WebSocketTotals;
  /** What Node says of the process. */
  readonly process: ProcessFacts;
  /** A row for each method and route template that had a request. */
  readonly routes: readonly RouteSnapshot[];
  /** The books of the pipeline itself. */
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
