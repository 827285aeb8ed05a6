import { execFileSync } from 'node:child_process';
import { Segment } from '@offloop/core/engine';
import type { PageTask } from '@offloop/worker/internal/thread/page-messages.js';
import type { StartTask } from '@offloop/worker/internal/thread/thread-tasks.js';
import * as thread from '@offloop/worker/thread';
import { LEASE_CELL, MISDEED_CELL, Misdeed, SLEEP_SECONDS } from './misdeeds.js';

/**
 * The real thread, which misbehaves when it is asked for a family of a negative id.
 *
 * It reaches for no internals, but for types: the tests' own condition for them is not passed on to a pool's thread.
 */
export const { flush } = thread;

let segment: Segment | undefined;

export function start(task: StartTask): Promise<boolean> {
  segment = Segment.attach(task.buffer);
  return thread.start(task);
}

function tellOfMisdeed(): void {
  Atomics.store((segment as Segment).control, MISDEED_CELL, 1);
}

export async function render(task: PageTask): Promise<unknown> {
  switch (task.request.families[0]) {
    case Misdeed.loop:
      tellOfMisdeed();
      for (;;);
    case Misdeed.loopInBatch:
      Atomics.or((segment as Segment).control, LEASE_CELL, 1);
      tellOfMisdeed();
      for (;;);
    case Misdeed.sleepInBatch:
      Atomics.or((segment as Segment).control, LEASE_CELL, 1);
      execFileSync('sleep', [String(SLEEP_SECONDS)]);
      break;
    case Misdeed.wait:
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      break;
    case Misdeed.exit:
      process.exit(3);
      break;
    case Misdeed.throwInTask:
      throw new RangeError('a task that throws');
    case Misdeed.throwLater:
      setTimeout(() => {
        throw new RangeError('an error that nobody catches');
      });
      break;
    case Misdeed.exhaustHeap: {
      const hoard: number[][] = [];
      for (;;) hoard.push(Array.from({ length: 10_000 }, (_, index) => index + 0.5));
    }
  }
  return thread.render(task);
}
