import type { WritableMemory } from '../exposition/byte-writer.js';
import type { ChunkPool } from '../exposition/chunk-pool.js';
import type { PageChunk } from './page-chunk.js';

/** While main sends one, the next is written; from bench/scrape: more only take memory, and hold main for longer at a time. */
const CHUNKS_OUT_MAX = 2;

/** The chunks of one page that are out, of which there are only so many: who writes the page waits for who reads it. */
export class ChunkWindow {
  private readonly pool: ChunkPool;
  private readonly signal: AbortSignal;
  private outCount = 0;
  private wake = (): void => {};

  /** @param signal Ends waiting. */
  constructor(pool: ChunkPool, signal: AbortSignal) {
    this.pool = pool;
    this.signal = signal;
    signal.addEventListener('abort', () => this.wake(), { once: true });
  }

  /** A chunk to hand out. Its bytes lie in `memory`, which the pool gets back, or in memory of their own. */
  lend(memory: WritableMemory, content: Omit<PageChunk, 'release' | 'abandon'>): PageChunk {
    const isPooled = content.bytes.buffer === memory.bytes.buffer;
    if (!isPooled) this.pool.giveBack(memory);
    this.outCount++;
    let isOut = true;
    const end = (isRead: boolean): void => {
      if (!isOut) return;
      isOut = false;
      this.outCount--;
      if (isRead && isPooled) this.pool.giveBack(memory);
      this.wake();
    };
    return { ...content, release: () => end(true), abandon: () => end(false) };
  }

  /** Resolves when another chunk may go out, or the page was given up. */
  async room(): Promise<void> {
    while (this.outCount >= CHUNKS_OUT_MAX && !this.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}
