import { GCProfiler } from 'node:v8';
import { Counter, type Registry } from '@offloop/core';

const US_PER_SECOND = 1_000_000;

/** Names of promster's metrics of garbage collection. */
export function gcNames(prefix: string): readonly [runs: string, pause: string, bytes: string] {
  return [
    `${prefix}nodejs_gc_runs_total`,
    `${prefix}nodejs_gc_pause_seconds_total`,
    `${prefix}nodejs_gc_reclaimed_bytes_total`,
  ];
}

/**
 * Counts garbage collections by V8's profiler of them, which alone tells what one reclaimed.
 *
 * @param of.intervalMs How long V8 keeps collections at most before they are taken. They are taken for each page as well.
 * @returns What ends it.
 */
export function countCollections(of: {
  readonly register: Registry;
  readonly prefix: string;
  readonly intervalMs: number;
}): { stop(): void } {
  const { register, prefix, intervalMs } = of;
  const [runsName, pauseName, bytesName] = gcNames(prefix);
  const common = { labelNames: ['gctype'], registers: [register] };
  const profiler = new GCProfiler();
  const take = (): void => {
    const profile = profiler.stop();
    profiler.start();
    for (const { gcType, cost, beforeGC, afterGC } of profile?.statistics ?? []) {
      runs.inc({ gctype: gcType });
      pause.inc({ gctype: gcType }, cost / US_PER_SECOND);
      const bytes = beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize;
      if (bytes > 0) reclaimed.inc({ gctype: gcType }, bytes);
    }
  };
  const runs = new Counter({
    name: runsName,
    help: 'Count of total garbage collections.',
    ...common,
    collect: () => {
      if (isOn) take();
    },
  });
  const pause = new Counter({
    name: pauseName,
    help: 'Time spent in GC Pause in seconds.',
    ...common,
  });
  const reclaimed = new Counter({
    name: bytesName,
    help: 'Total number of bytes reclaimed by GC.',
    ...common,
  });
  let isOn = true;
  profiler.start();
  const timer = setInterval(take, intervalMs);
  timer.unref();
  return {
    stop() {
      isOn = false;
      clearInterval(timer);
      profiler.stop();
    },
  };
}
