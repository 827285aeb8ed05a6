import { clearInterval as clearFakeable, setInterval as setFakeable } from 'node:timers';

// As they were when this module was loaded: a test that fakes the application's timers must not make a thread look dead.
const clearInterval = clearFakeable;
const setInterval = setFakeable;

interface Listener {
  readonly intervalMs: number;
  /** Whether ticks of a shorter interval may be counted for it. */
  readonly isLoose: boolean;
  readonly call: () => void;
  /** The timer that calls it, and at how many of its ticks. */
  timerMs: number;
  ticksLeft: number;
}

const listeners = new Set<Listener>();
const timers = new Map<number, NodeJS.Timeout>();

/**
 * Calls back again and again, in one tick with all others who asked for the same interval: what an idle process pays for is being woken, and not
 * what it does then (bench/footprint/idle). The first call may come sooner than an interval from now. Does not keep the process alive.
 *
 * @param listener Must not throw: those after it would miss the tick.
 * @returns What stops it.
 */
export function every(intervalMs: number, listener: () => void): () => void {
  return listen(intervalMs, listener, false);
}

/**
 * The same for who does not mind some milliseconds more: where a shorter interval goes into this one, it is woken by that one's ticks.
 *
 * @returns What stops it.
 */
export function everyAbout(intervalMs: number, listener: () => void): () => void {
  return listen(intervalMs, listener, true);
}

function listen(intervalMs: number, call: () => void, isLoose: boolean): () => void {
  const listener: Listener = { intervalMs, isLoose, call, timerMs: 0, ticksLeft: 0 };
  listeners.add(listener);
  arrange();
  return () => {
    if (listeners.delete(listener)) arrange();
  };
}

/** Gives each listener its timer, and begins and ends timers as they are needed for that. */
function arrange(): void {
  const needed = new Set<number>();
  for (const { intervalMs, isLoose } of listeners) if (!isLoose) needed.add(intervalMs);
  const loose = [...listeners].filter(({ isLoose }) => isLoose);
  for (const listener of loose.sort((a, b) => a.intervalMs - b.intervalMs)) {
    const timerMs = [...needed].find((ms) => listener.intervalMs % ms === 0) ?? listener.intervalMs;
    needed.add(timerMs);
    giveTimer(listener, timerMs);
  }
  for (const listener of listeners) if (!listener.isLoose) giveTimer(listener, listener.intervalMs);
  for (const [timerMs, timer] of timers) {
    if (needed.has(timerMs)) continue;
    clearInterval(timer);
    timers.delete(timerMs);
  }
  for (const timerMs of needed) {
    if (!timers.has(timerMs)) timers.set(timerMs, setInterval(tick, timerMs, timerMs).unref());
  }
}

function giveTimer(listener: Listener, timerMs: number): void {
  if (listener.timerMs === timerMs) return;
  listener.timerMs = timerMs;
  listener.ticksLeft = listener.intervalMs / timerMs;
}

function tick(timerMs: number): void {
  for (const listener of listeners) {
    if (listener.timerMs !== timerMs || --listener.ticksLeft > 0) continue;
    listener.ticksLeft = listener.intervalMs / timerMs;
    listener.call();
  }
}
