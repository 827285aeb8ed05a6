// What an adapter of a web framework is made of, beside what its users have.
export { anchored, anchoredBefore } from '../anchored.js';
export type { OptionRule, OptionRules } from '../config/option-rules.js';
export {
  OPTION_RULES,
  type ResolvedRouterOptions,
  resolveOptions,
  resolveRouterOptions,
} from '../config/options.js';
export { messageOf, showValue, stackOf } from '../errors.js';
export { chosenFamilies, contentsOf, expositionOf } from '../exposition/chosen-families.js';
export {
  negotiateEncoding,
  negotiateFormat,
  type OfferedFormat,
} from '../exposition/content-negotiation.js';
export { HealthMonitor } from '../health/health-monitor.js';
export { isServing } from '../health/health-report.js';
export { setHookWindows, unhookPipeline } from '../hooks/hook-table.js';
export {
  HttpFamilies,
  type HttpFamiliesOptions,
  refuseTakenNames,
} from '../instruments/http-families.js';
export { HttpMetrics, type HttpMetricsOptions } from '../instruments/http-metrics.js';
export { type BeatSettings, LoopBeat } from '../process/loop-beat.js';
export { LoopLagMonitor } from '../process/loop-lag.js';
export { onProcessEnd } from '../process/process-end.js';
export { type LoopWatch, readLoopWatch } from '../process/stall-reading.js';
export { performanceOf } from '../snapshot/performance.js';
export { SnapshotReader } from '../snapshot/snapshot-reader.js';
