export { createEngine, type EngineOptions } from './engine/create-engine.js';
export type { EngineLogger } from './engine/engine-logger.js';
export { PoolEngine, type PoolEngineOptions } from './engine/pool-engine.js';
