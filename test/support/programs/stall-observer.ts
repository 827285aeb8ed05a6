// A thread of the stalled app that tells what can be told of its main thread.
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { readLoopWatch } from '@offloop/core/adapter';
import { Segment } from '@offloop/core/internal/layout/segment.js';
import type { StalledAppLine } from './stalled-app.js';

const segment = Segment.attach(workerData as SharedArrayBuffer);
setInterval(() => {
  const { blockedMs, blockedBy } = readLoopWatch(segment);
  const atMs = performance.timeOrigin + performance.now();
  const line: StalledAppLine = { line: 'seen', atMs, blockedMs, blockedBy };
  // Not by the console: that goes through the main thread.
  writeSync(1, `${JSON.stringify(line)}\n`);
}, 100);
