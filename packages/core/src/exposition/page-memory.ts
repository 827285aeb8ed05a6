import type { WritableMemory } from './byte-writer.js';
import { CaptureMemory } from './capture-memory.js';

/** Bytes from which on a chunk is full. From bench/scrape: with half as many a page costs a tenth more, with twice as many little less. */
export const CHUNK_BYTES = 256 * 1024;

/** Room for the series that a full chunk ends with; a longer one gets memory of its own. */
const LAST_SERIES_BYTES = 16 * 1024;

/** Chunks kept for the next page; what was needed beyond them is left to the collector. */
const KEPT_CHUNKS = 4;

/**
 * What pages are made in, used again and again: to ask the system for new memory each time took as long as to write the page. It stays
 * as large as the largest page needed: 1.1 MiB for chunks, and the values of its series.
 *
 * Chunks lie in shared memory: a thread writes them, and the main thread sends them from where they lie. V8 does not count that on the heap of
 * whoever gets to see it, where buffers that were transferred made the main thread's collector hold the loop up for 4 ms a page of 13 MB.
 */
export class PageMemory {
  private readonly chunks: WritableMemory[] = [];
  private readonly captures: CaptureMemory[] = [];

  takeChunk(): WritableMemory {
    const kept = this.chunks.pop();
    if (kept !== undefined) return kept;
    const bytes = new Uint8Array(new SharedArrayBuffer(CHUNK_BYTES + LAST_SERIES_BYTES));
    return { bytes, view: new DataView(bytes.buffer) };
  }

  /** Takes back a chunk that nobody reads any more. */
  giveBackChunk(chunk: WritableMemory): void {
    if (this.chunks.length < KEPT_CHUNKS) this.chunks.push(chunk);
  }

  takeCapture(): CaptureMemory {
    return this.captures.pop() ?? new CaptureMemory();
  }

  /** Takes back what a page was captured in, when it is written. One is kept: pages at the same time are rare. */
  giveBackCapture(capture: CaptureMemory): void {
    if (this.captures.length === 0) this.captures.push(capture);
  }
}
