// What getSnapshot() takes on the calling thread, from memory that holds a window in which slices have begun.
import { HttpMetrics, Pipeline, Registry, SnapshotReader } from '@offloop/core';
import { alternatingSuite, type Unit } from '../../harness/alternating-suite.js';
import { bench, type Subject } from '../../harness/bench.js';
import { seededRandom } from '../../harness/seeded-random.js';
import { formatFigure } from '../../harness/statistics.js';

const MICROSECONDS: Unit = { name: 'µs', fromNs: (ns) => ns / 1_000 };

/** A fifth of the routes end in another way at times. */
const STATUSES = ['200', '500'];
const SECOND_STATUS_EVERY = 5;
const WINDOW_SECONDS = 300;
/** The application's time between two requests: 400 s in all, so that the window is full and lets go. */
const SPAN_MS = 400_000;

/** Durations are drawn once and then taken in turn: to draw ten million takes longer than to measure. */
const DURATIONS = 65_536;
/** Two milliseconds: what else the machine does falls into few of a round's runs. */
const READINGS_PER_RUN = 20;
/** Requests of each series between two readings, where there are any. */
const TRAFFIC_REQUESTS = 5;

/** Enough to see that the window lets go. */
const SMOKE_REQUESTS = 2_000;

function open(routes: number, requests: number, hasTraffic: boolean): Subject {
  const pipeline = new Pipeline();
  pipeline.configure({ window: { seconds: WINDOW_SECONDS } });
  const http = new HttpMetrics(pipeline, new Registry(pipeline));
  const { segment, recorder } = pipeline.producer;
  const random = seededRandom(1);
  const startMs = performance.now();
  const series = Array.from({ length: routes }, (_, route) =>
    STATUSES.slice(0, route % SECOND_STATUS_EVERY === 0 ? 2 : 1).map((status) =>
      http.seriesIdOf('GET', `/route/${route}`, status),
    ),
  ).flat();
  const durations = Float64Array.from({ length: DURATIONS }, () => {
    // The sum of twelve is as good as normal.
    const normal = Array.from({ length: 12 }, random).reduce((sum, one) => sum + one, -6);
    return Math.exp(-4 + normal);
  });
  let recorded = 0;
  const record = (id: number, endedMs: number) => {
    http.record(id, durations[recorded++ % DURATIONS] as number, endedMs);
  };
  for (let index = 0; index < requests; index++) {
    const id = series[Math.floor(random() * series.length)] as number;
    record(id, startMs + (index / requests) * SPAN_MS);
  }
  const reader = new SnapshotReader(segment);
  const read = () => reader.read({ isLagMonitored: true, nowTick: recorder.tick() });
  const haveTraffic = async () => {
    for (const id of series) {
      for (let index = 0; index < TRAFFIC_REQUESTS; index++) record(id, startMs + SPAN_MS);
    }
    await pipeline.engine.flush();
  };
  return {
    ...(hasTraffic && { prepare: haveTraffic }),
    check: async () => {
      await pipeline.engine.flush();
      const { routes: rows, totalRequests, window } = read();
      const inWindow = rows.reduce((sum, row) => sum + row.window.requests, 0);
      if (rows.length !== routes || totalRequests !== requests || inWindow !== window.requests)
        throw new Error('the snapshot does not add up');
      if (!(window.requests > requests / 2 && window.requests < requests))
        throw new Error('the window does not let go');
    },
    run: (count) => {
      for (let index = 0; index < count; index++) read();
    },
  };
}

function row(routes: number, requests: number) {
  return bench(
    `${formatFigure(routes)} routes, ${formatFigure(requests)} requests`,
    { smoke: 1, full: 1_000 },
    (mode) => open(routes, mode === 'full' ? requests : SMOKE_REQUESTS, false),
    { operationsPerRun: READINGS_PER_RUN },
  );
}

/** No route's numbers are the same twice. */
const traffic = bench(
  '100 routes, requests on each between two readings',
  { smoke: 1, full: 500 },
  (mode) => open(100, mode === 'full' ? 100_000 : SMOKE_REQUESTS, true),
  { operationsPerRun: 1 },
);

/** For the processes of the suite. */
export const benches = [row(10, 100_000), row(100, 100_000), row(100, 10_000_000), traffic];

export const snapshot = alternatingSuite({
  name: 'core/snapshot/snapshot',
  title: 'getSnapshot(): microseconds on the calling thread',
  note: 'A row a route, a fifth of them with two statuses, over a window of five minutes in six slices; lognormal durations of σ = 1. Garbage collection, a few per cent, is left out.',
  isForReadme: true,
  moduleUrl: import.meta.url,
  benches,
  unit: MICROSECONDS,
  ceilings: [
    { row: '100 routes, 100 000 requests', atMost: 100 },
    { row: '100 routes, 10 000 000 requests', atMost: 100 },
    { row: traffic.name, atMost: 100 },
  ],
});
