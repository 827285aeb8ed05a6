// Why every 64th record publishes: the recorder's ring write with other numbers in its place.
import {
  CONSUMER_CURSOR,
  POLL_COUNT,
  PRODUCER_CURSOR,
} from '@offloop/core/internal/layout/control-block.js';
import type { Segment } from '@offloop/core/internal/layout/segment.js';
import { alternatingSuite, NANOSECONDS } from '../../harness/alternating-suite.js';
import { bench, type Subject } from '../../harness/bench.js';
import { createTraffic } from '../../harness/traffic.js';
import { createReplay, createRig } from '../rig.js';
import { type Consumer, drainedSubject } from './consumers.js';

const SERIES_COUNT = 200;
const traffic = createTraffic(SERIES_COUNT);

function openPublishing(publishEvery: number, consumer: Consumer): Subject {
  const rig = createRig({ seriesCount: SERIES_COUNT, kind: 'histogram with sketch' });
  const variant = createVariant(rig.segment, publishEvery);
  const recorder = { ...rig.recorder, ...variant };
  return drainedSubject(
    { ...rig, recorder },
    consumer,
    createReplay(rig, traffic, recorder.record),
  );
}

/** record/recorder.ts, cut down to what writing takes and with the batch of its own choice. */
function createVariant(segment: Segment, publishEvery: number) {
  const { control, ringCells, ringValues } = segment;
  const capacity = segment.sizes.capacityRecords;
  const mask = capacity - 1;
  const publishMask = publishEvery - 1;
  let sequence = 0;
  let limit = capacity;
  let pollCountSeen = 0;

  function record(seriesId: number, value: number): boolean {
    if (sequence === limit) {
      limit = (Atomics.load(control, CONSUMER_CURSOR) + capacity) | 0;
      if (sequence === limit) return false;
    }
    const slot = sequence & mask;
    ringCells[slot << 2] = seriesId;
    ringValues[(slot << 1) + 1] = value;
    sequence = (sequence + 1) | 0;
    if ((sequence & publishMask) === 0 || control[POLL_COUNT] !== pollCountSeen) publish();
    return true;
  }

  function publish(): void {
    Atomics.store(control, PRODUCER_CURSOR, sequence);
    pollCountSeen = control[POLL_COUNT] as number;
  }

  return {
    record,
    publish,
    backlog: () => (sequence - Atomics.load(control, CONSUMER_CURSOR)) | 0,
  };
}

const CONDITIONS = [
  { consumer: 'none', label: 'no consumer' },
  { consumer: 'behind', label: 'thread never rests' },
] as const;

/** For the processes of the suite. */
export const benches = [1, 8, 64, 512].flatMap((publishEvery) =>
  CONDITIONS.map(({ consumer, label }) =>
    bench(
      `publish every ${publishEvery} / ${label}`,
      { smoke: 1_000, full: 3_000_000 },
      () => openPublishing(publishEvery, consumer),
      { operationsPerRun: 4_096 },
    ),
  ),
);

export const publishing = alternatingSuite({
  name: 'core/record/publishing',
  title: 'Publishing: nanoseconds a record, by how many are published together',
  note: 'From 64 on nothing is gained, and a consumer sees records the later.',
  isForReadme: false,
  moduleUrl: import.meta.url,
  benches,
  unit: NANOSECONDS,
});
