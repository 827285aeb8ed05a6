import { execSync } from 'node:child_process';
import { pbkdf2Sync } from 'node:crypto';

/** Ways to keep a loop from turning. */
export const STALLS = {
  /** JavaScript. */
  'busy loop': (ms: number): void => {
    const untilMs = performance.now() + ms;
    while (performance.now() < untilMs);
  },
  /** V8's native code, called from a regular expression that tries 2ⁿ ways to match. */
  'catastrophic regex': (ms: number): void => {
    const tried = (letters: number): number => {
      const startedMs = performance.now();
      /^(a+)+$/.test(`${'a'.repeat(letters)}!`);
      return performance.now() - startedMs;
    };
    // The first is interpreted, the second one's code is compiled, as the last one's is.
    tried(18);
    tried(18);
    const letters = 20 + Math.ceil(Math.log2(ms / tried(20)));
    tried(letters);
  },
  /** Another thread that never answers. */
  'Atomics.wait': (ms: number): void => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  },
  /** Another program, in a loop of Node's own. */
  execSync: (ms: number): void => {
    execSync(`sleep ${ms / 1000}`);
  },
  /** Native code of Node's. */
  pbkdf2Sync: (ms: number): void => {
    const hash = (iterations: number): number => {
      const startedMs = performance.now();
      pbkdf2Sync('password', 'salt', iterations, 64, 'sha512');
      return performance.now() - startedMs;
    };
    hash(Math.ceil((ms / hash(20_000)) * 20_000));
  },
} as const;

export type StallKind = keyof typeof STALLS;
