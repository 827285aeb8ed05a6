import type { Engine, ExpositionRequest, Page } from '@offloop/core/engine';
import { THREAD_RESTARTS } from '@offloop/core/internal/layout/control-block.js';
import { PoolEngine, type PoolEngineOptions } from '@offloop/worker';
import { renderWhole } from '../contract/scraped-page.js';
import { chooseSeed, TestSegment, type TestSegmentOptions } from '../contract/test-segment.js';
import { leaseEpoch, threadTakesOver } from './pool-threads.js';

export interface Warning {
  readonly level: 'warn' | 'error';
  readonly details: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A pool engine on a test segment, and what it had to say. */
export interface TestPool {
  readonly test: TestSegment;
  readonly engine: PoolEngine;
  readonly warnings: readonly Warning[];
  /** Threads that were replaced. */
  readonly restarts: () => number;
  /** Resolves when the thread that comes after the present one drains. */
  readonly nextThreadDrains: () => Promise<void>;
  /** Asks the thread for a page, which it answers with a misdeed. */
  readonly commit: (misdeed: number) => Promise<Page>;
}

export type TestPoolOptions = TestSegmentOptions &
  Partial<Pick<PoolEngineOptions, 'pollMs' | 'resourceLimits'>> & {
    /** Name of a file in threads/. Default: misbehaving, which is the real thread until it is told to be otherwise. */
    readonly threadFile?: string;
  };

/** Gives the enclosing suite a way to start pools; they are closed after each test. */
export function useTestPools(): (options?: TestPoolOptions) => TestPool {
  const engines: Engine[] = [];
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
  });
  return (options = {}) => {
    const { threadFile = 'misbehaving', pollMs, resourceLimits } = options;
    const test = new TestSegment({ seed: chooseSeed(), ...options });
    const warnings: Warning[] = [];
    const logAs = (level: Warning['level']) => (details: object, message: string) =>
      warnings.push({ level, details: details as Warning['details'], message });
    const engine = PoolEngine.start({
      segment: test.segment,
      recorder: test.recorder,
      threadFile: new URL(`./threads/${threadFile}.js`, import.meta.url),
      logger: { warn: logAs('warn'), error: logAs('error') },
      ...(pollMs === undefined ? {} : { pollMs }),
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
    });
    engines.push(engine);
    return {
      test,
      engine,
      warnings,
      restarts: () => Atomics.load(test.segment.control, THREAD_RESTARTS),
      // Main takes the lease from the present one, and the next takes it from main.
      nextThreadDrains: () => threadTakesOver(test.segment, leaseEpoch(test.segment) + 1),
      commit: (misdeed) => renderWhole(engine, misdeedRequest(misdeed)),
    };
  };
}

function misdeedRequest(misdeed: number): ExpositionRequest {
  return { families: [misdeed], includePipeline: true };
}
