import { SKETCH_CELLS } from '../aggregate/sketch.js';
import type { Pipeline } from '../engine/pipeline.js';
import type { Family } from '../instruments/family.js';
import { sliceTicksFor, windowOf } from '../instruments/family-window.js';
import { FamilyKind, FamilyRole } from '../layout/catalog.js';
import type { Recorder } from '../record/recorder.js';

/** Node's timers count whole milliseconds, so up to one of them is the timer's and not the loop's. */
const TIMER_RESOLUTION_MS = 1;

/**
 * Samples event-loop lag by drift: how much later than asked a repeating timer fires, its own resolution subtracted. The samples go
 * through the ring like any observation.
 */
export class LoopLagMonitor {
  private readonly pipeline: Pipeline;
  private readonly recorder: Recorder;
  /** Where nothing is sampled, nothing is taken of the memory either. */
  private family: Family | undefined;
  private intervalMs: number | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(pipeline: Pipeline) {
    // Memory first: a family that is defined before it has no series yet.
    this.recorder = pipeline.producer.recorder;
    this.pipeline = pipeline;
  }

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
    const { family, recorder } = this;
    this.stop();
    this.intervalMs = intervalMs;
    let lastMs = performance.now();
    this.timer = setInterval(() => {
      const nowMs = performance.now();
      const lagMs = Math.max(0, nowMs - lastMs - intervalMs - TIMER_RESOLUTION_MS);
      lastMs = nowMs;
      recorder.stamp(nowMs);
      recorder.record(family.onlySeries, lagMs / 1000);
      recorder.publish();
    }, intervalMs);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.intervalMs = undefined;
  }

  /** Changes the length of the window, seconds: from its next slice on. */
  setWindow(seconds: number): void {
    const { family, pipeline } = this;
    if (family !== undefined)
      pipeline.producer.catalog.setSliceTicks(family.id, sliceTicksFor(seconds));
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
