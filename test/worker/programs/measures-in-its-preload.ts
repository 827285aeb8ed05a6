import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { done } from './program-parts.js';

// The preload, which NODE_OPTIONS brings into every thread, has made an engine: here, and in that engine's thread.
const log = process.env['OFFLOOP_TEST_LOG'] as string;
while (readFileSync(log, 'utf8').split('\n').length < 3) await delay(10);
await delay(300);
done();
