import { writeSync } from 'node:fs';
import { PoolEngine } from '@offloop/worker';
import { TestSegment } from '../../contract/test-segment.js';

/** What the programs of process-exit.test.ts have in common: a segment and an engine on it. */
export function startEngine(threadFile?: string): { test: TestSegment; engine: PoolEngine } {
  const test = new TestSegment({ seed: 1 });
  const engine = PoolEngine.start({
    segment: test.segment,
    recorder: test.recorder,
    ...(threadFile === undefined
      ? {}
      : { threadFile: new URL(`../threads/${threadFile}.js`, import.meta.url) }),
  });
  return { test, engine };
}

/** Says that the program has done what it is for; from here on nothing but the engine is left. */
export function done(): void {
  writeSync(1, 'done\n');
}
