import type { WritableMemory } from './byte-writer.js';

/** Bytes from which on a chunk is full. */
export const CHUNK_BYTES = 256 * 1024;

/** Room for the series that a full chunk ends with; a longer one gets memory of its own. */
const LAST_SERIES_BYTES = 16 * 1024;

/** Chunks kept for the next page; what was needed beyond them is left to the collector. */
const KEPT_CHUNKS = 4;

/**
 * Memory for the chunks of pages, used again and again: a thread writes a chunk, and the main thread sends it from where it lies.
 *
 * Shared memory, as V8 does not count that on the heap of whoever gets to see it: transferred buffers made the main thread's collector
 * hold the loop up for 4 ms a page of 13 MB.
 */
export class ChunkPool {
  private readonly free: WritableMemory[] = [];

  take(): WritableMemory {
    const kept = this.free.pop();
    if (kept !== undefined) return kept;
    const bytes = new Uint8Array(new SharedArrayBuffer(CHUNK_BYTES + LAST_SERIES_BYTES));
    return { bytes, view: new DataView(bytes.buffer) };
  }

  /** Takes back memory that nobody reads any more. */
  giveBack(memory: WritableMemory): void {
    if (this.free.length < KEPT_CHUNKS) this.free.push(memory);
  }
}
