import { readlinkSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Segment } from '../layout/segment.js';
import * as layout from '../layout/watch.js';
import { addToWideCounter } from '../layout/wide-counter.js';
import { elapsedMs, monotonicMs, toCell } from './monotonic-clock.js';
import { every } from './shared-interval.js';
import { verdictOn } from './stall-reading.js';

/**
 * How often the loop says that it turns. A stall is known to half of it, however long it lasts; see docs/liveness.md for what it costs.
 */
export const BEAT_INTERVAL_MS = 100;

/** After so long the verdict on a stall is in: whoever watches looks twice a second. */
const VERDICT_MS = 1_000;

/** What counts as a stall, and what is done about it. */
export interface BeatSettings {
  /** Time without a turn of the loop from which it is a stall, ms, at least 250. */
  readonly stallMs: number;
  /** Length of the window in which the longest one is looked for, ms. */
  readonly windowMs: number;
  /** Stacks that whoever watches takes an hour at most; 0: none. */
  readonly stacksPerHour: number;
}

/** The time that a beat goes by. */
export interface BeatTime {
  /** Milliseconds of a clock that all threads share. */
  readonly clock: () => number;
  /** Milliseconds for which the loop has not been waiting for events since the thread began. */
  readonly busy: () => number;
  /** Calls a listener back at each interval; gives what stops that. */
  readonly every: (intervalMs: number, listener: () => void) => () => void;
}

const REAL_TIME: BeatTime = {
  clock: monotonicMs,
  busy: () => performance.eventLoopUtilization().active,
  every,
};

/**
 * The loop's pulse: a timer that notes in shared memory when the loop last came round, so that any other thread can tell for how long it has not.
 * When it is late, it notes the stall that has been. The timer does not keep the process alive.
 *
 * @see layout/watch.ts — the cells, and who else writes there.
 */
export class LoopBeat {
  private readonly segment: Segment;
  private readonly time: BeatTime;
  private stopBeating: (() => void) | undefined;
  private lastMs = 0;
  private lastBusyMs = 0;

  /** @param time For tests. */
  constructor(segment: Segment, time: BeatTime = REAL_TIME) {
    this.segment = segment;
    this.time = time;
  }

  /** Begins to beat, or goes on with other settings. */
  start({ stallMs, windowMs, stacksPerHour }: BeatSettings): void {
    const { watch } = this.segment;
    Atomics.store(watch, layout.STALL_MS, stallMs);
    Atomics.store(watch, layout.WINDOW_MS, toCell(windowMs));
    Atomics.store(watch, layout.STACKS_PER_HOUR, stacksPerHour);
    if (this.stopBeating !== undefined) return;
    Atomics.store(watch, layout.TASK_ID, ownTaskId());
    this.note(this.time.clock());
    Atomics.store(watch, layout.BEAT_INTERVAL_MS, BEAT_INTERVAL_MS);
    this.stopBeating = this.time.every(BEAT_INTERVAL_MS, () => this.beat());
  }

  stop(): void {
    this.stopBeating?.();
    this.stopBeating = undefined;
    Atomics.store(this.segment.watch, layout.BEAT_INTERVAL_MS, 0);
  }

  private beat(): void {
    const nowMs = this.time.clock();
    const { watch } = this.segment;
    const gapMs = nowMs - this.lastMs;
    const { lastBusyMs } = this;
    this.note(nowMs);
    // After the beat: a watcher that found the stall noted and the loop still late would take it for another one.
    if (gapMs >= (watch[layout.STALL_MS] as number)) {
      this.noteStall(nowMs, lengthMs(gapMs, this.lastBusyMs - lastBusyMs));
    }
    if (watch[layout.COUNTED_STALLS] !== watch[layout.STALL_COUNT]) this.countStalls(nowMs);
  }

  private note(nowMs: number): void {
    this.lastMs = nowMs;
    this.lastBusyMs = this.time.busy();
    Atomics.store(this.segment.watch, layout.BEAT_MS, toCell(nowMs));
  }

  private noteStall(nowMs: number, stalledMs: number): void {
    const { watch } = this.segment;
    if (stalledMs < (watch[layout.STALL_MS] as number)) return;
    const number = watch[layout.STALL_COUNT] as number;
    const place = layout.STALLS + (number % layout.STALL_PLACES) * layout.STALL_CELLS;
    watch[place] = toCell(nowMs);
    watch[place + 1] = Math.round(stalledMs);
    Atomics.store(watch, layout.STALL_COUNT, number + 1);
  }

  /** Adds stalls to the totals once the verdict on them is in. */
  private countStalls(nowMs: number): void {
    const { watch } = this.segment;
    for (;;) {
      const number = watch[layout.COUNTED_STALLS] as number;
      if (number === watch[layout.STALL_COUNT]) return;
      const place = layout.STALLS + (number % layout.STALL_PLACES) * layout.STALL_CELLS;
      if (elapsedMs(watch[place] as number, nowMs) < VERDICT_MS) return;
      const cause = layout.STALL_CAUSES.indexOf(verdictOn(this.segment, number));
      Atomics.add(watch, layout.STALLS_BY_CAUSE + cause, 1);
      addToWideCounter(watch, layout.STALLED_MS + 3 * cause, watch[place + 1] as number);
      Atomics.store(watch, layout.COUNTED_STALLS, number + 1);
    }
  }
}

/**
 * How long the loop stood still, given that it did not beat for `gapMs`: it may have begun anywhere in the interval before the beat that was
 * missed, but not sooner than the loop was busy, by Node's own books, which tells it exactly where nothing else happened.
 */
function lengthMs(gapMs: number, busyMs: number): number {
  const shortest = gapMs - BEAT_INTERVAL_MS;
  // Less busy than it stood still: the process was stopped while the loop was waiting for events.
  const longest = busyMs < shortest ? gapMs : Math.min(gapMs, busyMs);
  return (shortest + longest) / 2;
}

/** The kernel's id of the calling thread; 0 where it is not told. */
function ownTaskId(): number {
  if (process.platform !== 'linux') return 0;
  try {
    return Number(/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1] ?? 0);
  } catch {
    // No /proc, or a permission model that refuses it.
    return 0;
  }
}
