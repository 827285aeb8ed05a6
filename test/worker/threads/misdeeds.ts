/** What misbehaving.ts does when it is asked for the family of that id. No family has it, so a page shows nothing of it. */
export const Misdeed = {
  loop: -1,
  loopInBatch: -2,
  wait: -3,
  exit: -4,
  throwInTask: -5,
  throwLater: -6,
  exhaustHeap: -7,
} as const;

/** LEASE of the control block, which is out of reach in a pool's thread. */
export const LEASE_CELL = 128;
