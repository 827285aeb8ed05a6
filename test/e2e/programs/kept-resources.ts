import { createHook } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** What an action has left behind. */
export interface Kept {
  /** Threads, timers and channels that are not gone, those that do not keep the process alive included. */
  readonly resources: readonly string[];
  /** Whether somebody listens to the ends of responses. */
  readonly hasSubscribers: boolean;
  /** Listeners of the process itself, such as those for signals. */
  readonly processListeners: number;
}

/** Resources that every asynchronous program makes, and that hold nothing. */
const PASSING = new Set(['PROMISE', 'TickObject', 'Microtask']);

/** Time for what was let go of to end: a thread takes some turns, and its handles go with the next collection of garbage. */
const END_MS_MAX = 5_000;
const LOOK_MS = 20;

/**
 * Does something synchronous, and tells what it has made that stays.
 *
 * `process.getActiveResourcesInfo()` leaves out what is unref'd, and so would not see a thread that nobody wanted.
 */
export async function keptBy(action: () => void): Promise<Kept> {
  const resources = new Map<number, string>();
  let isNoting = true;
  const hook = createHook({
    init(id, type) {
      if (isNoting && !PASSING.has(type)) resources.set(id, type);
    },
    destroy(id) {
      resources.delete(id);
    },
  });
  // The process's own streams are made when somebody looks at them first, as a thread does.
  void process.stdout;
  void process.stderr;
  const listenersBefore = countProcessListeners();
  hook.enable();
  action();
  isNoting = false;
  for (const deadline = Date.now() + END_MS_MAX; resources.size > 0 && Date.now() < deadline; ) {
    await delay(LOOK_MS);
    globalThis.gc?.();
  }
  hook.disable();
  return {
    resources: [...resources.values()].sort(),
    hasSubscribers: channel('http.server.response.finish').hasSubscribers,
    processListeners: countProcessListeners() - listenersBefore,
  };
}

function countProcessListeners(): number {
  return process.eventNames().reduce((sum, event) => sum + process.listenerCount(event), 0);
}

/** Prints one line at once: a pending write would be a resource itself. */
export function printLine(value: object): void {
  writeSync(1, `${JSON.stringify(value)}\n`);
}
