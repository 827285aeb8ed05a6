import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { type LagSummary, LagWindow, SLICE_MS, SLICES, type WeightedLag } from './lag-window.js';
import { every } from './shared-interval.js';

/** Node's timers count whole milliseconds, so up to one of them is the timer's and not the loop's. */
const TIMER_RESOLUTION_MS = 1;

const MS_PER_SECOND = 1000;

/**
 * Samples the loop's lag by drift: how much later than asked a repeating timer fires, its own resolution subtracted.
 *
 * Not by `monitorEventLoopDelay`: its `reset()` forgets when the timer was due, and with it a block that begins in the same turn. And a
 * timer that is overdue while it is read counts with what it is late by, so the scrape right after a block shows it.
 */
export class LagSampler {
  private readonly intervalMs: number;
  private readonly clock: () => number;
  private readonly window = new LagWindow();
  private readonly utilizations = new Map<number, EventLoopUtilization>();
  private lastMs: number;
  private lastLagSeconds = 0;
  private stopSampling: (() => void) | undefined;
  private listener: ((nowMs: number) => void) | undefined;

  /** @param clock Milliseconds; for tests. */
  constructor(intervalMs: number, clock: () => number = () => performance.now()) {
    this.intervalMs = intervalMs;
    this.clock = clock;
    this.lastMs = clock();
    this.noteUtilization(this.lastMs);
  }

  /** The timer does not keep the process alive. */
  start(): void {
    this.stop();
    this.lastMs = this.clock();
    this.stopSampling = every(this.intervalMs, () => this.sample());
  }

  stop(): void {
    this.stopSampling?.();
    this.stopSampling = undefined;
  }

  /** Calls back at each of the timer's ticks. One listener. */
  onSample(listener: (nowMs: number) => void): void {
    this.listener = listener;
  }

  /** What the timer does. */
  sample(): void {
    const nowMs = this.clock();
    const lag = this.lagAt(nowMs);
    this.lastMs = nowMs;
    this.lastLagSeconds = lag.lagSeconds;
    this.window.add(lag, nowMs);
    this.noteUtilization(nowMs);
    this.listener?.(nowMs);
  }

  /** The last minute's lags, the one that lasts included. */
  summary(): LagSummary {
    const nowMs = this.clock();
    return this.window.read(nowMs, this.lagAt(nowMs));
  }

  /** The lag that lasts, else the last sample's; seconds. */
  current(): number {
    return this.lagAt(this.clock()).lagSeconds || this.lastLagSeconds;
  }

  /** Share of the last minute in which the loop was not waiting for events; 0 before the loop has begun. */
  utilization(): number {
    const [oldest] = this.utilizations.values();
    return performance.eventLoopUtilization(performance.eventLoopUtilization(), oldest).utilization;
  }

  private lagAt(nowMs: number): WeightedLag {
    const elapsedMs = nowMs - this.lastMs;
    const lagMs = Math.max(0, elapsedMs - this.intervalMs - TIMER_RESOLUTION_MS);
    return { lagSeconds: lagMs / MS_PER_SECOND, weightSeconds: elapsedMs / MS_PER_SECOND };
  }

  /** The loop's books as each slice begins, for as long as the slice is in the window. */
  private noteUtilization(nowMs: number): void {
    const number = Math.floor(nowMs / SLICE_MS);
    if (this.utilizations.has(number)) return;
    this.utilizations.set(number, performance.eventLoopUtilization());
    for (const old of this.utilizations.keys()) {
      if (old <= number - SLICES) this.utilizations.delete(old);
    }
  }
}
