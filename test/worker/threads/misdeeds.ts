/** What misbehaving.ts does when it is asked for the family of that id. No family has it, so a page shows nothing of it. */
export const Misdeed = {
  loop: -1,
  loopInBatch: -2,
  wait: -3,
  exit: -4,
  throwInTask: -5,
  throwLater: -6,
  exhaustHeap: -7,
  sleepInBatch: -8,
} as const;

/** How long it sleeps in native code, out of which nobody can end it. */
export const SLEEP_SECONDS = 7;

/** LEASE of the control block, which is out of reach in a pool's thread. */
export const LEASE_CELL = 128;

/** The last of the control block, which nobody else uses: 1 once a misdeed that never ends has begun. */
export const MISDEED_CELL = 159;
