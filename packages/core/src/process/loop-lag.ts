import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';
import { SKETCH_CELLS } from '../aggregate/sketch.js';
import type { Pipeline } from '../engine/pipeline.js';
import { describeError } from '../errors.js';
import type { Family } from '../instruments/family.js';
import { sliceTicksFor, windowOf } from '../instruments/family-window.js';
import { FamilyKind, FamilyRole } from '../layout/catalog.js';
import { chosenLogger, type Logger } from '../logger.js';
import type { Recorder } from '../record/recorder.js';
import { monotonicMs } from './monotonic-clock.js';
import { noteUtilization, UtilizationWindow } from './utilization-window.js';

/** Node's timers count whole milliseconds, so up to one of them is the timer's and not the loop's. */
const TIMER_RESOLUTION_MS = 1;

/**
 * Records of one sample, and the part of the ring that they may take: a loop that stood still for minutes must not fill it. At the shortest interval
 * so many are two percent of the default window, so that they still show in its p99.
 */
const WEIGHT_MAX = 600;
const WEIGHT_SHARE_OF_RING = 1 / 4;

/** Pause after a failure, doubled by each further one in a row. */
const RESTART_MS = 1_000;
const RESTART_MS_MAX = 60_000;

/**
 * Samples event-loop lag by drift: how much later than asked a repeating timer fires, its own resolution subtracted. The samples go
 * through the ring like any observation, each as often as intervals went by: by number of samples alone, the moments in which nothing answered
 * would count least.
 */
export class LoopLagMonitor {
  private readonly pipeline: Pipeline;
  private readonly recorder: Recorder;
  private readonly logger: Logger;
  private readonly clock: () => number;
  private readonly utilization: UtilizationWindow;
  private readonly weightMax: number;
  /** Where nothing is sampled, nothing is taken of the memory either. */
  private family: Family | undefined;
  private intervalMs: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private restartTimer: NodeJS.Timeout | undefined;
  private failures = 0;
  private lastMs = 0;

  /** @param options.clock Milliseconds; for tests. */
  constructor(
    pipeline: Pipeline,
    options: { readonly logger?: Logger; readonly clock?: () => number } = {},
  ) {
    // Memory first: a family that is defined before it has no series yet.
    this.recorder = pipeline.producer.recorder;
    this.pipeline = pipeline;
    this.logger = chosenLogger(() => options.logger ?? pipeline.logger);
    this.clock = options.clock ?? monotonicMs;
    const { capacityRecords } = pipeline.options.ring;
    this.weightMax = Math.min(WEIGHT_MAX, capacityRecords * WEIGHT_SHARE_OF_RING);
    this.utilization = new UtilizationWindow(pipeline.options.window.seconds * 1000);
  }

  /** Whether it samples; `false` in the pause after a failure as well. */
  get isRunning(): boolean {
    return this.timer !== undefined;
  }

  /**
   * Starts to sample, or goes on at another interval. The timer does not keep the process alive.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_FAMILIES_FULL`, `OFFLOOP_ERR_CATALOG_FULL` the first time: nothing has changed then.
   */
  start(intervalMs: number): void {
    // To begin again would lose what the next sample is late by.
    if (this.intervalMs === intervalMs) return;
    this.family ??= this.defineFamily();
    this.stop();
    this.intervalMs = intervalMs;
    this.lastMs = this.clock();
    this.timer = setInterval(() => this.tick(intervalMs), intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    clearTimeout(this.restartTimer);
    this.timer = undefined;
    this.restartTimer = undefined;
    this.intervalMs = undefined;
  }

  /** Changes the length of the window, seconds: from its next slice on. */
  setWindow(seconds: number): void {
    const { family, pipeline } = this;
    this.utilization.setLength(seconds * 1000);
    if (family !== undefined)
      pipeline.producer.catalog.setSliceTicks(family.id, sliceTicksFor(seconds));
  }

  /** What the timer does. Whatever goes wrong in here must not reach the application. */
  private tick(intervalMs: number): void {
    try {
      this.sample(intervalMs);
      this.failures = 0;
    } catch (error) {
      this.restart(intervalMs, error);
    }
  }

  private sample(intervalMs: number): void {
    const { recorder, pipeline } = this;
    const nowMs = this.clock();
    const elapsedMs = nowMs - this.lastMs;
    this.lastMs = nowMs;
    const lagMs = Math.max(0, elapsedMs - intervalMs - TIMER_RESOLUTION_MS);
    const seriesId = (this.family as Family).onlySeries;
    recorder.stamp(performance.now());
    const weight = Math.min(Math.max(1, Math.round(elapsedMs / intervalMs)), this.weightMax);
    for (let count = 0; count < weight; count++) recorder.record(seriesId, lagMs / 1000);
    recorder.publish();
    const share = this.utilization.read(nowMs);
    if (share !== undefined) noteUtilization(pipeline.producer.segment, share);
  }

  private restart(intervalMs: number, error: unknown): void {
    this.stop();
    const pauseMs = Math.min(RESTART_MS * 2 ** this.failures++, RESTART_MS_MAX);
    this.intervalMs = intervalMs;
    this.restartTimer = setTimeout(() => {
      this.intervalMs = undefined;
      this.start(intervalMs);
    }, pauseMs).unref();
    this.logger.warn(
      {
        code: 'OFFLOOP_ERR_LAG_MONITOR',
        failures: this.failures,
        restartMs: pauseMs,
        err: error,
      },
      `offloop: sampling the loop's lag failed, and begins again in ${pauseMs} ms: ${describeError(error)}`,
    );
  }

  private defineFamily(): Family {
    return this.pipeline.defineFamily({
      kind: FamilyKind.histogram,
      role: FamilyRole.loopLag,
      name: 'offloop_event_loop_lag_seconds',
      help: 'Event-loop lag by drift sampling, for snapshots.',
      labelNames: [],
      bounds: [],
      quantiles: [],
      sketchCells: SKETCH_CELLS,
      window: windowOf(this.pipeline.options.window.seconds),
      source: undefined,
    });
  }
}
