import { batches } from './core/aggregate/batches.bench.js';
import { drain } from './core/aggregate/drain.bench.js';
import { percentiles } from './core/aggregate/percentiles.bench.js';
import { protobuf } from './core/exposition/protobuf.bench.js';
import { render } from './core/exposition/render.bench.js';
import { cacheHooks } from './core/hooks/cache.bench.js';
import { webSocketHooks } from './core/hooks/websocket.bench.js';
import { allocation } from './core/record/allocation.bench.js';
import { instruments } from './core/record/instruments.bench.js';
import { publishing } from './core/record/publishing.bench.js';
import { recorder } from './core/record/recorder.bench.js';
import { snapshot } from './core/snapshot/snapshot.bench.js';
import { footprint } from './footprint/footprint.bench.js';
import { idle } from './footprint/idle.bench.js';
import { series } from './footprint/series.bench.js';
import type { Suite } from './harness/suite.js';
import { middleware } from './http/middleware.bench.js';
import { scrape } from './scrape/scrape.bench.js';
import { port } from './worker/port/port.bench.js';

/** All suites, in the order in which they run and stand in the README. */
export const SUITES: readonly Suite[] = [
  instruments,
  allocation,
  recorder,
  publishing,
  drain,
  batches,
  percentiles,
  render,
  protobuf,
  scrape,
  port,
  snapshot,
  cacheHooks,
  webSocketHooks,
  middleware,
  footprint,
  series,
  idle,
];
