import { clearInterval, setInterval } from 'node:timers';

interface SharedInterval {
  readonly timer: NodeJS.Timeout;
  readonly listeners: Set<() => void>;
}

const intervals = new Map<number, SharedInterval>();

/**
 * Calls back again and again, in one tick with all others who asked for the same interval: what an idle process pays for is being woken, and not
 * what it does then (bench/footprint/idle). The first call may come sooner than an interval from now. Does not keep the process alive.
 *
 * @param listener Must not throw: those after it would miss the tick.
 * @returns What stops it.
 */
export function every(intervalMs: number, listener: () => void): () => void {
  const shared = intervals.get(intervalMs) ?? begin(intervalMs);
  // Asked for twice, it is called twice.
  const own = (): void => listener();
  shared.listeners.add(own);
  return () => {
    shared.listeners.delete(own);
    if (shared.listeners.size > 0) return;
    clearInterval(shared.timer);
    if (intervals.get(intervalMs) === shared) intervals.delete(intervalMs);
  };
}

function begin(intervalMs: number): SharedInterval {
  const listeners = new Set<() => void>();
  const timer = setInterval(() => {
    for (const listener of listeners) listener();
  }, intervalMs);
  timer.unref();
  const shared = { timer, listeners };
  intervals.set(intervalMs, shared);
  return shared;
}
