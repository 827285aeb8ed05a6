import { assertLayout } from './assert-layout.js';

/**
 * Health region: what the evaluator of health (health/health-evaluator.ts) remembers and has found, in doubles. The evaluator is whoever drains: the
 * pool thread, or main while there is none. Groups of different writers lie 128 bytes apart.
 *
 *   double   field        writer     notes
 *   ───────  ───────────  ─────────  ──────────────────────────────────────────────────────────────────────────────
 *   0        sequence     evaluator  its first cell, u32, Atomics rmw: odd while findings are being written
 *   16 … 23  settings     main       plain: windowTicks, and thresholds; 0 ticks: nothing is evaluated
 *   32       lookTick     evaluator  tick of the last look, and of the last row; 0: none yet
 *   33       rowTick
 *   34       looks        evaluator  looks so far: look n is at place n modulo 8
 *   35       rows         evaluator  rows so far: row n is at place n modulo 96
 *   36       atMs         evaluator  when the last row was judged: Unix time, ms
 *   48 … 87  looks        evaluator  8 × { tick, requests, errors, lagSamples, lagSeconds }, all since the start
 *   96 … 191 findings     evaluator  two conditions, then four detectors: 6 × { isOn, streak, sinceMs, verdict, value, threshold, subject, evidence × 9 }
 *   192      totals       evaluator  as of the last row: requests, then 16 × { cacheId + 1, hits, misses }
 *   256 …    rows         evaluator  96 × { tick, elapsedTicks, requests, p50, p95, p99, flags, —, 16 × { hits, misses } }
 *
 * A row counts from when its tick is stored, last; a thread that dies before leaves a row without one, which its successor writes again. Findings are
 * read by the sequence: what a dead thread left half-written is read as it is, and written again within a step.
 */
export const SEQUENCE_CELL = 0;

export const SETTINGS = 16;
export const WINDOW_TICKS = SETTINGS;
export const UNHEALTHY_LAG_MS = WINDOW_TICKS + 1;
export const UNHEALTHY_ERROR_SHARE = UNHEALTHY_LAG_MS + 1;
export const UNHEALTHY_STALL_MS = UNHEALTHY_ERROR_SHARE + 1;
export const HIGH_LAG_MS = UNHEALTHY_STALL_MS + 1;
export const LOW_HIT_RATE = HIGH_LAG_MS + 1;
export const LATENCY_RISE = LOW_HIT_RATE + 1;
export const VOLUME_FACTOR = LATENCY_RISE + 1;

export const LOOK_TICK = 32;
export const ROW_TICK = LOOK_TICK + 1;
export const LOOK_COUNT = ROW_TICK + 1;
export const ROW_COUNT = LOOK_COUNT + 1;
export const JUDGED_MS = ROW_COUNT + 1;

export const LOOKS = 48;
export const LOOK_PLACES = 8;
export const LOOK_DOUBLES = 5;

export const FINDINGS = 96;
export const FINDING_DOUBLES = 16;
export const FINDING_PLACES = 6;
/** Of a finding. */
export const IS_ON = 0;
export const STREAK = IS_ON + 1;
export const SINCE_MS = STREAK + 1;
export const VERDICT = SINCE_MS + 1;
export const VALUE = VERDICT + 1;
export const THRESHOLD = VALUE + 1;
export const SUBJECT = THRESHOLD + 1;
export const EVIDENCE = SUBJECT + 1;
export const EVIDENCE_DOUBLES = FINDING_DOUBLES - EVIDENCE;

/** Caches that are judged; a process has a few. */
export const CACHE_PLACES = 16;

export const ROW_TOTALS = FINDINGS + FINDING_PLACES * FINDING_DOUBLES;
export const CACHE_TOTALS = ROW_TOTALS + 1;
export const CACHE_TOTALS_DOUBLES = 3;

export const ROWS = CACHE_TOTALS + CACHE_PLACES * CACHE_TOTALS_DOUBLES + 15;
/** A window and the twelve before it, six rows each, and some to spare. */
export const ROW_PLACES = 96;
/** Of a row. */
export const ROW_AT = 0;
export const ROW_ELAPSED = ROW_AT + 1;
export const ROW_REQUESTS = ROW_ELAPSED + 1;
export const ROW_QUANTILES = ROW_REQUESTS + 1;
export const ROW_FLAGS = ROW_QUANTILES + 3;
export const ROW_CACHES = 8;
export const ROW_DOUBLES = ROW_CACHES + 2 * CACHE_PLACES;

export const HEALTH_DOUBLES = ROWS + ROW_PLACES * ROW_DOUBLES;

assertLayout(ROWS === 256, 'the rows begin at double 256');
assertLayout(VOLUME_FACTOR < LOOK_TICK - 8, 'the settings group holds its doubles');
assertLayout(JUDGED_MS < LOOKS, 'the looks begin after the counts');
assertLayout(LOOKS + LOOK_PLACES * LOOK_DOUBLES <= FINDINGS, 'the findings begin after the looks');
assertLayout(EVIDENCE_DOUBLES === 9, 'a finding holds nine numbers of evidence');
assertLayout(ROW_FLAGS < ROW_CACHES, 'a row has its caches after the rest');
assertLayout(HEALTH_DOUBLES === 4096, 'the health region is 32 KiB');
