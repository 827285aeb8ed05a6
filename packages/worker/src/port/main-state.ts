import type { CheckResult, PageContents } from '@offloop/core/engine';

/** What only the main thread knows of a page, of a snapshot and of itself. Plain data, as it crosses threads. */
export interface MainState {
  readonly contents: PageContents;
  readonly facts: MainFacts;
}

/** What the port needs beside shared memory. */
export interface MainFacts {
  /** Whether the scrape endpoint exists: the option `prometheus.enabled`. */
  readonly hasScrapes: boolean;
  readonly isLagMonitored: boolean;
  /** Shares that snapshots show. */
  readonly quantiles: readonly number[];
  /** When the metrics were made: Unix time, ms. */
  readonly startedMs: number;
  /** Of the main thread's heap. */
  readonly heapUsedBytes: number;
  /** How the application's checks stand. */
  readonly checks: readonly CheckResult[];
}

/** Where the main thread's state comes from. None of it may throw or reject. */
export interface PortSource {
  /** Resolves when `collect()` callbacks are done, have failed, or had their time. */
  collect(): Promise<void>;
  /** As of now; everything recorded before it is published. */
  state(): MainState;
  /** A page was handed out. */
  countPage(renderMs: number): void;
}
