import type { Engine } from '../engine/engine.js';
import * as layout from '../layout/health.js';
import type { Segment } from '../layout/segment.js';
import { readBlockedMs, readLastStall } from '../process/stall-reading.js';
import { totalsOf } from '../snapshot/pipeline-totals.js';
import { type Finding, readFindings } from './findings.js';
import type { CheckResult } from './health-checks.js';

/** Why a service is not healthy, or not quite. */
export interface HealthReason {
  /** What is wrong: `check` is a check of the application's own. */
  readonly code:
    | 'closed'
    | 'event_loop_lag'
    | 'event_loop_stall'
    | 'error_rate'
    | 'check'
    | 'engine_degraded';
  /** The check's name; `null` of everything else. */
  readonly check: string | null;
  /** What was compared with the threshold: ms, or a share in [0, 1]; `null` where there is no number to it. */
  readonly value: number | null;
  /** The threshold, in the same unit; `null` where there is none. */
  readonly threshold: number | null;
  /** Since when, ISO 8601; `null` where that is not known. */
  readonly since: string | null;
}

/** A check as it stands. */
export interface CheckReport {
  /** The name under which it was added. */
  readonly name: string;
  /** `pending`: it has not ended yet. `failing` after two failures in a row, or where the first one failed; `ok` again after two successes. */
  readonly state: CheckResult['state'];
  /** How long ago it last ended, ms; `null` before it has. */
  readonly age_ms: number | null;
  /** How long it took then, ms; `null` before it has ended. */
  readonly duration_ms: number | null;
  /** Why it failed the last time; `null` where it did not. */
  readonly error: string | null;
}

/** What `/health` answers: schema/health.schema.json. */
export interface HealthReport {
  /** `degraded`: at work, and an operator should look. Only `unhealthy` and `closed` are answered with 503. */
  readonly status: 'ok' | 'degraded' | 'unhealthy' | 'closed';
  /** Why the status is not `ok`; empty where it is. */
  readonly reasons: readonly HealthReason[];
  /** Where aggregation and rendering run. */
  readonly engine: Engine['kind'];
  /** `degraded`: a pool whose thread is being replaced; meanwhile the main thread does its work. */
  readonly engine_state: Engine['state'];
  /** Time since the metrics were made, seconds. */
  readonly uptime_seconds: number;
  /** Records in the ring that are not aggregated yet. */
  readonly backlog_records: number;
  /** Records since the start that a full ring refused. */
  readonly dropped_records: number;
  /** The application's own checks, in the order of their coming. */
  readonly checks: readonly CheckReport[];
}

/** What a report says beside what shared memory holds. */
export interface HealthContext {
  readonly engine: Engine['kind'];
  readonly engineState: Engine['state'];
  readonly uptimeSeconds: number;
  readonly checks: readonly CheckResult[];
  /** How long main has not answered, as whoever asks knows it, ms. */
  readonly unansweredMs?: number;
}

/** So long after its end a stall still counts, as the next one may follow. */
const STALL_OVER_MS = 10_000;

/** Judges the service's health as of now, on any thread, from what the evaluator found and what can be told at once. */
export function healthReport(segment: Segment, context: HealthContext): HealthReport {
  const { engine, engineState, uptimeSeconds, checks } = context;
  const { backlogRecords, droppedRecords } = totalsOf(segment);
  const reasons = reasonsOf(segment, context);
  const isHarmless = reasons.every(({ code }) => code === 'engine_degraded');
  const status = engineState === 'closed' ? 'closed' : isHarmless ? 'degraded' : 'unhealthy';
  return {
    status: reasons.length === 0 ? 'ok' : status,
    reasons,
    engine,
    engine_state: engineState,
    uptime_seconds: uptimeSeconds,
    backlog_records: backlogRecords,
    dropped_records: droppedRecords,
    checks: checks.map(checkReport),
  };
}

/** Whether a load balancer may send requests. */
export function isServing({ status }: Pick<HealthReport, 'status'>): boolean {
  return status === 'ok' || status === 'degraded';
}

function reasonsOf(
  segment: Segment,
  { engineState, checks, unansweredMs = 0 }: HealthContext,
): HealthReason[] {
  const findings = readFindings(segment);
  const reasons: HealthReason[] = [];
  if (engineState === 'closed') reasons.push(reason('closed'));
  const stalledMs = stallBeyond(segment, unansweredMs);
  if (stalledMs !== undefined) {
    const threshold = segment.health[layout.UNHEALTHY_STALL_MS] as number;
    reasons.push({ ...reason('event_loop_stall'), value: stalledMs, threshold });
  }
  for (const code of ['event_loop_lag', 'error_rate'] as const) {
    if (findings[code].isOn) reasons.push({ ...reason(code), ...numbersOf(findings[code]) });
  }
  for (const { name, state, sinceMs } of checks) {
    if (state === 'ok') continue;
    reasons.push({ ...reason('check'), check: name, since: isoOf(sinceMs) });
  }
  if (engineState === 'degraded') reasons.push(reason('engine_degraded'));
  return reasons;
}

/** Length of a stall that is long enough and not long over, ms. */
function stallBeyond(segment: Segment, unansweredMs: number): number | undefined {
  const thresholdMs = segment.health[layout.UNHEALTHY_STALL_MS] as number;
  if (thresholdMs === 0) return undefined;
  const blockedMs = Math.max(readBlockedMs(segment), unansweredMs);
  if (blockedMs >= thresholdMs) return blockedMs;
  const last = readLastStall(segment);
  const counts = last !== undefined && last.lengthMs >= thresholdMs && last.endedMs < STALL_OVER_MS;
  return counts ? last.lengthMs : undefined;
}

function reason(code: HealthReason['code']): HealthReason {
  return { code, check: null, value: null, threshold: null, since: null };
}

function numbersOf({ value, threshold, sinceMs }: Finding) {
  return { value: finite(value), threshold: finite(threshold), since: isoOf(sinceMs) };
}

function checkReport({ name, state, endedMs, durationMs, error }: CheckResult): CheckReport {
  const hasEnded = endedMs > 0;
  return {
    name,
    state,
    age_ms: hasEnded ? Math.max(0, Date.now() - endedMs) : null,
    duration_ms: hasEnded ? durationMs : null,
    error: error === '' ? null : error,
  };
}

/** Unix time in ISO 8601; `null` for 0. */
export function isoOf(unixMs: number): string | null {
  return unixMs > 0 ? new Date(unixMs).toISOString() : null;
}

/** `null` for NaN and the infinities, which JSON has not. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
