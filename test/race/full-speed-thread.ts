import { once } from 'node:events';
import { parentPort, Worker } from 'node:worker_threads';
import { Segment } from '@offloop/core/engine';
import { TestSegment, type TestSegmentOptions } from '../contract/test-segment.js';

export type FullSpeedOptions = TestSegmentOptions & { readonly seed: number };

export interface FullSpeedThread {
  readonly thread: Worker;
  readonly segment: Segment;
  /** The truth is in the thread's heap, so a reader can only ask whether readings agree with themselves. */
  readonly reader: TestSegment;
}

/** Gives the enclosing suite a way to start drain-at-full-speed.ts; what still runs after a test is ended. */
export function useFullSpeedThreads(): (options: FullSpeedOptions) => Promise<FullSpeedThread> {
  const threads: Worker[] = [];
  afterEach(async () => {
    await Promise.all(threads.splice(0).map((thread) => thread.terminate()));
  });
  return async (options) => {
    const thread = new Worker(new URL('./drain-at-full-speed.js', import.meta.url), {
      workerData: options,
    });
    threads.push(thread);
    const [buffer] = (await once(thread, 'message')) as [SharedArrayBuffer];
    const segment = Segment.attach(buffer);
    return { thread, segment, reader: new TestSegment(options).on(segment) };
  };
}

/** In the thread: gives its memory away. */
export function tellBuffer(buffer: SharedArrayBuffer): void {
  parentPort?.postMessage(buffer);
}
