import type { Segment } from '../layout/segment.js';
import { type Snapshot, type SnapshotJson, snapshotToJson } from '../snapshot/snapshot.js';
import type { HealthReport } from './health-report.js';
import { type ReliabilityReport, reliabilityReport } from './reliability-report.js';

/** What `/health/extended` answers: schema/health.schema.json#/$defs/extended. */
export interface ExtendedHealth extends HealthReport {
  /** The numbers of the window at a glance. */
  readonly metrics_extended: MetricsExtended;
  /** What the detectors say. */
  readonly reliability: ReliabilityReport;
  /** The whole snapshot: schema/snapshot.schema.json. */
  readonly snapshot: SnapshotJson;
}

/** The numbers of the window at a glance. */
export interface MetricsExtended {
  /** Share of the window's requests that were answered with status 500 and above, in [0, 1]; `null` where the window holds none. */
  readonly error_rate: number | null;
  /** Requests of the window. */
  readonly request_volume: {
    /** How many there are. */
    readonly requests: number;
    /** How many there are a second; `null` at the window's very beginning. */
    readonly requests_per_second: number | null;
    /** How much time the window holds at present, seconds. */
    readonly span_seconds: number;
  };
  /** Lag of the loop over the window, weighted by time. */
  readonly event_loop_lag: {
    /** Mean lag, ms; `null` where the window holds no sample. */
    readonly avg_ms: number | null;
    /** Lag that the loop stays below for 95 % of the time, ms; `null` where the window holds no sample. */
    readonly p95_ms: number | null;
  };
  /** Counts of WebSockets, by their names in the snapshot. */
  readonly websocket: Readonly<Record<string, number>>;
  /** Latency by share, ms: the named percentiles and the configured ones; `null` where the window holds no request. */
  readonly percentiles_ms: Readonly<Record<string, number | null>>;
}

/** Puts it together. */
export function extendedHealth(
  segment: Segment,
  { report, snapshot }: { readonly report: HealthReport; readonly snapshot: Snapshot },
): ExtendedHealth {
  const json = snapshotToJson(snapshot);
  return {
    ...report,
    metrics_extended: metricsExtended(snapshot, json),
    reliability: reliabilityReport(segment),
    snapshot: json,
  };
}

function metricsExtended(snapshot: Snapshot, json: SnapshotJson): MetricsExtended {
  const { window, eventLoop, latencyQuantilesMs } = snapshot;
  return {
    error_rate: snapshot.errorRate,
    request_volume: {
      requests: window.requests,
      requests_per_second: window.requestsPerSecond,
      span_seconds: window.spanSeconds,
    },
    event_loop_lag: { avg_ms: eventLoop.avgLagMs, p95_ms: eventLoop.p95LagMs },
    websocket: countsOf(json['websocket'] as SnapshotJson),
    percentiles_ms: {
      0.5: snapshot.p50LatencyMs,
      0.9: snapshot.p90LatencyMs,
      0.95: snapshot.p95LatencyMs,
      0.99: snapshot.p99LatencyMs,
      ...latencyQuantilesMs,
    },
  };
}

/** Its counts alone; what the window holds of them stands in the snapshot. */
function countsOf(json: SnapshotJson): Record<string, number> {
  const counts = Object.entries(json).filter(([, value]) => typeof value === 'number');
  return Object.fromEntries(counts) as Record<string, number>;
}
