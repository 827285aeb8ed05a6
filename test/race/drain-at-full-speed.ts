import { workerData } from 'node:worker_threads';
import { Drain, type Lease, takeLease } from '@offloop/core/engine';
import { TestSegment, VALUES } from '../contract/test-segment.js';
import { type FullSpeedOptions, tellBuffer } from './full-speed-thread.js';

/** Program of a thread that produces and drains as fast as it can, in batches of every size, until it is terminated. */
const test = new TestSegment(workerData as FullSpeedOptions);
tellBuffer(test.segment.buffer);

const { record, publish } = test.recorder;
const { seriesIds } = test;
const drain = new Drain(test.segment, takeLease(test.segment, false) as Lease);
for (let round = 0; ; round++) {
  const count = 1 + ((round * 997) % 4_000);
  for (let index = 0; index < count; index++) {
    record(
      seriesIds[(index * 7 + round) % seriesIds.length] as number,
      VALUES[(index * 5 + round) % VALUES.length] as number,
    );
  }
  publish();
  drain.drainAll();
}
