import type { WindowStart } from '../aggregate/window-reading.js';
import { TOTAL_BATCHES } from '../layout/aggregates.js';
import { assertLayout } from '../layout/assert-layout.js';
import * as layout from '../layout/read-ahead.js';
import type { Segment } from '../layout/segment.js';
import { monotonicMs } from '../process/monotonic-clock.js';
import { NAMED, type Route } from './route.js';
import type { WindowSums } from './window-sums.js';

/** What a reading of the routes is of: of the same, two readings say the same. */
export interface ReadingStamp {
  /** Of the batch that is read. */
  readonly aggregates: Float64Array;
  readonly start: WindowStart;
  /** Of the family, as the catalog has it. */
  readonly removals: number;
  readonly seriesCount: number;
  /** Of the quantiles that are asked for, ascending. */
  readonly shares: readonly number[];
}

/** What it comes to. */
export interface Reading {
  readonly routes: readonly Route[];
  /** Of all routes. */
  readonly all: Pick<WindowSums, 'lifetime' | 'window' | 'buckets'>;
  /** Quantiles of all routes, seconds: those in `NAMED`, and those that are asked for. */
  readonly named: Float64Array;
  readonly asked: Float64Array;
}

/** Says that a snapshot is read, and which quantiles it shows. For main alone. */
export function noteRead({ readAhead, readAheadCells }: Segment, shares: readonly number[]): void {
  readAhead[layout.WANTED_COUNT] = shares.length;
  for (let index = 0; index < shares.length && index < layout.QUANTILES_MAX; index++)
    readAhead[layout.WANTED + index] = shares[index] as number;
  readAhead[layout.READ_MS] = monotonicMs();
  const reads = readAheadCells[layout.READS_CELL] as number;
  Atomics.store(readAheadCells, layout.READS_CELL, reads + 1);
}

/** Snapshots that main has read so far, and when it read the last one. */
export interface Reads {
  /** Modulo 2³². */
  readonly count: number;
  /** Of the clock that all threads share, ms. */
  readonly lastMs: number;
}

export function readsNoted({ readAhead, readAheadCells }: Segment): Reads {
  const count = Atomics.load(readAheadCells, layout.READS_CELL);
  return { count, lastMs: readAhead[layout.READ_MS] as number };
}

/** The quantiles that main's snapshots show. */
export function wantedShares({ readAhead }: Segment): number[] {
  const count = Math.min(readAhead[layout.WANTED_COUNT] as number, layout.QUANTILES_MAX);
  return Array.from(readAhead.subarray(layout.WANTED, layout.WANTED + count));
}

/** Whether what was read ahead is whole, and of this. */
export function isAhead(segment: Segment, stamp: ReadingStamp): boolean {
  const { readAhead, readAheadCells } = segment;
  const { aggregates, start, shares } = stamp;
  if (
    (Atomics.load(readAheadCells, layout.SEQUENCE_CELL) & 1) === 1 ||
    readAhead[layout.BATCHES] === 0 ||
    readAhead[layout.BATCHES] !== aggregates[TOTAL_BATCHES] ||
    readAhead[layout.SLICE] !== start.slice ||
    readAhead[layout.TICK] !== start.tick ||
    readAhead[layout.REMOVALS] !== stamp.removals ||
    readAhead[layout.SERIES] !== stamp.seriesCount ||
    readAhead[layout.ASKED_COUNT] !== shares.length
  )
    return false;
  for (let index = 0; index < shares.length; index++)
    if (readAhead[layout.ASKED + index] !== shares[index]) return false;
  return true;
}

/** Whether there is room for a reading of so much. */
export function hasRoom({ routes, all, asked }: Reading): boolean {
  return (
    routes.length <= layout.ROUTES_MAX &&
    all.buckets.length <= layout.BUCKETS_MAX &&
    asked.length <= layout.QUANTILES_MAX
  );
}

/** Writes a reading for who asks next, where there is room for it. To be called by whoever holds the lease, between two batches. */
export function writeAhead(segment: Segment, stamp: ReadingStamp, reading: Reading): void {
  const { readAhead, readAheadCells } = segment;
  const { routes, all, named, asked } = reading;
  const { shares, start } = stamp;
  // Odd already where the one before died in here.
  if ((Atomics.load(readAheadCells, layout.SEQUENCE_CELL) & 1) === 0)
    Atomics.add(readAheadCells, layout.SEQUENCE_CELL, 1);
  readAhead[layout.BATCHES] = stamp.aggregates[TOTAL_BATCHES] as number;
  readAhead[layout.SLICE] = start.slice;
  readAhead[layout.TICK] = start.tick;
  readAhead[layout.REMOVALS] = stamp.removals;
  readAhead[layout.SERIES] = stamp.seriesCount;
  readAhead[layout.ROUTES] = routes.length;
  let at = layout.ALL;
  for (const { requests, errors, seconds } of [all.lifetime, all.window]) {
    readAhead[at++] = requests;
    readAhead[at++] = errors;
    readAhead[at++] = seconds;
  }
  readAhead[layout.ASKED_COUNT] = shares.length;
  put(named, readAhead, layout.NAMED_VALUES);
  put(shares, readAhead, layout.ASKED);
  put(asked, readAhead, layout.VALUES);
  put(all.buckets, readAhead, layout.BUCKETS);
  at = layout.ROWS;
  for (const route of routes) {
    readAhead[at + layout.ROW_REQUESTS] = route.requests;
    readAhead[at + layout.ROW_ERRORS] = route.errors;
    readAhead[at + layout.ROW_WINDOW] = route.windowRequests;
    readAhead[at + layout.ROW_WINDOW + 1] = route.windowErrors;
    readAhead[at + layout.ROW_WINDOW + 2] = route.windowSeconds;
    readAhead[at + layout.ROW_QUANTILES] = route.p50;
    readAhead[at + layout.ROW_QUANTILES + 1] = route.p90;
    readAhead[at + layout.ROW_QUANTILES + 2] = route.p95;
    readAhead[at + layout.ROW_QUANTILES + 3] = route.p99;
    at += layout.ROW_DOUBLES;
  }
  Atomics.add(readAheadCells, layout.SEQUENCE_CELL, 1);
}

/**
 * Takes what was read ahead, where it is of this. To be called between the look at the catalog that the stamp is of and whatever says that the
 * aggregates were of one batch.
 *
 * @returns `false`: it is not, or was being written; then what `into` holds means nothing.
 */
export function takeAhead(segment: Segment, stamp: ReadingStamp, into: Reading): boolean {
  const { readAhead, readAheadCells } = segment;
  const sequence = Atomics.load(readAheadCells, layout.SEQUENCE_CELL);
  if (!isAhead(segment, stamp)) return false;
  const { routes, all, named, asked } = into;
  if (readAhead[layout.ROUTES] !== routes.length) return false;
  let at = layout.ALL;
  for (const counts of [all.lifetime, all.window]) {
    counts.requests = readAhead[at++] as number;
    counts.errors = readAhead[at++] as number;
    counts.seconds = readAhead[at++] as number;
  }
  take(readAhead, layout.NAMED_VALUES, named);
  take(readAhead, layout.VALUES, asked);
  take(readAhead, layout.BUCKETS, all.buckets);
  at = layout.ROWS;
  for (let index = 0; index < routes.length; index++) {
    const route = routes[index] as Route;
    route.requests = readAhead[at + layout.ROW_REQUESTS] as number;
    route.errors = readAhead[at + layout.ROW_ERRORS] as number;
    route.windowRequests = readAhead[at + layout.ROW_WINDOW] as number;
    route.windowErrors = readAhead[at + layout.ROW_WINDOW + 1] as number;
    route.windowSeconds = readAhead[at + layout.ROW_WINDOW + 2] as number;
    route.p50 = readAhead[at + layout.ROW_QUANTILES] as number;
    route.p90 = readAhead[at + layout.ROW_QUANTILES + 1] as number;
    route.p95 = readAhead[at + layout.ROW_QUANTILES + 2] as number;
    route.p99 = readAhead[at + layout.ROW_QUANTILES + 3] as number;
    at += layout.ROW_DOUBLES;
  }
  // A rmw that changes nothing: see layout/redo-log.ts for why it is not a load.
  return Atomics.add(readAheadCells, layout.SEQUENCE_CELL, 0) === sequence;
}

/** Of so few numbers, `set` takes longer; so it does in `take`. */
function put(values: ArrayLike<number>, into: Float64Array, first: number): void {
  for (let index = 0; index < values.length; index++) into[first + index] = values[index] as number;
}

function take(from: Float64Array, first: number, into: Float64Array): void {
  for (let index = 0; index < into.length; index++) into[index] = from[first + index] as number;
}

assertLayout(NAMED.length === layout.NAMED_COUNT, 'each named percentile has its double');
