import { Worker } from 'node:worker_threads';
import { Drain, takeLease } from '@offloop/core/engine';
import { TOTAL_AGGREGATED } from '@offloop/core/internal/layout/aggregates.js';
import { DROPPED } from '@offloop/core/internal/layout/control-block.js';
import { readWideCounter } from '@offloop/core/internal/layout/wide-counter.js';
import type { Subject } from '../../harness/bench.js';
import type { Rig } from '../rig.js';
import type { DrainThreadData } from './drain-thread.js';

/**
 * Who drains while records are written:
 * - `none`: this thread, between the timed runs;
 * - `polling`: a thread that looks every 20 ms, as the pool's does;
 * - `behind`: a thread that finds records whenever it looks, as the producer writes as fast as it drains.
 */
export type Consumer = 'none' | 'polling' | 'behind';

const POLL_MS = { polling: 20, behind: 1 };

/** A bench of what writes to a rig's ring, with `consumer` at the other end. Its last gate: nothing was dropped or lost. */
export function drainedSubject(
  rig: Rig,
  consumer: Consumer,
  write: (count: number) => void,
): Subject {
  const { segment, recorder } = rig;
  let written = 0;
  const run = (count: number): void => {
    write(count);
    written += count;
  };
  const drained = consumer === 'none' ? drainHere(rig) : drainOnThread(rig, consumer);
  const finish = async (): Promise<void> => {
    recorder.publish();
    await drained.empty();
    await drained.stop();
    const aggregated = segment.aggregates[TOTAL_AGGREGATED] ?? 0;
    const dropped = readWideCounter(segment.control, DROPPED);
    if (aggregated !== written || dropped !== 0) {
      throw new Error(`${aggregated} of ${written} records aggregated, ${dropped} dropped`);
    }
  };
  return {
    check: async () => {
      const count = 8_000;
      await drained.makeRoom(count);
      run(count);
      recorder.publish();
      await drained.empty();
      if (recorder.backlog() !== 0) throw new Error('the consumer does not drain');
    },
    prepare: drained.makeRoom,
    run,
    finish,
  };
}

interface Drained {
  readonly makeRoom: (count: number) => void;
  readonly empty: () => void;
  readonly stop: () => void | Promise<void>;
}

function drainHere({ segment, recorder }: Rig): Drained {
  const lease = takeLease(segment, true);
  if (lease === undefined) throw new Error('the lease is taken');
  const drain = new Drain(segment, lease);
  const empty = (): void => {
    recorder.publish();
    drain.drainAll();
  };
  return { makeRoom: empty, empty, stop: () => {} };
}

function drainOnThread({ segment, recorder }: Rig, consumer: 'polling' | 'behind'): Drained {
  const lease = takeLease(segment, true);
  if (lease === undefined) throw new Error('the lease is taken');
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const never = new Int32Array(new SharedArrayBuffer(4));
  const data: DrainThreadData = {
    buffer: segment.buffer,
    lease,
    pollMs: POLL_MS[consumer],
    stop,
  };
  const worker = new Worker(new URL('./drain-thread.js', import.meta.url), { workerData: data });
  const waitUntil = (isDone: () => boolean): void => {
    recorder.publish();
    while (!isDone()) Atomics.wait(never, 0, 0, 1);
  };
  const capacity = segment.sizes.capacityRecords;
  const empty = (): void => waitUntil(() => recorder.backlog() === 0);
  return {
    makeRoom:
      consumer === 'polling'
        ? empty
        : (count) => waitUntil(() => recorder.backlog() + count <= capacity),
    empty,
    stop: async () => {
      Atomics.store(stop, 0, 1);
      Atomics.notify(stop, 0);
      await new Promise((resolve) => worker.once('exit', resolve));
    },
  };
}
