import type { Segment } from '../layout/segment.js';
import * as layout from '../layout/watch.js';
import { readWideCounter } from '../layout/wide-counter.js';
import { elapsedMs, monotonicMs } from './monotonic-clock.js';

/** A time in which the loop did not turn. */
export interface Stall {
  /** When it began, ISO 8601. */
  readonly startedAt: string;
  /** How long it was, or has been, ms, to within 50 ms. */
  readonly durationMs: number;
  /** Why the loop stood still, as far as anybody could tell: docs/liveness.md. */
  readonly cause: layout.StallCause;
  /** Where the thread was, a line a frame; `null` where nobody asked it, or it could not answer. */
  readonly stack: string | null;
}

/** What another thread can tell of a loop, also while it stands still. */
export interface LoopWatch {
  /** For how long the loop has not turned as of now, ms; 0 when it turns; `null` when its beat is off. To within 50 ms. */
  readonly blockedMs: number | null;
  /** Why, while it does not turn. */
  readonly blockedBy: layout.StallCause | null;
  /** Stalls since the start, the one that goes on not counted. */
  readonly stalls: number;
  /** The longest of the window, the one that goes on included. Of the last 256. */
  readonly longestStall: Stall | null;
  /** The last one, or the one that goes on. */
  readonly lastStall: Stall | null;
}

/** Stalls since the start, by the number of their cause. Each is added a second after its end. */
export interface StallTotals {
  readonly counts: readonly number[];
  readonly lengthsMs: readonly number[];
}

interface Found {
  readonly number: number;
  readonly endedMs: number;
  readonly lengthMs: number;
}

/** Reads how the segment's loop fares, on any thread, from shared memory alone. */
export function readLoopWatch(segment: Segment, nowMs = monotonicMs()): LoopWatch {
  const blockedMs = readBlockedMs(segment, nowMs);
  const { longest, last, count } = readStalls(segment, nowMs);
  const wallMs = Date.now();
  return {
    blockedMs: isBeating(segment) ? blockedMs : null,
    blockedBy: blockedMs === 0 ? null : verdictOn(segment, count),
    stalls: count,
    longestStall: longest === undefined ? null : describe(segment, longest, wallMs),
    lastStall: last === undefined ? null : describe(segment, last, wallMs),
  };
}

/** Length of the window's longest stall, the one that goes on included, ms; 0 when there is none. */
export function readLongestStallMs(segment: Segment): number {
  return readStalls(segment, monotonicMs()).longest?.lengthMs ?? 0;
}

/** The last stall, or the one that goes on: how long it was, and how long ago it ended, ms; `undefined` when there was none. */
export function readLastStall(
  segment: Segment,
): { readonly lengthMs: number; readonly endedMs: number } | undefined {
  return readStalls(segment, monotonicMs()).last;
}

/** Reads the totals. */
export function readStallTotals({ watch }: Segment): StallTotals {
  return {
    counts: layout.STALL_CAUSES.map((_, cause) =>
      Atomics.load(watch, layout.STALLS_BY_CAUSE + cause),
    ),
    lengthsMs: layout.STALL_CAUSES.map((_, cause) =>
      readWideCounter(watch, layout.STALLED_MS + 3 * cause),
    ),
  };
}

/** The stalls that are remembered, and the one that goes on. */
function readStalls(segment: Segment, nowMs: number) {
  const { watch } = segment;
  const count = Atomics.load(watch, layout.STALL_COUNT);
  const windowMs = Atomics.load(watch, layout.WINDOW_MS);
  let longest: Found | undefined;
  let last: Found | undefined;
  const take = (found: Found): void => {
    last = found;
    if (found.endedMs <= windowMs && found.lengthMs >= (longest?.lengthMs ?? 0)) longest = found;
  };
  for (let number = Math.max(0, count - layout.STALL_PLACES); number < count; number++) {
    const place = layout.STALLS + (number % layout.STALL_PLACES) * layout.STALL_CELLS;
    const endedMs = elapsedMs(watch[place] as number, nowMs);
    take({ number, endedMs, lengthMs: watch[place + 1] as number });
  }
  const blockedMs = readBlockedMs(segment, nowMs);
  if (blockedMs > 0 && blockedMs >= Atomics.load(watch, layout.STALL_MS)) {
    take({ number: count, endedMs: 0, lengthMs: blockedMs });
  }
  return { longest, last, count };
}

/** For how long the segment's loop has not turned as of now, ms; 0 when it turns, or when its beat is off. */
export function readBlockedMs(segment: Segment, nowMs = monotonicMs()): number {
  const { watch } = segment;
  const intervalMs = Atomics.load(watch, layout.BEAT_INTERVAL_MS);
  const sinceMs = elapsedMs(Atomics.load(watch, layout.BEAT_MS), nowMs);
  // It stopped some time between the last beat and when the next was due.
  return intervalMs === 0 || sinceMs <= 2 * intervalMs ? 0 : sinceMs - intervalMs / 2;
}

/** Whether anybody can tell: the loop's beat is on. */
export function isBeating({ watch }: Segment): boolean {
  return Atomics.load(watch, layout.BEAT_INTERVAL_MS) !== 0;
}

/** Length of a stall that is over, ms; by its number, of the last 256. */
export function readStallMs({ watch }: Segment, number: number): number {
  const place = layout.STALLS + (number % layout.STALL_PLACES) * layout.STALL_CELLS;
  return watch[place + 1] as number;
}

/** What is known of the cause of a stall, by its number; that of the one that goes on is the count of those before. */
export function verdictOn({ watch }: Segment, number: number): layout.StallCause {
  const verdict = Atomics.load(watch, layout.VERDICTS + (number % layout.STALL_PLACES));
  if (verdict >>> 8 !== verdictNumber(number)) return 'unknown';
  return layout.STALL_CAUSES[verdict & 0xff] ?? 'unknown';
}

/** Says what is known of it. For the watcher. */
export function judge({ watch }: Segment, number: number, cause: layout.StallCause): void {
  const verdict = (verdictNumber(number) << 8) | layout.STALL_CAUSES.indexOf(cause);
  Atomics.store(watch, layout.VERDICTS + (number % layout.STALL_PLACES), verdict);
}

/** Notes where the thread was. For the watcher. */
export function noteStack({ watch }: Segment, number: number, stack: string): void {
  Atomics.store(watch, layout.STACK_STALL, 0);
  const { written } = new TextEncoder().encodeInto(stack, stackBytes(watch));
  watch[layout.STACK_BYTES] = written;
  Atomics.store(watch, layout.STACK_STALL, number + 1);
}

function readStack({ watch }: Segment, number: number): string | null {
  if (Atomics.load(watch, layout.STACK_STALL) !== number + 1) return null;
  // Copied, as a decoder takes no shared memory.
  const bytes = stackBytes(watch).slice(0, watch[layout.STACK_BYTES]);
  const isWhole = Atomics.load(watch, layout.STACK_STALL) === number + 1;
  return isWhole ? Buffer.from(bytes).toString('utf8') : null;
}

function stackBytes(watch: Int32Array<SharedArrayBuffer>): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(watch.buffer, watch.byteOffset + layout.STACK * 4, layout.STACK_BYTES_MAX);
}

/** In 24 bits, and never 0. */
function verdictNumber(number: number): number {
  return (number % 0xff_ffff) + 1;
}

/** @param wallMs Unix time of the reading: one for all stalls in it, as the longest may be the last. */
function describe(segment: Segment, { number, endedMs, lengthMs }: Found, wallMs: number): Stall {
  return {
    startedAt: new Date(wallMs - endedMs - lengthMs).toISOString(),
    durationMs: lengthMs,
    cause: verdictOn(segment, number),
    stack: readStack(segment, number),
  };
}
