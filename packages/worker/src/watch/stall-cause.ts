import type { StallCause } from '@offloop/core';
import type { TaskReading, TaskWait } from './task-reading.js';

/** A time that a thread stood in a stall, between two readings of it. */
export interface StalledTime {
  readonly before: TaskReading | undefined;
  readonly after: TaskReading;
  /** What lies between, ms. */
  readonly lengthMs: number;
  /** Whether the watcher itself stood still in this time, and not for want of a processor. */
  readonly wasPaused: boolean;
  /** Not given where the time is over: what the thread does now says nothing of it. */
  readonly readWait?: () => TaskWait;
}

/** Numbers of futex and futex_wait, by architecture. Node runs on no other with these files. */
const FUTEX_CALLS: Readonly<Record<string, readonly number[]>> = {
  x64: [202, 455],
  arm64: [98, 455],
  riscv64: [98, 455],
  loong64: [98, 455],
  ia32: [240, 422, 455],
  arm: [240, 422, 455],
  ppc64: [221, 455],
  s390x: [238, 455],
};

/**
 * Tells why a thread stood still for a time. The larger part of that decides.
 *
 * @param architecture Node's name of it.
 */
export function causeOf(
  { before, after, lengthMs, wasPaused, readWait }: StalledTime,
  architecture: string = process.arch,
): StallCause {
  const half = lengthMs / 2;
  const ranMs = after.ranMs - (before?.ranMs ?? after.ranMs);
  const queuedMs = (after.queuedMs ?? 0) - (before?.queuedMs ?? after.queuedMs ?? 0);
  if (ranMs >= half) {
    const kernelMs = after.kernelMs - (before?.kernelMs ?? after.kernelMs);
    return kernelMs > ranMs / 2 ? 'system_call' : 'javascript';
  }
  if (queuedMs >= half) return 'starved';
  if (wasPaused) return 'paused';
  if (readWait === undefined) return 'unknown';
  if (after.state === 'T' || after.state === 't') return 'paused';
  // Would run, and did not. How long it was queued is only counted once it runs again. Without an earlier reading there is nothing to tell by.
  if (after.state === 'R') return before === undefined ? 'javascript' : 'starved';
  return waitsForThread(readWait(), architecture) ? 'waiting' : 'system_call';
}

function waitsForThread({ channel, systemCall }: TaskWait, architecture: string): boolean {
  if (channel !== undefined) return channel.startsWith('futex');
  return systemCall !== undefined && (FUTEX_CALLS[architecture] ?? []).includes(systemCall);
}
