import type { Segment } from '../layout/segment.js';
import type { ContentEncoding } from './content-encoding.js';
import type { DefaultLabels } from './default-labels.js';
import type { ForeignFamily } from './foreign-family.js';
import type { EscapingScheme } from './name-escaping.js';
import { PageMemory } from './page-memory.js';
import { PageWriting } from './page-writing.js';

/** The formats that a page can have. */
export type ExpositionFormat = 'text' | 'openMetrics' | 'protobuf';

/** What a page shows. Plain data, as it crosses threads. */
export interface ExpositionRequest {
  /** Families by id, in the page's order. */
  readonly families: readonly number[];
  /** Families whose values are not in memory, after those that are. Default: none. */
  readonly foreign?: readonly ForeignFamily[];
  /** Whether the pipeline's own `offloop_*` families follow them: all, none, or those of these names. */
  readonly includePipeline: boolean | readonly string[];
  /** Default `text`: Prometheus text 0.0.4. */
  readonly format?: ExpositionFormat;
  /** How names beyond the legacy characters are written. Default `underscores`. */
  readonly escaping?: EscapingScheme;
  /** Added to every sample of these families, not to the pipeline's own. Default: none. */
  readonly defaultLabels?: DefaultLabels;
  /** Default `identity`. A small page is never packed. */
  readonly encoding?: ContentEncoding;
}

/** A finished page, whole, in memory of its own. */
export interface Page {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly encoding: ContentEncoding;
  /** Time it took to render, on whichever thread; packing is not in it. */
  readonly renderMs: number;
}

/** Renders a page whole, on the calling thread, as of one batch. Takes time in proportion to the series. Not packed. */
export function renderPage(segment: Segment, request: ExpositionRequest): Page {
  const writing = new PageWriting(segment, request);
  const memory = new PageMemory().takeChunk();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let isLast = false; !isLast; ) {
    writing.beginChunk(memory);
    while (!writing.writeOn());
    const { chunk } = writing;
    chunks.push(chunk.bytes.slice());
    isLast = chunk.isLast;
  }
  return { bytes: joinBytes(chunks), encoding: 'identity', renderMs: writing.renderMs };
}

/** The bytes of all parts, one after the other, in one piece of memory: their own where it is one. */
export function joinBytes(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  if (parts.length === 1) return parts[0] as Uint8Array<ArrayBuffer>;
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
