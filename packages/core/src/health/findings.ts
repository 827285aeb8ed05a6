import * as layout from '../layout/health.js';
import type { Segment } from '../layout/segment.js';
import type { Judgement } from './finding.js';
import { nextAlarm, type Patience, VERDICTS, type Verdict } from './hysteresis.js';

/** Where each finding lies, in this order. */
export const FINDING_NAMES = [
  'event_loop_lag',
  'error_rate',
  'percentile_regression',
  'cache_efficiency',
  'loop_lag',
  'volume_anomaly',
] as const;
export type FindingName = (typeof FINDING_NAMES)[number];

/** A judgement as it stands, with what has become of it. */
export interface Finding extends Judgement {
  readonly isOn: boolean;
  /** Since when it is as it is, on or off: Unix time, ms; 0: it has never been judged. */
  readonly sinceMs: number;
}

/** Readings under which somebody writes; a writer is done in microseconds. */
const ATTEMPTS_MAX = 100;

/** Writes judgements, as one: a reader on another thread sees all of them or none. For the evaluator. */
export function noteFindings(
  segment: Segment,
  judgements: ReadonlyMap<FindingName, Judgement>,
  at: { readonly nowMs: number; readonly patience: Patience },
): void {
  const { healthCells } = segment;
  // A thread that died in here has left it odd.
  const isOdd = (Atomics.load(healthCells, layout.SEQUENCE_CELL) & 1) === 1;
  if (!isOdd) Atomics.add(healthCells, layout.SEQUENCE_CELL, 1);
  for (const [name, judgement] of judgements) noteFinding(segment, name, { judgement, ...at });
  Atomics.add(healthCells, layout.SEQUENCE_CELL, 1);
}

/** Reads all findings as of one look, on any thread. */
export function readFindings(segment: Segment): Record<FindingName, Finding> {
  const { healthCells, health } = segment;
  const end = layout.FINDINGS + layout.FINDING_PLACES * layout.FINDING_DOUBLES;
  let copy = health.slice(layout.FINDINGS, end);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const sequence = Atomics.load(healthCells, layout.SEQUENCE_CELL);
    copy = health.slice(layout.FINDINGS, end);
    const isStill = Atomics.add(healthCells, layout.SEQUENCE_CELL, 0) === sequence;
    if ((sequence & 1) === 0 && isStill) break;
  }
  const entries = FINDING_NAMES.map((name, index) => {
    const place = index * layout.FINDING_DOUBLES;
    return [name, findingOf(copy.subarray(place, place + layout.FINDING_DOUBLES))] as const;
  });
  return Object.fromEntries(entries) as Record<FindingName, Finding>;
}

function noteFinding(
  { health }: Segment,
  name: FindingName,
  of: { readonly judgement: Judgement; readonly nowMs: number; readonly patience: Patience },
): void {
  const { judgement, nowMs, patience } = of;
  const place = layout.FINDINGS + FINDING_NAMES.indexOf(name) * layout.FINDING_DOUBLES;
  const before = {
    isOn: health[place + layout.IS_ON] === 1,
    streak: health[place + layout.STREAK] as number,
  };
  const after = nextAlarm(before, judgement.verdict, patience);
  if (after.isOn !== before.isOn || health[place + layout.SINCE_MS] === 0) {
    health[place + layout.SINCE_MS] = nowMs;
  }
  health[place + layout.IS_ON] = after.isOn ? 1 : 0;
  health[place + layout.STREAK] = after.streak;
  health[place + layout.VERDICT] = VERDICTS.indexOf(judgement.verdict);
  health[place + layout.VALUE] = judgement.value;
  health[place + layout.THRESHOLD] = judgement.threshold;
  health[place + layout.SUBJECT] = judgement.subject;
  health.fill(
    Number.NaN,
    place + layout.EVIDENCE,
    place + layout.EVIDENCE + layout.EVIDENCE_DOUBLES,
  );
  health.set(judgement.evidence, place + layout.EVIDENCE);
}

function findingOf(doubles: Float64Array): Finding {
  return {
    isOn: doubles[layout.IS_ON] === 1,
    sinceMs: doubles[layout.SINCE_MS] as number,
    verdict: VERDICTS[doubles[layout.VERDICT] as number] as Verdict,
    value: doubles[layout.VALUE] as number,
    threshold: doubles[layout.THRESHOLD] as number,
    subject: doubles[layout.SUBJECT] as number,
    evidence: Array.from(doubles.subarray(layout.EVIDENCE)),
  };
}
