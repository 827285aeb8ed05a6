// The recorder alone: what a record costs before any instrument, and what a consumer on another core adds.
import { alternatingSuite, NANOSECONDS } from '../../harness/alternating-suite.js';
import { bench, type Subject } from '../../harness/bench.js';
import { createTraffic, TRAFFIC_MASK } from '../../harness/traffic.js';
import { createReplay, createRig } from '../rig.js';
import { type Consumer, drainedSubject } from './consumers.js';

const SERIES_COUNT = 200;
const traffic = createTraffic(SERIES_COUNT);

function openRecorder(consumer: Consumer): Subject {
  const rig = createRig({ seriesCount: SERIES_COUNT, kind: 'histogram with sketch' });
  return drainedSubject(rig, consumer, createReplay(rig, traffic));
}

/** As the middleware does it: a request that ends before the loop is blocked is counted meanwhile. */
function openPublishingEach(consumer: Consumer): Subject {
  const rig = createRig({ seriesCount: SERIES_COUNT, kind: 'histogram with sketch' });
  const { record, publish } = rig.recorder;
  const recordAndPublish = (seriesId: number, value: number): boolean => {
    const isRecorded = record(seriesId, value);
    publish();
    return isRecorded;
  };
  return drainedSubject(rig, consumer, createReplay(rig, traffic, recordAndPublish));
}

/** V8 compiles what the first closure of a function captures as constants; the second instance in a process does without. */
function openSecondRecorder(): Subject {
  const first = createRig({ seriesCount: 1, kind: 'counter' });
  createReplay(first, createTraffic(1))(10_000);
  return openRecorder('none');
}

/** The floor: the same 16 bytes into shared memory, with no room to look for and nobody to publish to. */
function openBareStore(): Subject {
  const { segment, seriesIds } = createRig({ seriesCount: SERIES_COUNT, kind: 'counter' });
  const { ringCells, ringValues, sizes } = segment;
  const { values, series } = traffic;
  const ids = Uint32Array.from(series, (index) => seriesIds[index] as number);
  const mask = sizes.capacityRecords - 1;
  let next = 0;
  return {
    check: () => {},
    run: (count) => {
      const start = next;
      next += count;
      for (let index = start; index < start + count; index++) {
        const at = index & TRAFFIC_MASK;
        const slot = index & mask;
        ringCells[slot << 2] = ids[at] as number;
        ringValues[(slot << 1) + 1] = values[at] as number;
      }
    },
    finish: () => {
      if (ringValues[1] !== values[0]) throw new Error('nothing was stored');
    },
  };
}

const ALONE = { smoke: 1_000, full: 3_000_000 };
/** 16 polls a round: each run waits for the thread's next look. */
const POLLED = { smoke: 1_000, full: 524_288 };
/** A sixteenth of the ring, which the thread has freed long before it is through with the rest. */
const SMALL_RUNS = { operationsPerRun: 4_096 };

/** For the processes of the suite. */
export const benches = [
  bench('16-byte store / baseline', ALONE, openBareStore),
  bench('recorder.record / no consumer', ALONE, () => openRecorder('none')),
  bench('recorder.record / thread polls every 20 ms', POLLED, () => openRecorder('polling')),
  bench('recorder.record / thread never rests', ALONE, () => openRecorder('behind'), SMALL_RUNS),
  bench('recorder.record and publish / no consumer', ALONE, () => openPublishingEach('none')),
  bench('recorder.record and publish / thread polls every 20 ms', POLLED, () =>
    openPublishingEach('polling'),
  ),
  bench(
    'recorder.record and publish / thread never rests',
    ALONE,
    () => openPublishingEach('behind'),
    SMALL_RUNS,
  ),
  bench('recorder.record / second recorder of the process', ALONE, openSecondRecorder),
];

export const recorder = alternatingSuite({
  name: 'core/record/recorder',
  title: 'The ring: nanoseconds a record',
  note: 'A record is 16 bytes; every 64th publishes, and the first after each look of the consumer. The middleware publishes each.',
  isForReadme: true,
  moduleUrl: import.meta.url,
  benches,
  unit: NANOSECONDS,
});
