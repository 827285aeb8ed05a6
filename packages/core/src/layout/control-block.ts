import { assertLayout } from './assert-layout.js';

/**
 * Control block: the first bytes of a segment. Cells of different writers lie in groups of their own, 128 bytes apart (two cache
 * lines, as prefetchers fetch pairs).
 *
 *   byte  cell  type  field              writer          store        notes
 *   ────  ────  ────  ─────────────────  ──────────────  ───────────  ───────────────────────────────────
 *   header: written once, before the buffer is shared
 *      0     0  u32   magic              creator         plain        "offl"
 *      4     1  u32   layoutVersion      creator         plain        LAYOUT_VERSION
 *      8     2  u32   segmentBytes       creator         plain        whole buffer
 *     12     3  u32   capacityRecords    creator         plain        power of two
 *     16     4  u32   maxFamilies        creator         plain
 *     20     5  u32   maxSeries          creator         plain
 *     24     6  u32   catalogBytes       creator         plain        multiple of 8
 *     28     7  u32   aggregateCells     creator         plain        doubles
 *   producer: hot
 *    128    32  u32   producerCursor     producer        Atomics      publishes all records before it
 *    132    33  u32×3 dropped            producer        wide counter records refused by a full ring
 *    144    36  u32   clockTick          producer        plain        its clock; seen with the producerCursor that it publishes next
 *   producer: cold
 *    256    64  u32   familyCount        producer        Atomics      publishes the family entries before it
 *    260    65  u32   seriesCount        producer        Atomics      publishes the series entries before it
 *    264    66  u32   catalogEnd         producer        plain        bytes used
 *    268    67  u32   aggregatesEnd      producer        plain        doubles used
 *    272    68  u32×3 refused            producer        wide counter lookups folded into an overflow series
 *    284    71  u32×3 scrapes            producer        wide counter pages handed out
 *    296    74  u32×3 renderUs           producer        wide counter µs spent rendering them, on whichever thread
 *    308    77  u32   threadRestarts     producer        Atomics      pool threads replaced
 *    312    78  u32×3 collectErrors      producer        wide counter collect() callbacks that failed in a scrape
 *    324    81  u32   reuseCount         producer        Atomics rmw  moves before removed series' entries are given to others
 *    328    82  u32   removedCount       producer        Atomics      series entries that no series has at present
 *   consumer (whoever holds the lease)
 *    384    96  u32   consumerCursor     consumer        Atomics      frees all slots before it; may lag the commit
 *    388    97  u32   pollCount          consumer        Atomics      moves at each look at the ring; also the heartbeat
 *    392    98  u32   commitState        consumer        Atomics rmw  odd: the redo log holds a committed batch
 *    396    99  u32   logCount           consumer        plain        entries of that batch
 *    400   100  u32   rotating           consumer        Atomics rmw  1: it copies series' blocks (layout/windows.ts)
 *   lease
 *    512   128  u32   lease              both            Atomics cas  epoch << 1 | draining (aggregate/lease.ts)
 *
 * What a crash between any two of the consumer's stores leaves behind stands in layout/redo-log.ts. The producer is the process's
 * own main thread: when it dies, so does the memory.
 */
export const MAGIC = 0x6f66666c;
export const LAYOUT_VERSION = 12;

/** Two cache lines, in u32 cells. */
const GROUP_CELLS = 32;

export const MAGIC_CELL = 0;
export const LAYOUT_VERSION_CELL = MAGIC_CELL + 1;
export const SEGMENT_BYTES_CELL = LAYOUT_VERSION_CELL + 1;
export const CAPACITY_RECORDS_CELL = SEGMENT_BYTES_CELL + 1;
export const MAX_FAMILIES_CELL = CAPACITY_RECORDS_CELL + 1;
export const MAX_SERIES_CELL = MAX_FAMILIES_CELL + 1;
export const CATALOG_BYTES_CELL = MAX_SERIES_CELL + 1;
export const AGGREGATE_CELLS_CELL = CATALOG_BYTES_CELL + 1;

export const PRODUCER_CURSOR = GROUP_CELLS;
export const DROPPED = PRODUCER_CURSOR + 1;
export const CLOCK_TICK = DROPPED + 3;

export const FAMILY_COUNT = 2 * GROUP_CELLS;
export const SERIES_COUNT = FAMILY_COUNT + 1;
export const CATALOG_END = SERIES_COUNT + 1;
export const AGGREGATES_END = CATALOG_END + 1;
export const REFUSED = AGGREGATES_END + 1;
export const SCRAPES = REFUSED + 3;
export const RENDER_US = SCRAPES + 3;
export const THREAD_RESTARTS = RENDER_US + 3;
export const COLLECT_ERRORS = THREAD_RESTARTS + 1;
export const REUSE_COUNT = COLLECT_ERRORS + 3;
export const REMOVED_COUNT = REUSE_COUNT + 1;

export const CONSUMER_CURSOR = 3 * GROUP_CELLS;
export const POLL_COUNT = CONSUMER_CURSOR + 1;
export const COMMIT_STATE = POLL_COUNT + 1;
export const LOG_COUNT = COMMIT_STATE + 1;
export const ROTATING = LOG_COUNT + 1;

export const LEASE = 4 * GROUP_CELLS;

export const CONTROL_BLOCK_BYTES = 5 * GROUP_CELLS * 4;

assertLayout(CLOCK_TICK < FAMILY_COUNT, 'the producer group holds its cells');
assertLayout(REMOVED_COUNT < CONSUMER_CURSOR, 'the cold producer group holds its cells');
assertLayout(ROTATING < LEASE, 'the consumer group holds its cells');
assertLayout(CONTROL_BLOCK_BYTES === 640, 'the control block is 640 bytes');
