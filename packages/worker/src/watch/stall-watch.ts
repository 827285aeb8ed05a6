import type { StallCause } from '@offloop/core';
import {
  isBeating,
  judge,
  LOOK_MS,
  monotonicMs,
  noteStack,
  readBlockedMs,
  readStallMs,
  type Segment,
  STACKS_PER_HOUR,
  STALL_COUNT,
  STALL_MS,
  TASK_ID,
  toCell,
  verdictOn,
} from '@offloop/core/engine';
import { IDLE_POLL_MS } from '../thread/resident-drain.js';
import { readMainStack, StackAllowance } from './main-stack.js';
import { causeOf } from './stall-cause.js';
import { TaskFiles, type TaskReading, type TaskWait } from './task-reading.js';

/** Between two looks at a loop that stands still. */
const STALL_LOOK_MS = 100;

/** A watcher that comes so much later than it meant to was stopped or starved: no task of its thread takes so long. */
const LATE_MS = 300;

/** Between two readings of a loop that turns, with which a stall is compared: at every idle poll. */
const READING_MS = IDLE_POLL_MS - 50;

/** The same of a loop that has next to nothing to do, so that an older reading compares as well: at every second one, as each costs half a millisecond. */
const QUIET_READING_MS = 2 * IDLE_POLL_MS - 50;

/** A loop that ran for less than this share of the time is quiet. */
const QUIET_SHARE = 0.05;

interface Reading {
  readonly atMs: number;
  readonly main: TaskReading;
  /** Time so far in which the watcher would have run and had to wait for a processor. */
  readonly ownQueuedMs: number | undefined;
}

/** A stall that goes on. */
interface OpenStall {
  readonly number: number;
  /** How long it has stood still, by cause, ms. */
  readonly byCause: Map<StallCause, number>;
  /** Whether it was asked where it is. */
  isAsked: boolean;
}

/**
 * Watches from the pool thread whether main's loop turns, and says why when it does not. For how long is told by main's beat, for which no
 * thread needs to be there.
 *
 * It keeps nothing that matters between two looks: a thread that takes over begins with what it sees.
 */
export class StallWatch {
  private readonly segment: Segment;
  private readonly ownFiles = new TaskFiles();
  private readonly stacks = new StackAllowance();
  private mainFiles: TaskFiles | undefined;
  private last: Reading | undefined;
  private readingMs = READING_MS;
  private lookedMs = monotonicMs();
  private nextMs = IDLE_POLL_MS;
  private seenStalls: number;
  private stall: OpenStall | undefined;
  /** Whether the look before came late because this thread stood still as well. */
  private wasPaused = false;
  private timer: NodeJS.Timeout | undefined;
  private hasFailed = false;

  constructor(segment: Segment) {
    this.segment = segment;
    this.seenStalls = Atomics.load(segment.watch, STALL_COUNT);
  }

  /** Called at every poll of the ring, and by itself while the loop stands still. */
  readonly look = (): void => {
    if (this.hasFailed) return;
    try {
      this.lookNow(monotonicMs());
    } catch {
      // What it has to say is not worth the thread, and it would fail again.
      this.hasFailed = true;
      this.stop();
    }
  };

  stop(): void {
    clearTimeout(this.timer);
  }

  private lookNow(nowMs: number): void {
    const { segment } = this;
    const lateMs = nowMs - this.lookedMs - this.nextMs;
    this.lookedMs = nowMs;
    this.nextMs = IDLE_POLL_MS;
    Atomics.store(segment.watch, LOOK_MS, toCell(nowMs));
    if (!isBeating(segment)) return;
    const stalls = Atomics.load(segment.watch, STALL_COUNT);
    const blockedMs = readBlockedMs(segment, nowMs);
    const isOver = stalls !== this.seenStalls && verdictOn(segment, stalls - 1) === 'unknown';
    const isDue = nowMs - (this.last?.atMs ?? 0) >= this.readingMs;
    if (isOver || blockedMs > 0 || isDue) {
      const { last } = this;
      const reading = this.read(nowMs);
      const isPaused = lateMs > LATE_MS && !wasStarved(last, reading, lateMs);
      // Both threads wake at once: this one may look between main's beat and its note of the stall, which it finds at the next look.
      const wasPaused = isPaused || (isOver && this.wasPaused);
      this.wasPaused = isPaused;
      if (isOver) {
        const lengthMs = readStallMs(segment, stalls - 1);
        judge(segment, stalls - 1, causeBetween({ last, reading, lengthMs, wasPaused }));
      }
      if (blockedMs > 0) {
        const lengthMs = Math.min(blockedMs, nowMs - (last?.atMs ?? 0));
        this.judgeOpen(stalls, { last, reading, lengthMs, wasPaused });
      }
      this.readingMs = isQuiet(last, reading) ? QUIET_READING_MS : READING_MS;
      this.last = reading;
    } else {
      this.wasPaused = false;
    }
    this.seenStalls = stalls;
    if (blockedMs > 0) this.lookSoon();
    else this.stall = undefined;
  }

  /** The cause that has lasted longest is the verdict, so far. */
  private judgeOpen(number: number, time: TimeBetween): void {
    const { mainFiles } = this;
    if (this.stall?.number !== number) this.stall = { number, byCause: new Map(), isAsked: false };
    const { stall } = this;
    const { byCause } = stall;
    const cause = causeBetween({ ...time, readWait: () => mainFiles?.readWait() ?? {} });
    byCause.set(cause, (byCause.get(cause) ?? 0) + time.lengthMs);
    const [[verdict]] = [...byCause].sort(([, a], [, b]) => b - a) as [[StallCause, number]];
    judge(this.segment, number, verdict);
    // Nothing else can be asked: a thread that waits or starves does not come to its answer.
    if (verdict === 'javascript' && !stall.isAsked) this.ask(stall);
  }

  private ask(stall: OpenStall): void {
    const { segment } = this;
    const perHour = Atomics.load(segment.watch, STACKS_PER_HOUR);
    const isMain = Atomics.load(segment.watch, TASK_ID) === process.pid;
    const stallMs = Atomics.load(segment.watch, STALL_MS);
    if (perHour === 0 || !isMain || readBlockedMs(segment) < stallMs) return;
    stall.isAsked = true;
    if (!this.stacks.take(perHour, monotonicMs())) return;
    readMainStack()
      .then((stack) => {
        const isSame = Atomics.load(segment.watch, STALL_COUNT) === stall.number;
        if (stack !== undefined && isSame) noteStack(segment, stall.number, stack);
      })
      // A thread dies of a rejection that nobody handles.
      .catch(() => {});
  }

  private lookSoon(): void {
    this.nextMs = STALL_LOOK_MS;
    clearTimeout(this.timer);
    this.timer = setTimeout(this.look, STALL_LOOK_MS);
  }

  private read(atMs: number): Reading | undefined {
    if (this.mainFiles === undefined) {
      const taskId = Atomics.load(this.segment.watch, TASK_ID);
      if (taskId === 0) return undefined;
      this.mainFiles = new TaskFiles(taskId);
    }
    const main = this.mainFiles.read();
    return main && { atMs, main, ownQueuedMs: this.ownFiles.readQueuedMs() };
  }
}

interface TimeBetween {
  readonly last: Reading | undefined;
  readonly reading: Reading | undefined;
  readonly lengthMs: number;
  readonly wasPaused: boolean;
}

function causeBetween({
  last,
  reading,
  lengthMs,
  wasPaused,
  readWait,
}: TimeBetween & { readonly readWait?: () => TaskWait }): StallCause {
  if (reading === undefined) return wasPaused ? 'paused' : 'unknown';
  return causeOf({
    before: last?.main,
    after: reading.main,
    lengthMs,
    wasPaused,
    ...(readWait === undefined ? {} : { readWait }),
  });
}

/** Whether main had next to nothing to do between two readings. */
function isQuiet(last: Reading | undefined, reading: Reading | undefined): boolean {
  if (last === undefined || reading === undefined) return false;
  return reading.main.ranMs - last.main.ranMs < (reading.atMs - last.atMs) * QUIET_SHARE;
}

/** Whether the watcher was late because there was no processor for it. */
function wasStarved(
  last: Reading | undefined,
  reading: Reading | undefined,
  lateMs: number,
): boolean {
  const queuedMs = (reading?.ownQueuedMs ?? 0) - (last?.ownQueuedMs ?? 0);
  return queuedMs >= lateMs / 2;
}
