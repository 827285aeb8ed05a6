export { Drain } from '../aggregate/drain.js';
export { holdsLease, type Lease, takeLease } from '../aggregate/lease.js';
export { type ExpositionRequest, type Page, packPage, renderPage } from '../exposition/render.js';
export { POLL_COUNT, THREAD_RESTARTS } from '../layout/control-block.js';
export { Segment, type SegmentSizes } from '../layout/segment.js';
export { createRecorder, type Recorder } from '../record/recorder.js';
export type { Engine, EngineState } from './engine.js';
export { InlineEngine } from './inline-engine.js';
