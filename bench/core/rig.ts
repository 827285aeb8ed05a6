import { resolveOptions } from '@offloop/core/adapter';
import { SKETCH_CELLS } from '@offloop/core/internal/aggregate/sketch.js';
import { WIDE_SKETCH_CELLS } from '@offloop/core/internal/aggregate/wide-sketch.js';
import { formatLabels } from '@offloop/core/internal/instruments/label-text.js';
import { Producer } from '@offloop/core/internal/instruments/producer.js';
import { FamilyKind, FamilyRole } from '@offloop/core/internal/layout/catalog.js';
import type { Segment } from '@offloop/core/internal/layout/segment.js';
import type { Recorder } from '@offloop/core/internal/record/recorder.js';
import { createLabelSets, LABEL_NAMES, TRAFFIC_MASK, type Traffic } from '../harness/traffic.js';

/** A segment of default size with one family, without instruments or engine. */
export interface Rig {
  readonly segment: Segment;
  readonly recorder: Recorder;
  readonly family: number;
  /** Ids by the traffic's series. */
  readonly seriesIds: Uint32Array;
}

/** Bounds of the histogram of HTTP requests, seconds. */
export const BOUNDS = resolveOptions({}, {}).http.bucketsMs.map((bound) => bound / 1000);

/** What the series of a rig aggregate. */
export type RigKind =
  | 'counter'
  | 'histogram'
  | 'histogram with sketch'
  | 'histogram with wide sketch'
  | 'summary';

const SKETCH_CELLS_OF: Readonly<Partial<Record<RigKind, number>>> = {
  'histogram with sketch': SKETCH_CELLS,
  'histogram with wide sketch': WIDE_SKETCH_CELLS,
  summary: WIDE_SKETCH_CELLS,
};

const KINDS: Readonly<Partial<Record<RigKind, FamilyKind>>> = {
  counter: FamilyKind.counter,
  summary: FamilyKind.summary,
};

export function createRig(of: { readonly seriesCount: number; readonly kind: RigKind }): Rig {
  const { segment, recorder, catalog } = new Producer(
    resolveOptions({ memory: { maxSeries: 65_536, catalogBytes: 16 * 2 ** 20 } }, {}),
  );
  const family = catalog.addFamily({
    kind: KINDS[of.kind] ?? FamilyKind.histogram,
    role: FamilyRole.none,
    name: 'request_seconds',
    help: 'Duration.',
    labelNames: LABEL_NAMES,
    bounds: of.kind in KINDS ? [] : BOUNDS,
    quantiles: [],
    sketchCells: SKETCH_CELLS_OF[of.kind] ?? 0,
    source: undefined,
  });
  const seriesIds = Uint32Array.from(createLabelSets(of.seriesCount), (labels) => {
    const text = formatLabels(
      LABEL_NAMES,
      LABEL_NAMES.map((name) => labels[name]),
    );
    const id = catalog.addSeries(family, text);
    if (id === undefined) throw new Error('the segment is too small for the bench');
    catalog.link(id);
    return id;
  });
  return { segment, recorder, family, seriesIds };
}

/** Replays the traffic through `record`. The function returned writes the next `count` records. */
export function createReplay(
  rig: Rig,
  { values, series }: Traffic,
  record: Recorder['record'] = rig.recorder.record,
): (count: number) => void {
  const ids = Uint32Array.from(series, (index) => rig.seriesIds[index] as number);
  let next = 0;
  return (count) => {
    const start = next;
    next += count;
    for (let index = start; index < start + count; index++) {
      const at = index & TRAFFIC_MASK;
      record(ids[at] as number, values[at] as number);
    }
  };
}
