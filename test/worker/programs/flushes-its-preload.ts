import type { Engine } from '@offloop/core/engine';
import { done } from './program-parts.js';

// The preload, which NODE_OPTIONS brings in, has made an engine. Once that has flushed, its thread has been at work.
const { offloopTestEngine } = globalThis as unknown as { offloopTestEngine: Engine };
await offloopTestEngine.flush();
done();
