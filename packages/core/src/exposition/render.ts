import type { Segment } from '../layout/segment.js';
import { capture } from './capture.js';
import { renderText } from './text-format.js';

/** What a page shows. Plain data, as it crosses threads. */
export interface ExpositionRequest {
  /** Families by id, in the page's order. */
  readonly families: readonly number[];
  /** Whether the pipeline's own `offloop_*` families follow them. */
  readonly includePipeline: boolean;
}

/** A finished page. */
export interface Page {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Time it took to render, on whichever thread. */
  readonly renderMs: number;
}

/** Renders a page from shared memory alone, on any thread, as of one batch. Takes time in proportion to the series. */
export function renderPage(segment: Segment, request: ExpositionRequest): Page {
  const startedMs = performance.now();
  const bytes = renderText(segment, capture(segment, request.families), request);
  return { bytes, renderMs: performance.now() - startedMs };
}
