import { type DefaultMetricsScope, oncePerTurn } from './default-metrics-scope.js';

/** Lag gauges, and the loop's utilisation. */
export function defineLoopMetrics(scope: DefaultMetricsScope): void {
  const { sampler } = scope;
  sampler.start();
  scope.onStop(() => sampler.stop());
  scope.gauge(
    {
      name: 'nodejs_eventloop_lag_seconds',
      help: 'Lag of event loop in seconds.',
      aggregator: 'average',
    },
    (set) => set(sampler.current()),
  );
  const summary = oncePerTurn(() => sampler.summary());
  for (const [part, what, aggregator] of [
    ['min', 'The minimum recorded event loop delay.', 'min'],
    ['max', 'The maximum recorded event loop delay.', 'max'],
    ['mean', 'The mean of the recorded event loop delays.', 'average'],
    ['stddev', 'The standard deviation of the recorded event loop delays.', 'average'],
    ['p50', 'The 50th percentile of the recorded event loop delays.', 'average'],
    ['p90', 'The 90th percentile of the recorded event loop delays.', 'average'],
    ['p99', 'The 99th percentile of the recorded event loop delays.', 'average'],
  ] as const) {
    scope.gauge({ name: `nodejs_eventloop_lag_${part}_seconds`, help: what, aggregator }, (set) =>
      set(summary()[part]),
    );
  }
  scope.gauge(
    {
      name: 'nodejs_eventloop_utilization',
      help: 'Share of the last minute in which the event loop was not waiting for events.',
      aggregator: 'average',
    },
    (set) => set(sampler.utilization()),
  );
}
