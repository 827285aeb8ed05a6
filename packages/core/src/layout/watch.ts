import { assertLayout } from './assert-layout.js';

/**
 * Watch region: how the recording thread's loop fares, for whoever wants to know while it is blocked. Cells of different writers lie in groups
 * of their own, 128 bytes apart.
 *
 *   byte  cell  type      field            writer    store         notes
 *   ────  ────  ────────  ───────────────  ────────  ────────────  ──────────────────────────────────────────────────────────────
 *   beat
 *      0     0  u32       beatMs           producer  Atomics       when its loop last came round, by the process's clock; wraps
 *      4     1  u32       beatIntervalMs   producer  Atomics       how often it does; 0: it does not beat
 *      8     2  u32       stallMs          producer  Atomics       blocks from this length on are stalls
 *     12     3  u32       windowMs         producer  Atomics       over which the longest stall is looked for
 *     16     4  u32       taskId           producer  Atomics       the kernel's id of the thread; 0: not known
 *     20     5  u32       stacksPerHour    producer  Atomics       how often the watcher may ask for a stack; 0: never
 *     24     6  u32       utilizationPpm   producer  Atomics       share of the window in which the loop was busy, millionths, plus 1; 0: none yet
 *     28     7  u32       stallCount       producer  Atomics       publishes the stalls before it
 *     32     8  u32       countedStalls    producer  Atomics       stalls that the totals below hold
 *     36     9  u32×6     stallsByCause    producer  Atomics       one of each StallCause, in their order
 *     60    15  u32×18    stalledMs        producer  wide counter  the same, their lengths
 *   watcher (whoever watches: the pool thread)
 *    256    64  u32       lookMs           watcher   Atomics       when it last looked
 *    260    65  u32       stackStall       watcher   Atomics       number of the stall whose stack this is, plus 1; 0: none. Stored last
 *    264    66  u32       stackBytes       watcher   plain         of the text
 *   stalls: the last 256, stall n at place n modulo 256
 *    384    96  u32×512   stalls           producer  plain         endedMs, lengthMs; visible when stallCount has passed n
 *   verdicts: the same places
 *   2432   608  u32×256   verdicts         watcher   Atomics       (n + 1) << 8 | cause, also of the stall that goes on: n is stallCount then
 *   stack
 *   3456   864  u32×1024  stack            watcher   plain         UTF-8
 *
 * Milliseconds are those of a clock that all threads of the process share (process/monotonic-clock.ts), modulo 2³²: compared by difference.
 *
 * A verdict may come before its stall, while it goes on, and is overwritten then as the watcher learns more; or after it, when the watcher was
 * stopped with everybody else. A reader takes it for the stall whose number it bears, and for no other: so a dead watcher's last word stays true.
 * The producer adds a stall to the totals a second after its end, when the verdict is in.
 */
export const BEAT_MS = 0;
export const BEAT_INTERVAL_MS = BEAT_MS + 1;
export const STALL_MS = BEAT_INTERVAL_MS + 1;
export const WINDOW_MS = STALL_MS + 1;
export const TASK_ID = WINDOW_MS + 1;
export const STACKS_PER_HOUR = TASK_ID + 1;
export const UTILIZATION_PPM = STACKS_PER_HOUR + 1;
export const STALL_COUNT = UTILIZATION_PPM + 1;
export const COUNTED_STALLS = STALL_COUNT + 1;
export const STALLS_BY_CAUSE = COUNTED_STALLS + 1;
export const STALLED_MS = STALLS_BY_CAUSE + 6;

export const LOOK_MS = 64;
export const STACK_STALL = LOOK_MS + 1;
export const STACK_BYTES = STACK_STALL + 1;

export const STALLS = 96;
export const VERDICTS = STALLS + 512;
export const STACK = VERDICTS + 256;

/** Stalls that are remembered. */
export const STALL_PLACES = 256;
/** Cells of one: when it ended, and its length. */
export const STALL_CELLS = 2;
/** What the text of a stack may take. */
export const STACK_BYTES_MAX = 4096;
export const WATCH_BYTES = (STACK + STACK_BYTES_MAX / 4) * 4;

/** Causes of a stall, by their number in a verdict. */
export const STALL_CAUSES = [
  'unknown',
  'javascript',
  'system_call',
  'waiting',
  'starved',
  'paused',
] as const;

/**
 * Why the loop does not turn:
 *
 * - `javascript`: its thread computes, in JavaScript or in native code that was called from there.
 * - `system_call`: it is in the kernel, or waits there for a file, a program, a device.
 * - `waiting`: it waits for another thread: `Atomics.wait`, a lock.
 * - `starved`: it would run, and the system has no processor for it.
 * - `paused`: the whole process stood still: stopped by a signal or a debugger, or suspended with its machine.
 * - `unknown`: nobody watched, it was over before anybody looked, or the system does not tell.
 */
export type StallCause = (typeof STALL_CAUSES)[number];

assertLayout(STALLED_MS + 3 * STALL_CAUSES.length <= LOOK_MS, 'the beat groups hold their cells');
assertLayout(STALLED_MS - STALLS_BY_CAUSE === STALL_CAUSES.length, 'each cause has its count');
assertLayout(STACK_BYTES < STALLS, 'the watcher group holds its cells');
assertLayout(VERDICTS - STALLS === STALL_PLACES * STALL_CELLS, 'each stall has its place');
assertLayout(STACK - VERDICTS === STALL_PLACES, 'each stall has its verdict');
assertLayout(WATCH_BYTES === 7552, 'the watch region is 7552 bytes');
