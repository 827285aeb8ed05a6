import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { DefaultMetricsScope } from './default-metrics-scope.js';

/** Intervals of one observation: a loop that stood still for minutes must not fill the ring. */
const REPEATED_MAX = 600;

/** Observations kept while memory is not laid out: the last minute's, at the default interval. */
const WAITING_MAX = 600;

/** What is observed of the loop's utilisation: a share in [0, 1], as often as an interval went by. */
export type ObserveUtilization = (share: number, times: number) => void;

/**
 * Observes the loop's utilisation once an interval. One that was missed because the loop stood still is made up for with what the loop did
 * meanwhile: without that, the busiest moments would count least.
 */
export class UtilizationSampler {
  private readonly intervalMs: number;
  private readonly observe: ObserveUtilization;
  private readonly read: () => EventLoopUtilization;
  private lastMs: number;
  private last: EventLoopUtilization;

  /** @param read The loop's books; for tests. */
  constructor(
    of: {
      readonly intervalMs: number;
      readonly nowMs: number;
      readonly observe: ObserveUtilization;
    },
    read: () => EventLoopUtilization = () => performance.eventLoopUtilization(),
  ) {
    this.intervalMs = of.intervalMs;
    this.observe = of.observe;
    this.read = read;
    this.lastMs = of.nowMs;
    this.last = read();
  }

  /** Called more often than once an interval, or late. */
  tick(nowMs: number): void {
    const times = Math.round((nowMs - this.lastMs) / this.intervalMs);
    if (times < 1) return;
    const now = this.read();
    const { utilization } = performance.eventLoopUtilization(now, this.last);
    this.lastMs = nowMs;
    this.last = now;
    this.observe(utilization, Math.min(times, REPEATED_MAX));
  }
}

const HELP =
  'Ratio of time the event loop is not idling in the event provider to the total time the event loop is running.';

/** A summary and a histogram of the loop's utilisation: prom-client 0.16's. */
export function defineLoopUtilization(scope: DefaultMetricsScope): void {
  const { sampler } = scope;
  const { intervalMs, buckets, ...window } = scope.utilization;
  let waiting: (readonly [share: number, times: number])[] = [];
  const recordAll = (): void => {
    for (const [share, times] of waiting)
      for (let time = 0; time < times; time++) {
        summary.observe(share);
        histogram.observe({}, share);
      }
    waiting = [];
  };
  const summary = scope.summary(
    { name: 'nodejs_eventloop_utilization_summary', help: HELP, ...window },
    recordAll,
  );
  const histogram = scope.histogram(
    {
      name: 'nodejs_eventloop_utilization_histogram',
      help: HELP,
      labelNames: [],
      buckets,
    },
    recordAll,
  );
  const utilization = new UtilizationSampler({
    intervalMs,
    nowMs: performance.now(),
    observe: (share, times) => {
      waiting.push([share, times]);
      // Not recorded where nothing else has been: that would lay memory out before the program has given its options.
      if (histogram.isStarted()) recordAll();
      else if (waiting.length > WAITING_MAX) waiting.shift();
    },
  });
  sampler.onSample((nowMs) => utilization.tick(nowMs));
}
