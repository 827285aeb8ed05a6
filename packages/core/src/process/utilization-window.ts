import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Segment } from '../layout/segment.js';
import { UTILIZATION_PPM } from '../layout/watch.js';

/** Readings kept of a window: it is off by a tenth at most. */
const READINGS = 10;

/** Share of a sliding window in which the loop was not waiting for events, by Node's own books. */
export class UtilizationWindow {
  private windowMs: number;
  private readings: { readonly atMs: number; readonly books: EventLoopUtilization }[] = [];

  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  setLength(windowMs: number): void {
    this.windowMs = windowMs;
  }

  /** To be called now and then. @returns A share in [0, 1]; `undefined` at the very beginning. */
  read(nowMs: number): number | undefined {
    const { readings, windowMs } = this;
    const books = performance.eventLoopUtilization();
    while (readings.length > 1 && nowMs - (readings[0] as { atMs: number }).atMs > windowMs) {
      readings.shift();
    }
    const newest = readings.at(-1);
    if (newest === undefined || nowMs - newest.atMs >= windowMs / READINGS) {
      readings.push({ atMs: nowMs, books });
    }
    const oldest = readings[0] as { readonly books: EventLoopUtilization };
    const { idle, active, utilization } = performance.eventLoopUtilization(books, oldest.books);
    return idle + active > 0 ? utilization : undefined;
  }
}

/** Tells the other threads. */
export function noteUtilization({ watch }: Segment, share: number): void {
  Atomics.store(watch, UTILIZATION_PPM, Math.round(share * 1e6) + 1);
}

/** What the recording thread last told; `undefined` when nothing. */
export function readUtilization({ watch }: Segment): number | undefined {
  const cell = Atomics.load(watch, UTILIZATION_PPM);
  return cell === 0 ? undefined : (cell - 1) / 1e6;
}
