// A consumer on a thread of its own: drains what there is, and looks again after a while.
import { workerData } from 'node:worker_threads';
import { Drain, type Lease, Segment } from '@offloop/core/engine';

/** What the thread is given. */
export interface DrainThreadData {
  readonly buffer: SharedArrayBuffer;
  readonly lease: Lease;
  readonly pollMs: number;
  /** One cell; the thread ends when it is not 0. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

const { buffer, lease, pollMs, stop } = workerData as DrainThreadData;
const drain = new Drain(Segment.attach(buffer), lease);
while (Atomics.load(stop, 0) === 0) {
  const count = drain.drainBatch();
  if (count === undefined) throw new Error('the lease is lost');
  if (count === 0) Atomics.wait(stop, 0, 0, pollMs);
}
