import type { Row, Verdict } from './result.js';

/** `smoke` shows that every bench works; `full` measures. */
export type Mode = 'smoke' | 'full';

/** How a suite is to run. */
export interface SuiteContext {
  readonly mode: Mode;
  /** Node under which the measured processes run. */
  readonly nodePath: string;
  /** Tells the person at the terminal how far it is. */
  readonly report: (text: string) => void;
}

/** Benches whose rows make one table. */
export interface Suite {
  /** Its file without `.bench.ts`; also the name of the result's file, with dashes. */
  readonly name: string;
  /** Heading of the table. */
  readonly title: string;
  /** How to read the table, in a sentence or two of Markdown. */
  readonly note: string;
  /** Whether the table is of use to a reader of the README; the others justify a number in the code. */
  readonly isForReadme: boolean;
  readonly run: (context: SuiteContext) => Promise<SuiteRows>;
}

/** What a suite measured. */
export interface SuiteRows {
  readonly rows: readonly Row[];
  /** Whether each target holds. */
  readonly verdicts: readonly Verdict[];
}
