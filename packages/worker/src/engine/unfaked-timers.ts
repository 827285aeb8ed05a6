import { clearTimeout, setImmediate, setTimeout } from 'node:timers';

const { performance } = globalThis;

/**
 * Node's timers and clock as they were when this module was loaded: a test that fakes them for the application, and moves time by
 * hours at once, must not make threads look dead.
 */
export const unfaked = {
  setTimeout,
  clearTimeout,
  setImmediate,
  now: performance.now.bind(performance),
} as const;
