import { SKETCH_CELLS } from '../aggregate/sketch.js';
import type { Pipeline } from '../engine/pipeline.js';
import type { Family } from '../instruments/family.js';
import { FamilyKind, FamilyRole } from '../layout/catalog.js';

/** Node's timers count whole milliseconds, so up to one of them is the timer's and not the loop's. */
const TIMER_RESOLUTION_MS = 1;

/**
 * Samples event-loop lag by drift: how much later than asked a repeating timer fires, its own resolution subtracted. The samples go
 * through the ring like any observation.
 */
export class LoopLagMonitor {
  private readonly record: (seriesId: number, value: number) => boolean;
  private readonly publish: () => void;
  private readonly family: Family;
  private timer: NodeJS.Timeout | undefined;

  constructor(pipeline: Pipeline) {
    // Memory first: a family that is defined before it has no series yet.
    const { recorder } = pipeline.producer;
    this.family = pipeline.defineFamily({
      kind: FamilyKind.histogram,
      role: FamilyRole.loopLag,
      name: 'offloop_event_loop_lag_seconds',
      help: 'Event-loop lag by drift sampling, for snapshots.',
      labelNames: [],
      bounds: [],
      quantiles: [],
      sketchCells: SKETCH_CELLS,
      source: undefined,
    });
    this.record = recorder.record;
    this.publish = recorder.publish;
  }

  get isRunning(): boolean {
    return this.timer !== undefined;
  }

  /** Starts to sample. The timer does not keep the process alive. */
  start(intervalMs: number): void {
    this.stop();
    let lastMs = performance.now();
    this.timer = setInterval(() => {
      const nowMs = performance.now();
      const lagMs = Math.max(0, nowMs - lastMs - intervalMs - TIMER_RESOLUTION_MS);
      lastMs = nowMs;
      this.record(this.family.onlySeries, lagMs / 1000);
      this.publish();
    }, intervalMs);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
