export { createEngine, type EngineOptions } from './engine/create-engine.js';
export { PoolEngine, type PoolEngineOptions } from './engine/pool-engine.js';
export type { PortAddress } from './port/port-messages.js';
export type { Groupings } from './push/grouping-path.js';
export {
  type PushedRegistry,
  Pushgateway,
  type PushgatewayOptions,
  type PushParameters,
  type PushResult,
} from './push/pushgateway.js';
