import { resolveOptions } from '@offloop/core';
import { SKETCH_CELLS } from '@offloop/core/internal/aggregate/sketch.js';
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

export function createRig(of: {
  readonly seriesCount: number;
  readonly kind: 'counter' | 'histogram' | 'histogram with sketch';
}): Rig {
  const { segment, recorder, catalog } = new Producer(
    resolveOptions({ memory: { maxSeries: 65_536, catalogBytes: 16 * 2 ** 20 } }, {}),
  );
  const family = catalog.addFamily({
    kind: of.kind === 'counter' ? FamilyKind.counter : FamilyKind.histogram,
    role: FamilyRole.none,
    name: 'request_seconds',
    help: 'Duration.',
    labelNames: LABEL_NAMES,
    bounds: of.kind === 'counter' ? [] : BOUNDS,
    quantiles: [],
    sketchCells: of.kind === 'histogram with sketch' ? SKETCH_CELLS : 0,
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
