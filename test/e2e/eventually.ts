import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';

const LOOK_MS = 50;

interface Patience {
  /** Named in the error of a wait that was in vain. */
  readonly what: string;
  /** For a machine with everything else to do; what is waited for comes in a moment as a rule. */
  readonly timeoutMs?: number;
}

/** Looks until `read` gives something, and gives that. What `read` throws meanwhile counts as nothing yet. */
export async function eventually<Value>(
  read: () => Value | undefined | Promise<Value | undefined>,
  { what, timeoutMs = 20_000 }: Patience,
): Promise<Value> {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await read();
      if (value !== undefined) return value;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() >= deadline) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause: lastError });
    }
    await delay(LOOK_MS);
  }
}

/** Looks until `read` gives what is expected; afterwards the difference is the failure. */
export async function eventuallyEqual<Value>(
  read: () => Promise<Value>,
  expected: Value,
  { what, timeoutMs = 20_000 }: Patience,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const actual = await read();
    try {
      expect(actual, what).to.deep.equal(expected);
      return;
    } catch (difference) {
      if (Date.now() >= deadline) throw difference;
    }
    await delay(LOOK_MS);
  }
}
