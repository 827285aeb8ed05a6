import type { ResourceLimits } from 'node:worker_threads';
import { type Logger, OffloopError } from '@offloop/core';
import {
  chosenLogger,
  describeError,
  type Engine,
  type EngineState,
  type ExpositionRequest,
  everyAbout,
  holdsLease,
  InlineEngine,
  type Lease,
  type PageSink,
  POLL_COUNT,
  type Recorder,
  type Segment,
  THREAD_RESTARTS,
  takeLease,
} from '@offloop/core/engine';
import type { OffLoopPort } from '../port/off-loop-port.js';
import { Heartbeat } from './heartbeat.js';
import { PoolThread, type ThreadEnd } from './pool-thread.js';
import { type LostThread, RestartPolicy, START_FAILURES_MAX } from './restart-policy.js';
import { requiredThreadPath } from './thread-path.js';
import { unfaked } from './unfaked-timers.js';

/** Poll of a busy thread: the age of a record when it is aggregated. From 10 ms on a poll's fixed cost no longer shows. */
const POLL_MS = 10;
const POLL_MS_MAX = 500;

/** With the thread's poll, no record is older than a second. By a tick of the beat (core/process/loop-beat), so that it costs no wake. */
const WATCH_MS = 500;

/** How long a thread may be still: four idle polls, and the page of every series at forty times what it takes. */
const STILL_MS_MAX = 2_000;
const STILL_MS_MAX_PER_SERIES = 0.1;

/** A thread boots in 40 ms; a machine with everything else to do may take a hundred times as long. */
const BOOT_MS_MAX = 5_000;

/** Threads that one call may lose before it is given up; in practice main takes over after the first. */
const LOSSES_MAX = 5;

/** Between two warnings of a thread that was lost and replaced. */
const LOSS_WARNING_MS = 60_000;

/** What a pool engine is made of. */
export interface PoolEngineOptions {
  readonly segment: Segment;
  readonly recorder: Recorder;
  /** Path or `file:` URL of the thread's file, where a bundler has separated it from this package. Default: found beside it. */
  readonly threadFile?: string | URL;
  /** Between two looks at the ring while records come, ms, in [1, 500], default 10. An idle thread looks every 500 ms. */
  readonly pollMs?: number;
  /** Default: process warnings. */
  readonly logger?: Logger;
  /** Of the thread's heap. Default: Node's. */
  readonly resourceLimits?: ResourceLimits;
  /** Is served by the thread. Default: none. */
  readonly offLoopPort?: OffLoopPort;
}

/** The drain on the caller's thread, whenever no thread of the pool has it. */
interface StandIn {
  readonly engine: InlineEngine;
  readonly lease: Lease;
}

/** A thread and what becomes of it. None of the promises rejects. */
interface Life {
  readonly thread: PoolThread;
  readonly heartbeat: Heartbeat;
  readonly launchedMs: number;
  /** Settled when the thread drains, or never will. */
  started: Promise<void>;
  hasStarted: boolean;
  /** Settled when the thread has ended and its drain is taken over. */
  ended: Promise<void>;
}

/**
 * The engine that drains and renders on a thread of its own, so that the event loop does neither.
 *
 * Whenever that thread is not there (it boots, it died, it hangs, it cannot be started), a stand-in does the same on the caller's
 * thread. The lease says who drains:
 *
 *   from       to         when                                                     how
 *   ─────────  ─────────  ───────────────────────────────────────────────────────  ─────────────────────────────
 *   stand-in   thread     the thread has booted                                    the thread takes it by itself
 *   thread     stand-in   the thread has exited                                    main takes it, whatever it finds
 *   thread     stand-in   the thread hangs outside of a batch and is being ended   main takes it
 *
 * A thread is never given the lease a second time: one that lost it is replaced. One that hangs in a batch keeps it until it has exited, and no other is
 * launched before: so the exit that main goes by is always that of the thread which had the lease.
 */
export class PoolEngine implements Engine {
  readonly kind = 'pool';
  private readonly segment: Segment;
  private readonly recorder: Recorder;
  private readonly logger: Logger;
  private readonly pollMs: number;
  private readonly threadPath: string;
  private readonly resourceLimits: ResourceLimits | undefined;
  private readonly offLoopPort: OffLoopPort | undefined;
  private readonly restarts = new RestartPolicy();
  private readonly stopWatching: () => void;
  private life: Life | undefined;
  private standIn: StandIn | undefined;
  private restartTimer: NodeJS.Timeout | undefined;
  private closing: Promise<void> | undefined;
  private hasLostThread = false;
  private lossWarnedMs = Number.NEGATIVE_INFINITY;

  /**
   * Starts a thread, and does not wait for it: records are accepted and calls answered at once.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_THREAD_START` when the thread's file is missing; `OFFLOOP_ERR_OPTION_RANGE` when `pollMs`
   *   is; `OFFLOOP_ERR_ARGUMENT` when another consumer is at work on the segment.
   */
  static start(options: PoolEngineOptions): PoolEngine {
    return new PoolEngine(options);
  }

  private constructor(options: PoolEngineOptions) {
    const { segment, recorder, threadFile, pollMs = POLL_MS } = options;
    if (!(pollMs >= 1 && pollMs <= POLL_MS_MAX)) {
      throw new OffloopError(
        'OFFLOOP_ERR_OPTION_RANGE',
        `pollMs must be a number in [1, ${POLL_MS_MAX}], got ${pollMs}`,
      );
    }
    const threadPath = requiredThreadPath(threadFile);
    this.segment = segment;
    this.recorder = recorder;
    this.pollMs = pollMs;
    this.threadPath = threadPath;
    this.logger = chosenLogger(() => options.logger);
    this.resourceLimits = options.resourceLimits;
    this.offLoopPort = options.offLoopPort;
    if (!this.standInTakesOver(false)) {
      throw new OffloopError(
        'OFFLOOP_ERR_ARGUMENT',
        'segment: one consumer at a time drains a segment, and another is in a batch',
      );
    }
    this.launch();
    this.stopWatching = everyAbout(WATCH_MS, () => this.look());
  }

  get state(): EngineState {
    if (this.closing !== undefined) return 'closed';
    const { life, standIn } = this;
    if (life === undefined) return 'degraded';
    const isBeingReplaced = this.hasLostThread || life.thread.isLost;
    return isBeingReplaced && standIn !== undefined ? 'degraded' : 'running';
  }

  async flush(): Promise<void> {
    await this.perform({
      onThread: async (thread) => (await thread.flush()) || undefined,
      here: () => true,
    });
  }

  async stream(request: ExpositionRequest, sink: PageSink, signal: AbortSignal): Promise<void> {
    await this.perform({
      onThread: async (thread) =>
        (await thread.stream(request, sink, signal)) || (sink.restart() ? undefined : true),
      here: async (standIn) => {
        await standIn.stream(request, sink, signal);
        return true;
      },
    });
  }

  drainAtOnce(waitMs: number): boolean {
    const { standIn, life, recorder } = this;
    if (standIn !== undefined && this.drains(standIn)) return true;
    // Sent in this turn, and answered in the next one, which need not come.
    if (life !== undefined && !life.thread.isLost) void life.thread.flush();
    const untilMs = unfaked.now() + waitMs;
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    while (recorder.backlog() > 0 && unfaked.now() < untilMs) Atomics.wait(nothing, 0, 0, 1);
    if (recorder.backlog() === 0) return true;
    return this.standInTakesOver(false) && this.standIn?.engine.drainNow() === true;
  }

  /** Drains what is left, on the caller's thread, and ends the pool's. Pages can still be had. Takes two seconds at most. */
  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  /**
   * Does a call's work: on the thread, or here once everything published is drained by the stand-in.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_THREAD_LOST` when neither is possible.
   */
  private async perform<Result>(work: {
    readonly onThread: (thread: PoolThread) => Promise<Result | undefined>;
    readonly here: (standIn: InlineEngine) => Result | Promise<Result>;
  }): Promise<Result> {
    this.recorder.publishNow();
    for (let losses = 0; losses < LOSSES_MAX; ) {
      const { standIn, life } = this;
      if (standIn !== undefined && this.drains(standIn)) return work.here(standIn.engine);
      if (life === undefined) break;
      if (life.thread.isLost) {
        await life.ended;
      } else if (!life.hasStarted) {
        // It has taken the lease from the stand-in, and says so in a moment.
        await life.started;
      } else {
        const result = await work.onThread(life.thread);
        if (result !== undefined) return result;
        losses++;
        // For a thread that lives and lost its lease, which nothing but a foreign hand in the memory can bring about.
        life.thread.terminate('it lost its lease');
      }
    }
    throw new OffloopError(
      'OFFLOOP_ERR_THREAD_LOST',
      `engine: a call may lose ${LOSSES_MAX} threads, and neither the last nor the caller's thread could take the work over`,
    );
  }

  /** @returns Whether everything published is drained by the stand-in, which still has the lease. */
  private drains({ engine, lease }: StandIn): boolean {
    return holdsLease(this.segment, lease) && engine.drainNow();
  }

  private launch(): void {
    const { threadPath: path, resourceLimits } = this;
    let thread: PoolThread;
    try {
      thread = new PoolThread({
        path,
        ...(resourceLimits === undefined ? {} : { resourceLimits }),
      });
    } catch (error) {
      this.replace({ hasStarted: false, livedMs: 0, reason: error });
      return;
    }
    const life: Life = {
      thread,
      heartbeat: new Heartbeat(WATCH_MS),
      launchedMs: unfaked.now(),
      started: Promise.resolve(),
      hasStarted: false,
      ended: Promise.resolve(),
    };
    life.started = this.handOver(life);
    life.ended = thread.ended.then((end) => this.recover(life, end));
    this.life = life;
  }

  private async handOver(life: Life): Promise<void> {
    const { standIn } = this;
    if (standIn === undefined) return;
    const { thread } = life;
    const hasTakenOver = await thread.start({
      buffer: this.segment.buffer,
      standInLease: standIn.lease,
      pollMs: this.pollMs,
      offLoopPort: this.offLoopPort?.openLine(),
    });
    if (thread.isLost) return;
    if (!hasTakenOver) {
      thread.terminate('it could not take the lease');
      return;
    }
    life.hasStarted = true;
    this.standIn = undefined;
    // Its lease is gone, so this drains nothing: it only lets go of the recorder.
    void standIn.engine.close();
  }

  /** Main takes the drain from a thread that has ended. */
  private recover(life: Life, end: ThreadEnd): void {
    const { standIn } = this;
    // It may have drained and died before its word arrived here.
    const hasStarted =
      life.hasStarted || (standIn !== undefined && !holdsLease(this.segment, standIn.lease));
    const livedMs = unfaked.now() - life.launchedMs;
    this.life = undefined;
    this.offLoopPort?.closeLine();
    const goOn = (): void => {
      if (this.closing === undefined) this.replace({ hasStarted, livedMs, reason: end.reason });
    };
    if (this.standInTakesOver(end.hasExited)) {
      goOn();
      return;
    }
    // It is in a batch, and native code holds it. Until it exits nobody can drain, another thread as little: calls are refused meanwhile.
    void life.thread.exited.then(() => {
      this.standInTakesOver(true);
      goOn();
      if (this.closing !== undefined) void this.standIn?.engine.close();
    });
  }

  /** Starts the next thread, when it is time to, or none any more. */
  private replace(lost: LostThread): void {
    this.hasLostThread = true;
    const pauseMs = this.restarts.lost(lost, unfaked.now());
    if (pauseMs === undefined) {
      this.report(
        'warn',
        'OFFLOOP_ERR_THREAD_START',
        `offloop: ${START_FAILURES_MAX} threads in a row ended before they could drain; aggregation and rendering go on inline, on the main thread: ${describeError(lost.reason)}`,
        lost.reason,
      );
      this.offLoopPort?.serveHere(this.segment, 'pool', () => this.standIn?.engine.drainNow());
      return;
    }
    if (lost.hasStarted) this.warnOfLoss(lost.reason);
    const restart = () => {
      Atomics.add(this.segment.control, THREAD_RESTARTS, 1);
      this.launch();
    };
    if (pauseMs === 0) restart();
    else this.restartTimer = unfaked.setTimeout(restart, pauseMs).unref();
  }

  /** @returns `false` when the thread that has the lease is in a batch, and may still be running. */
  private standInTakesOver(holderExited: boolean): boolean {
    const lease = takeLease(this.segment, holderExited);
    if (lease === undefined) return false;
    this.standIn = { engine: new InlineEngine(this.segment, this.recorder, lease), lease };
    return true;
  }

  /** Runs twice a second, on main. Whatever goes wrong in here must not reach the application. */
  private look(): void {
    try {
      this.recorder.publishNow();
      this.offLoopPort?.refresh();
      const { life } = this;
      if (life !== undefined && !life.thread.isLost) this.lookAt(life);
      this.standIn?.engine.drainNow();
    } catch (error) {
      this.report('error', undefined, `offloop: ${describeError(error)}`, error);
    }
  }

  private lookAt(life: Life): void {
    // The stand-in moves the poll count as well, so a thread that boots is only timed.
    const beat = life.hasStarted ? Atomics.load(this.segment.control, POLL_COUNT) : 0;
    const stillMs = life.heartbeat.look(beat, unfaked.now());
    const stillMsMax = life.hasStarted
      ? STILL_MS_MAX + this.segment.sizes.maxSeries * STILL_MS_MAX_PER_SERIES
      : BOOT_MS_MAX;
    if (stillMs < stillMsMax) return;
    const what = life.hasStarted ? 'it did not look at the ring' : 'it did not start';
    if (life.hasStarted) this.standInTakesOver(false);
    life.thread.terminate(`${what} for ${Math.round(stillMs)} ms`);
  }

  private async finish(): Promise<void> {
    this.stopWatching();
    unfaked.clearTimeout(this.restartTimer);
    const { life } = this;
    this.offLoopPort?.close();
    // A thread may be ended anywhere, so none is asked first whether it still listens.
    life?.thread.terminate('the engine was closed');
    await life?.ended;
    this.recorder.publishNow();
    await this.standIn?.engine.close();
    const left = this.recorder.backlog();
    if (left === 0) return;
    this.report(
      'warn',
      'OFFLOOP_ERR_THREAD_LOST',
      `offloop: ${left} records are not aggregated, as the pool thread is still in a batch and has not ended`,
      undefined,
    );
  }

  private warnOfLoss(reason: unknown): void {
    const nowMs = unfaked.now();
    if (nowMs - this.lossWarnedMs < LOSS_WARNING_MS) return;
    this.lossWarnedMs = nowMs;
    this.report(
      'warn',
      'OFFLOOP_ERR_THREAD_LOST',
      `offloop: a pool thread was lost and is replaced, no record with it; ${describeError(reason)}`,
      reason,
    );
  }

  private report(
    level: 'warn' | 'error',
    code: string | undefined,
    message: string,
    reason: unknown,
  ): void {
    const details = {
      ...(code === undefined ? {} : { code }),
      ...(reason instanceof Error ? { err: reason } : {}),
    };
    this.logger[level](details, message);
  }
}
