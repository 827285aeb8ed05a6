import type { Mode } from './suite.js';

/** What one bench measures, prepared in a process of its own. */
export interface Subject {
  /** The correctness gate, before the clock starts: throws when the answer is wrong. */
  readonly check: () => void | Promise<void>;
  /** Not timed, before each timed run: makes room for `count` operations. */
  readonly prepare?: (count: number) => void | Promise<void>;
  /** Timed: does `count` operations. */
  readonly run: (count: number) => void | Promise<void>;
  /** The gate again, after the last round, when something may have been dropped. Lets go of threads and timers. */
  readonly finish?: () => void | Promise<void>;
}

/** Operations of one round. */
export interface BenchSize {
  /** Enough to see that it works. */
  readonly smoke: number;
  /** Enough to measure: 30 to 200 ms. */
  readonly full: number;
}

/** One row of a table. */
export interface Bench {
  /** Subject, slash, condition: `recorder.record / known series`. */
  readonly name: string;
  readonly size: BenchSize;
  /** In smoke mode it may prepare less. */
  readonly open: (mode: Mode) => Subject | Promise<Subject>;
  /** Operations between two calls of `prepare`. */
  readonly operationsPerRun: number;
}

/** Half of the default ring. */
const OPERATIONS_PER_RUN = 32_768;

/**
 * Defines a bench. It runs in a process of its own, so that no other bench shares its type feedback or its heap.
 *
 * @param name Subject, slash, condition.
 * @param size Operations of a round.
 * @param open Prepares what is measured.
 */
export function bench(
  name: string,
  size: BenchSize,
  open: Bench['open'],
  options: { readonly operationsPerRun?: number } = {},
): Bench {
  return { name, size, open, operationsPerRun: options.operationsPerRun ?? OPERATIONS_PER_RUN };
}
