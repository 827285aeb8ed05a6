import { availableParallelism } from 'node:os';
import { workerData } from 'node:worker_threads';
import { chosenLogger, type Engine, InlineEngine } from '@offloop/core/engine';
import { POOL_THREAD_MARK } from '../thread/thread-tasks.js';
import { PoolEngine, type PoolEngineOptions } from './pool-engine.js';
import { ServingEngine } from './serving-engine.js';
import { findThreadPath, missingThreadFile } from './thread-path.js';

/** What an engine is made of, and where it is to run. */
export interface EngineOptions extends PoolEngineOptions {
  /**
   * - `pool`: on a thread.
   * - `inline`: on the caller's thread, when somebody reads.
   * - `auto` (default): on a thread, unless the process has one CPU, a test runner runs it, or a bundle has lost the thread's file.
   */
  readonly mode?: 'auto' | 'pool' | 'inline';
}

/**
 * Makes the engine of a segment.
 *
 * @throws {OffloopError} What `PoolEngine.start` throws; `OFFLOOP_ERR_THREAD_START` in mode `pool` only.
 */
export function createEngine(options: EngineOptions): Engine {
  const { segment, recorder, mode = 'auto', threadFile, logger, offLoopPort } = options;
  if (mode === 'pool') return PoolEngine.start(options);
  if (mode === 'auto' && threadsMakeSense()) {
    if (findThreadPath(threadFile) !== undefined) return PoolEngine.start(options);
    chosenLogger(() => logger).warn(
      { code: 'OFFLOOP_ERR_THREAD_START' },
      `offloop: aggregation and rendering run inline, on the main thread: ${missingThreadFile(threadFile)}`,
    );
  }
  const engine = new InlineEngine(segment, recorder);
  return offLoopPort === undefined ? engine : new ServingEngine(engine, segment, offLoopPort);
}

function threadsMakeSense(): boolean {
  const { env } = process;
  // Jest and Vitest run many files in many processes, each for a moment, and watch for what stays open.
  const isTestRunner = env['JEST_WORKER_ID'] !== undefined || env['VITEST'] !== undefined;
  return availableParallelism() >= 2 && !isTestRunner && workerData !== POOL_THREAD_MARK;
}
