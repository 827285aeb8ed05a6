import type { Segment } from '../layout/segment.js';
import { type Snapshot, type SnapshotJson, snapshotToJson } from '../snapshot/snapshot.js';
import type { HealthReport } from './health-report.js';
import { type ReliabilityReport, reliabilityReport } from './reliability-report.js';

/** What `/health/extended` answers: schema/health.schema.json#/$defs/extended. */
export interface ExtendedHealth extends HealthReport {
  readonly metrics_extended: MetricsExtended;
  readonly reliability: ReliabilityReport;
  /** schema/snapshot.schema.json. */
  readonly snapshot: SnapshotJson;
}

/** The numbers of the window at a glance. */
export interface MetricsExtended {
  readonly error_rate: number | null;
  readonly request_volume: {
    readonly requests: number;
    readonly requests_per_second: number | null;
    readonly span_seconds: number;
  };
  readonly event_loop_lag: { readonly avg_ms: number | null; readonly p95_ms: number | null };
  readonly websocket: Readonly<Record<string, number>>;
  /** By share: the named percentiles and the configured ones. */
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
