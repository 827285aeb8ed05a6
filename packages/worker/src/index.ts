export type { Logger as EngineLogger } from '@offloop/core';
export { createEngine, type EngineOptions } from './engine/create-engine.js';
export { PoolEngine, type PoolEngineOptions } from './engine/pool-engine.js';
export type { MainFacts, MainState, PortSource } from './port/main-state.js';
export { OffLoopPort, type OffLoopPortOptions } from './port/off-loop-port.js';
export type { PortAddress } from './port/port-messages.js';
export type { Groupings } from './push/grouping-path.js';
export {
  type PushedRegistry,
  Pushgateway,
  type PushgatewayOptions,
  type PushParameters,
  type PushResult,
} from './push/pushgateway.js';
