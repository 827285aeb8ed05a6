import { assertLayout } from './assert-layout.js';

/**
 * Catalog: what the ids mean. Written by the producer before the first record that uses the id, so that a fresh thread needs nothing
 * but the buffer. Three parts: family entries, series entries, and bytes (UTF-8 texts, bounds, lookup tables, exemplars).
 *
 * Family entry, 32 u32 cells:
 *
 *   cell  field           unit      notes
 *   ────  ──────────────  ────────  ─────────────────────────────────────────────────────────────────────
 *      0  kind            —         FamilyKind
 *      1  role            —         FamilyRole, how a thread finds the family of HTTP requests
 *    2–3  name            offset, bytes
 *    4–5  help            offset, bytes   escaped as the text format wants it
 *    6–7  labelNames      offset, bytes   JSON array
 *      8  bounds          offset    boundsCount doubles, ascending, then one +Infinity; of a summary, its quantiles
 *      9  boundsCount     —
 *     10  table           offset    tableCells u16 → first bound to compare (aggregate/bound-table.ts); keyed by the
 *                                   narrow sketch's cell where there is one, else by the float's top bits
 *     11  tableCells      —         0: no table, binary search
 *     12  tableShift      bits
 *     13  tableMinimum    —         key of table cell 0
 *     14  sketchCells     —         0: no sketch; else it tells which shape (aggregate/sketch-shape.ts)
 *     15  source          id + 1    derived families: whose series and blocks they show
 *     16  firstSeries     id + 1    Atomics; head of the chain, in order of creation
 *     17  blockDoubles    doubles
 *     18  seriesCount     —         Atomics
 *     22  openMetricsType  —       OpenMetricsType, where OpenMetrics has a type of its own for what is a gauge elsewhere
 *     23  removals        —         Atomics; moves when a series has left the chain
 *     24  window          double    its window block (layout/windows.ts); 0: no window
 *     25  slices          —         slices of the window
 *     26  sliceTicks      ticks     Atomics; length of a slice, which may change
 *     27  reservoir       double    its reservoir (layout/reservoirs.ts); 0: none
 *     28  sampleCount     —         observations that the reservoir keeps of a slice
 *     29  shortened       ticks     Atomics; when slices last became shorter; 0: never
 *
 * Series entry, 10 u32 cells:
 *
 *      0  family          id
 *    1–2  labels          offset, bytes   exposition form without braces: method="GET",route="/"
 *      3  block           double    index into the aggregates
 *      4  next            id + 1    Atomics; next series of the family
 *      5  previous        id + 1    the producer's own
 *    6–7  createdMs       f64       Unix time, ms
 *      8  labelsRoom      bytes     what the labels' place holds, for the entry's next series
 *      9  exemplars       offset    Atomics; layout/exemplars.ts; 0: none
 *
 * Visible when: an entry's id is below familyCount / seriesCount, or it is reached through a chain; both are stored by Atomics after
 * everything they lead to. A producer that dies between the stores leaves bytes that nothing leads to.
 *
 * A removed series leaves its chain at once, and goes on leading into it, for readers that stand on it. Its entry and block are given to
 * another series when the consumer has passed the last record that names it, and not before reuseCount (control block) has
 * moved: a reader notes that count, reads, and does a rmw on it that changes nothing. If it is the same, nothing that the reader
 * met was given to anybody else. The rmw is why it is no load: layout/redo-log.ts.
 */
export const FAMILY_KIND = 0;
export const FAMILY_ROLE = FAMILY_KIND + 1;
export const FAMILY_NAME = FAMILY_ROLE + 1;
export const FAMILY_HELP = FAMILY_NAME + 2;
export const FAMILY_LABEL_NAMES = FAMILY_HELP + 2;
export const FAMILY_BOUNDS = FAMILY_LABEL_NAMES + 2;
export const FAMILY_BOUNDS_COUNT = FAMILY_BOUNDS + 1;
export const FAMILY_TABLE = FAMILY_BOUNDS_COUNT + 1;
export const FAMILY_TABLE_CELLS = FAMILY_TABLE + 1;
export const FAMILY_TABLE_SHIFT = FAMILY_TABLE_CELLS + 1;
export const FAMILY_TABLE_MINIMUM = FAMILY_TABLE_SHIFT + 1;
export const FAMILY_SKETCH_CELLS = FAMILY_TABLE_MINIMUM + 1;
export const FAMILY_SOURCE = FAMILY_SKETCH_CELLS + 1;
export const FAMILY_FIRST_SERIES = FAMILY_SOURCE + 1;
export const FAMILY_BLOCK_DOUBLES = FAMILY_FIRST_SERIES + 1;
export const FAMILY_SERIES_COUNT = FAMILY_BLOCK_DOUBLES + 1;
export const FAMILY_OPEN_METRICS_TYPE = 22;
export const FAMILY_REMOVALS = FAMILY_OPEN_METRICS_TYPE + 1;
export const FAMILY_WINDOW = 24;
export const FAMILY_SLICES = FAMILY_WINDOW + 1;
export const FAMILY_SLICE_TICKS = FAMILY_SLICES + 1;
export const FAMILY_RESERVOIR = FAMILY_SLICE_TICKS + 1;
export const FAMILY_SAMPLE_COUNT = FAMILY_RESERVOIR + 1;
export const FAMILY_SHORTENED = FAMILY_SAMPLE_COUNT + 1;
export const FAMILY_ENTRY_CELLS = 32;

export const SERIES_FAMILY = 0;
export const SERIES_LABELS = SERIES_FAMILY + 1;
export const SERIES_BLOCK = SERIES_LABELS + 2;
export const SERIES_NEXT = SERIES_BLOCK + 1;
export const SERIES_PREVIOUS = SERIES_NEXT + 1;
export const SERIES_CREATED_MS = SERIES_PREVIOUS + 1;
export const SERIES_LABELS_ROOM = SERIES_CREATED_MS + 2;
export const SERIES_EXEMPLARS = SERIES_LABELS_ROOM + 1;
export const SERIES_ENTRY_CELLS = 10;

assertLayout(FAMILY_SERIES_COUNT < FAMILY_OPEN_METRICS_TYPE, 'a family entry has each cell once');
assertLayout(FAMILY_REMOVALS < FAMILY_WINDOW, 'a family entry has its window after the rest');
assertLayout(FAMILY_SHORTENED < FAMILY_ENTRY_CELLS, 'a family entry holds its cells');
assertLayout(SERIES_EXEMPLARS < SERIES_ENTRY_CELLS, 'a series entry holds its cells');
assertLayout(
  SERIES_CREATED_MS % 2 === 0 && SERIES_ENTRY_CELLS % 2 === 0,
  'the doubles of a series entry are aligned',
);

/** What a family's blocks hold, and who writes them. */
export const FamilyKind = {
  /** The value of a record is added. */
  counter: 1,
  /** The value of a record is observed. */
  histogram: 2,
  /** One live value that the producer writes in place: never dropped, never late. */
  liveGauge: 3,
  /** No blocks of its own: shows the observation counts of a histogram as a counter. */
  observationCounter: 4,
  /** The value of a record is observed; shows the quantiles of its sketch. */
  summary: 5,
} as const;
export type FamilyKind = (typeof FamilyKind)[keyof typeof FamilyKind];

/** What OpenMetrics calls a family, where that is more than its kind says. */
export const OpenMetricsType = { byKind: 0, stateSet: 1, info: 2 } as const;
export type OpenMetricsType = (typeof OpenMetricsType)[keyof typeof OpenMetricsType];

/** Families that snapshots and health look for. */
export const FamilyRole = {
  none: 0,
  httpDuration: 1,
  httpInFlight: 2,
  loopLag: 3,
  cacheHits: 4,
  cacheMisses: 5,
  cacheEvictions: 6,
  cacheErrors: 7,
  cacheDuration: 8,
  webSocketOpen: 9,
  webSocketConnections: 10,
  webSocketMessages: 11,
  webSocketBytes: 12,
  webSocketErrors: 13,
  webSocketRefusals: 14,
} as const;
export type FamilyRole = (typeof FamilyRole)[keyof typeof FamilyRole];
