import type { WritableMemory } from '../exposition/byte-writer.js';
import type { PageMemory } from '../exposition/page-memory.js';
import type { PageChunk } from './page-chunk.js';

/** While main sends one, the next is written; from bench/scrape: more only take memory, and hold main for longer at a time. */
const CHUNKS_OUT_MAX = 2;

/** The chunks of one page that are out, of which there are only so many: who writes the page waits for who reads it. */
export class ChunkWindow {
  private readonly memory: PageMemory;
  private readonly signal: AbortSignal;
  private outCount = 0;
  private wake = (): void => {};

  /** @param signal Ends waiting. */
  constructor(memory: PageMemory, signal: AbortSignal) {
    this.memory = memory;
    this.signal = signal;
    signal.addEventListener('abort', () => this.wake(), { once: true });
  }

  /** A chunk to hand out. Its bytes lie in `room`, which is given back, or have outgrown it. */
  lend(room: WritableMemory, content: Omit<PageChunk, 'release' | 'abandon'>): PageChunk {
    const isInRoom = content.bytes.buffer === room.bytes.buffer;
    if (!isInRoom) this.memory.giveBackChunk(room);
    this.outCount++;
    let isOut = true;
    const end = (isRead: boolean): void => {
      if (!isOut) return;
      isOut = false;
      this.outCount--;
      if (isRead && isInRoom) this.memory.giveBackChunk(room);
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
