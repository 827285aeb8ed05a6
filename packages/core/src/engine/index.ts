export { Drain } from '../aggregate/drain.js';
export { holdsLease, type Lease, takeLease } from '../aggregate/lease.js';
export type { ResolvedPortOptions } from '../config/options.js';
export { describeError, messageOf, showValue } from '../errors.js';
export {
  expositionOf,
  type PageContents,
  type PageRequest,
} from '../exposition/chosen-families.js';
export type { ContentEncoding } from '../exposition/content-encoding.js';
export { negotiateEncoding, negotiateFormat } from '../exposition/content-negotiation.js';
export { PageMemory } from '../exposition/page-memory.js';
export { type ExpositionRequest, type Page, renderPage } from '../exposition/render.js';
export { extendedHealth } from '../health/extended-health.js';
export type { CheckResult } from '../health/health-checks.js';
export { HealthEvaluator } from '../health/health-evaluator.js';
export { type HealthReport, healthReport, isServing } from '../health/health-report.js';
export { familyCount } from '../layout/catalog-reader.js';
export { POLL_COUNT, THREAD_RESTARTS } from '../layout/control-block.js';
export { Segment, type SegmentSizes } from '../layout/segment.js';
export { LOOK_MS, STACKS_PER_HOUR, STALL_COUNT, STALL_MS, TASK_ID } from '../layout/watch.js';
export { chosenLogger, type Logger } from '../logger.js';
export { monotonicMs, toCell } from '../process/monotonic-clock.js';
export { everyAbout } from '../process/shared-interval.js';
export {
  isBeating,
  judge,
  noteStack,
  readBlockedMs,
  readLoopWatch,
  readStallMs,
  verdictOn,
} from '../process/stall-reading.js';
export { createRecorder, type Recorder } from '../record/recorder.js';
export { AheadReader } from '../snapshot/ahead-reader.js';
export { totalsOf } from '../snapshot/pipeline-totals.js';
export type { Reads } from '../snapshot/read-ahead.js';
export { SnapshotReader } from '../snapshot/snapshot-reader.js';
export type { Engine, EngineState } from './engine.js';
export { InlineEngine } from './inline-engine.js';
export type { PageChunk, PageReader, PageSink } from './page-chunk.js';
export { PageCollector } from './page-collector.js';
export { renderInChunks } from './render-chunks.js';
export { type MakePage, SharedRenders } from './shared-renders.js';
