import type { MessagePort } from 'node:worker_threads';
import type { Lease } from '@offloop/core/engine';
import type { PortTask } from '../port/port-messages.js';

/** What a thread must know to take a segment's drain over. */
export interface StartTask {
  readonly buffer: SharedArrayBuffer;
  /** The lease of main's stand-in, which drains until the thread takes it over. */
  readonly standInLease: Lease;
  readonly pollMs: number;
  /** Where its pages go. */
  readonly port: MessagePort;
  /** The off-loop port, where there is one. */
  readonly offLoopPort?: PortTask | undefined;
}

/**
 * What the pool sends to its thread in `workerData`. Code that runs in the thread before ours (`NODE_OPTIONS=--require …`) and
 * measures as well would otherwise start a thread in the thread, and so on.
 */
export const POOL_THREAD_MARK = 'offloop: pool thread';
