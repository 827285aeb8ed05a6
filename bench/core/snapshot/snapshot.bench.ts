// What getSnapshot() takes on the calling thread, from memory that holds a window in which slices have begun.
import { setTimeout } from 'node:timers/promises';
import { Pipeline, Registry } from '@offloop/core';
import { HttpMetrics, SnapshotReader } from '@offloop/core/adapter';
import * as ahead from '@offloop/core/internal/layout/read-ahead.js';
import { PoolEngine } from '@offloop/worker';
import { alternatingSuite, type Unit } from '../../harness/alternating-suite.js';
import { bench, type Subject } from '../../harness/bench.js';
import { seededRandom } from '../../harness/seeded-random.js';

const MICROSECONDS: Unit = { name: 'µs', fromNs: (ns) => ns / 1_000 };

/** A fifth of the routes end in another way at times. */
const STATUSES = ['200', '500'];
const SECOND_STATUS_EVERY = 5;
const WINDOW_SECONDS = 300;
/** The application's time between two requests: 400 s in all, so that the window is full and lets go. */
const SPAN_MS = 400_000;

/** The ring holds more than twice as many. While the thread boots, a full one is drained here. */
const DRAIN_EVERY = 20_000;
const WAITS_MAX = 100;
const TRIES_MAX = 500;

/** Durations are drawn once and then taken in turn: to draw ten million takes longer than to measure. */
const DURATIONS = 65_536;
/** Two milliseconds: what else the machine does falls into few of a round's runs. */
const READINGS_PER_RUN = 40;
/** Requests of a series between two readings, where there are any. */
const TRAFFIC_REQUESTS = 5;

/** Enough to see that the window lets go. */
const SMOKE_REQUESTS = 2_000;

interface Load {
  readonly routes: number;
  /** Before the first reading. */
  readonly requests: number;
  /** Routes that have requests between two readings: every so many-th. */
  readonly usedEvery: number | undefined;
  /** Whether a pool thread drains, and reads ahead. */
  readonly hasPool?: true;
}

async function open({ routes, requests, usedEvery, hasPool }: Load): Promise<Subject> {
  const pipeline = new Pipeline();
  pipeline.configure(
    { window: { seconds: WINDOW_SECONDS } },
    hasPool && (({ segment, recorder }) => PoolEngine.start({ segment, recorder })),
  );
  const http = new HttpMetrics(pipeline, new Registry(pipeline));
  const { segment, recorder } = pipeline.producer;
  const random = seededRandom(1);
  const startMs = performance.now();
  const series = Array.from({ length: routes }, (_, route) =>
    STATUSES.slice(0, route % SECOND_STATUS_EVERY === 0 ? 2 : 1).map((status) =>
      http.seriesIdOf('GET', `/route/${route}`, status),
    ),
  );
  const used = usedEvery === undefined ? [] : series.filter((_, route) => route % usedEvery === 0);
  const ids = series.flat();
  const durations = Float64Array.from({ length: DURATIONS }, () => {
    // The sum of twelve is as good as normal.
    const normal = Array.from({ length: 12 }, random).reduce((sum, one) => sum + one, -6);
    return Math.exp(-4 + normal);
  });
  // Without a turn of the loop, in which the engine would tell the window what time it really is.
  const waitForRoom = () => {
    recorder.publish();
    for (let waits = 0; waits < WAITS_MAX && recorder.backlog() > DRAIN_EVERY; waits++)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  };
  let recorded = 0;
  const record = (id: number, endedMs: number) => {
    http.record(id, durations[recorded++ % DURATIONS] as number, endedMs);
  };
  for (let index = 0; index < requests; index++) {
    const id = ids[Math.floor(random() * ids.length)] as number;
    record(id, startMs + (index / requests) * SPAN_MS);
    if (hasPool && index % DRAIN_EVERY === 0) waitForRoom();
  }
  const reader = new SnapshotReader(segment, { wantsReadAhead: hasPool === true });
  const read = () => reader.read({ isLagMonitored: true, nowTick: recorder.tick() });
  const isAhead = () => segment.readAhead[ahead.BATCHES] !== 0;
  const haveTraffic = async () => {
    for (const id of used.flat()) {
      for (let index = 0; index < TRAFFIC_REQUESTS; index++) record(id, startMs + SPAN_MS);
    }
    await pipeline.engine.flush();
  };
  return {
    ...(used.length > 0 && { prepare: haveTraffic }),
    check: async () => {
      await pipeline.engine.flush();
      const { routes: rows, totalRequests, window } = read();
      const inWindow = rows.reduce((sum, row) => sum + row.window.requests, 0);
      if (rows.length !== routes || totalRequests !== requests || inWindow !== window.requests)
        throw new Error('the snapshot does not add up');
      if (!(window.requests > requests / 2 && window.requests < requests))
        throw new Error('the window does not let go');
      // The thread may still be booting.
      for (let tries = 0; hasPool && !isAhead(); tries++) {
        if (tries === TRIES_MAX) throw new Error('nothing is read ahead');
        await setTimeout(10);
        read();
        await pipeline.engine.flush();
      }
    },
    run: (count) => {
      for (let index = 0; index < count; index++) read();
    },
    finish: () => pipeline.close(),
  };
}

function row(name: string, load: Load) {
  const isAtRest = load.usedEvery === undefined;
  return bench(
    name,
    { smoke: 1, full: isAtRest ? 1_000 : 500 },
    (mode) => open({ ...load, requests: mode === 'full' ? load.requests : SMOKE_REQUESTS }),
    // What is done between two readings is not measured.
    { operationsPerRun: isAtRest ? READINGS_PER_RUN : 1 },
  );
}

const inUse = row('100 routes, each in use', { routes: 100, requests: 100_000, usedEvery: 1 });
const longInUse = row('the same after 10 000 000 requests', {
  routes: 100,
  requests: 10_000_000,
  usedEvery: 1,
});
const hardlyInUse = row('100 routes, a tenth in use', {
  routes: 100,
  requests: 100_000,
  usedEvery: 10,
});
const atRest = row('100 routes, none in use', {
  routes: 100,
  requests: 100_000,
  usedEvery: undefined,
});

const pooled = row('100 routes, each in use, read ahead', {
  routes: 100,
  requests: 100_000,
  usedEvery: 1,
  hasPool: true,
});
const longPooled = row('the same after 10 000 000 requests, read ahead', {
  routes: 100,
  requests: 10_000_000,
  usedEvery: 1,
  hasPool: true,
});

/** For the processes of the suite. */
export const benches = [
  row('10 routes, each in use', { routes: 10, requests: 100_000, usedEvery: 1 }),
  inUse,
  pooled,
  longInUse,
  longPooled,
  hardlyInUse,
  atRest,
];

export const snapshot = alternatingSuite({
  name: 'core/snapshot/snapshot',
  title: 'getSnapshot(): microseconds on the calling thread',
  note: 'A row a route, a fifth of them with two statuses, over a window of five minutes in six slices; lognormal durations of σ = 1. In use: five requests of each series between two readings, and a `flush()`. Read ahead: by the pool’s thread; in the other rows there is none, or it came out of the blue. Garbage collection, a few per cent, is left out.',
  isForReadme: true,
  moduleUrl: import.meta.url,
  benches,
  unit: MICROSECONDS,
  ceilings: [pooled, longPooled, inUse, longInUse, hardlyInUse, atRest].map(({ name }) => ({
    row: name,
    atMost: 100,
  })),
});
