import { assertLayout } from './assert-layout.js';

/**
 * Read-ahead region: what a snapshot is to say of the requests on each route, read by the pool thread before somebody asks, so that main only has
 * to copy it. In doubles; groups of different writers lie 128 bytes apart.
 *
 *   double     field        writer    notes
 *   ─────────  ───────────  ────────  ───────────────────────────────────────────────────────────────────────────────────
 *   0          sequence     consumer  its first cell, u32, Atomics rmw: odd while the rest is being written
 *   1          batches      consumer  aggregated when it was read (aggregates.ts); 0: nothing has been read yet
 *   2          slice        consumer  of the window's start (aggregate/window-reading.ts)
 *   3          tick         consumer  likewise
 *   4          removals     consumer  of the family, as the catalog had it
 *   5          series       consumer  of the family: these and no others are in it
 *   6          routes       consumer  rows, in the order in which the routes' first series were made
 *   7 … 12     all          consumer  of all routes: requests, errors, seconds since the start, and the same over the window
 *   13 … 16    namedValues  consumer  of all routes: p50, p90, p95, p99 over the window, seconds
 *   17         askedCount   consumer  quantiles that were asked for
 *   18 … 49    asked        consumer  their shares
 *   50 … 81    values       consumer  and values, seconds
 *   96 … 352   buckets      consumer  of all routes, since the start
 *   368        reads        main      its first cell, u32, Atomics: moves when a snapshot is read
 *   369        readMs       main      when that was (process/monotonic-clock.ts); plain, and seen with the next move of `reads`
 *   370        wantedCount  main      quantiles that a snapshot is to have; likewise
 *   371 … 402  wanted       main      their shares; likewise
 *   416 …      rows         consumer  1 024 × { requests, errors since the start; requests, errors, seconds over the window; p50, p90, p95, p99 }
 *
 * The consumer writes while it is in a batch in which it commits nothing (aggregate/lease.ts): so the aggregates stand still, and one that has lost its
 * lease writes nothing. A reader takes all of it or nothing: only if the sequence was even before and is the same after, and `batches`, the window's
 * start, `removals`, `series` and the shares are those that it would read by itself. A crash between any two stores leaves an odd sequence behind, and
 * nothing is taken until a successor has written all of it anew. Shares that were seen half-written are not those that somebody asks for.
 */
export const SEQUENCE_CELL = 0;

export const BATCHES = 1;
export const SLICE = BATCHES + 1;
export const TICK = SLICE + 1;
export const REMOVALS = TICK + 1;
export const SERIES = REMOVALS + 1;
export const ROUTES = SERIES + 1;
export const ALL = ROUTES + 1;
/** Two times requests, errors and seconds. */
const ALL_DOUBLES = 6;
export const NAMED_VALUES = ALL + ALL_DOUBLES;
/** As many percentiles as have a name. */
export const NAMED_COUNT = 4;
export const ASKED_COUNT = NAMED_VALUES + NAMED_COUNT;
export const ASKED = ASKED_COUNT + 1;
/** As many quantiles as options take. */
export const QUANTILES_MAX = 32;
export const VALUES = ASKED + QUANTILES_MAX;

export const BUCKETS = 96;
/** As many bounds as options take, and +Inf. */
export const BUCKETS_MAX = 257;

const READS = 368;
export const READS_CELL = 2 * READS;
export const READ_MS = READS + 1;
export const WANTED_COUNT = READ_MS + 1;
export const WANTED = WANTED_COUNT + 1;

export const ROWS = 416;
/** With more routes than this, who asks reads. */
export const ROUTES_MAX = 1024;
/** Of a row. */
export const ROW_REQUESTS = 0;
export const ROW_ERRORS = ROW_REQUESTS + 1;
export const ROW_WINDOW = ROW_ERRORS + 1;
export const ROW_QUANTILES = ROW_WINDOW + 3;
export const ROW_DOUBLES = ROW_QUANTILES + NAMED_COUNT;

export const READ_AHEAD_DOUBLES = ROWS + ROUTES_MAX * ROW_DOUBLES;

assertLayout(VALUES + QUANTILES_MAX <= BUCKETS, 'the buckets begin after the quantiles');
assertLayout(BUCKETS + BUCKETS_MAX <= READS, 'the reader’s doubles come after the buckets');
assertLayout(
  READS % 16 === 0 && WANTED + QUANTILES_MAX <= ROWS && ROWS % 16 === 0,
  'the reader’s doubles lie apart',
);
assertLayout(READ_AHEAD_DOUBLES === 9632, 'the read-ahead region is 77 056 bytes');
