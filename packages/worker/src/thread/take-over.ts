import { setTimeout as delay } from 'node:timers/promises';
import { holdsLease, type Lease, type Segment, takeLease } from '@offloop/core/engine';

/** Main's batches last a millisecond, so the second attempt finds a gap; many mean that main is stopped in the middle of one. */
const ATTEMPTS_MAX = 100;

/**
 * Takes the lease from main's stand-in, between two of its batches and without main's help: a main thread that is blocked since it
 * started this thread is relieved all the same.
 *
 * @returns `undefined` when the stand-in's lease has gone elsewhere: then this thread is not wanted any more.
 */
export async function takeOver(segment: Segment, standIn: Lease): Promise<Lease | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX && holdsLease(segment, standIn); attempt++) {
    const lease = takeLease(segment, false);
    if (lease !== undefined) return lease;
    await delay(1);
  }
  return undefined;
}
