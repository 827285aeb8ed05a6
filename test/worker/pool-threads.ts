import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import type { Segment } from '@offloop/core/engine';
import { LEASE } from '@offloop/core/internal/layout/control-block.js';

/**
 * Gives the enclosing suite a list of the threads that were started during the running test, in order.
 *
 * A thread is listed a moment after it was started.
 */
export function useThreadList(): () => readonly Worker[] {
  let threads: Worker[] = [];
  const note = (thread: Worker) => threads.push(thread);
  before(() => process.on('worker', note));
  beforeEach(() => {
    threads = [];
  });
  after(() => process.off('worker', note));
  return () => threads;
}

/** Waits until a pool's thread has the drain: it has taken the lease that main's stand-in had with `standInEpoch`. */
export async function threadTakesOver(segment: Segment, standInEpoch = 1): Promise<void> {
  await until(() => leaseEpoch(segment) > standInEpoch, 'a thread takes the drain over from main');
}

/** Number of times that the drain has changed hands. */
export function leaseEpoch({ control }: Segment): number {
  return Atomics.load(control, LEASE) >> 1;
}

/** Resolves when a thread has ended. */
export async function threadEnds(thread: Worker): Promise<void> {
  if (thread.threadId !== -1) await once(thread, 'exit');
}

/** Waits for a condition that another thread brings about. */
export async function until(
  condition: () => boolean,
  what: string,
  timeoutMs = 15_000,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await delay(2);
  }
}

/** What is open at a moment: handles that keep the process alive, and timers, also those that do not. */
export class OpenResources {
  private readonly handlesBefore = this.handles();
  private readonly timers = new Set<number>();
  private readonly hook = createHook({
    init: (id, type) => {
      if (type === 'Timeout') this.timers.add(id);
    },
    destroy: (id) => {
      this.timers.delete(id);
    },
  }).enable();

  /** Waits until nothing is open that was not before: handles close a turn of the loop after they are told to. */
  async areBack(): Promise<void> {
    const describe = () => `${this.handles()}; ${this.timers.size} timers`;
    const before = `${this.handlesBefore}; 0 timers`;
    const deadlineMs = performance.now() + 2_000;
    // Turns of the loop and no pauses, which would be timers themselves.
    while (describe() !== before && performance.now() < deadlineMs) await turn();
    this.hook.disable();
    if (describe() !== before) throw new Error(`open: ${describe()}; before: ${before}`);
  }

  private handles(): string {
    return process.getActiveResourcesInfo().sort().join();
  }
}
