import type { MessagePort } from 'node:worker_threads';
import { type PageChunk, PageMemory, renderInChunks, type Segment } from '@offloop/core/engine';
import type { ChunkMessage, PageMessage, PageTask } from './page-messages.js';

/**
 * Renders pages in a thread and sends their chunks to main, in shared memory of the thread's: main tells when it has read them.
 */
export class PageSender {
  private readonly segment: Segment;
  private readonly port: MessagePort;
  private readonly memory = new PageMemory();
  private readonly chunks = new Map<number, PageChunk>();
  private readonly pages = new Map<number, AbortController>();
  private nextChunkId = 0;

  constructor(segment: Segment, port: MessagePort) {
    this.segment = segment;
    this.port = port;
    port.on('message', (message: PageMessage) => this.receive(message));
    // The thread lives as long as main wants, and not for this.
    port.unref();
  }

  /** Resolves when the last chunk is sent, or when main has cancelled the page. */
  async render({ pageId, request }: PageTask): Promise<void> {
    const controller = new AbortController();
    this.pages.set(pageId, controller);
    try {
      await renderInChunks({
        segment: this.segment,
        request,
        memory: this.memory,
        signal: controller.signal,
        send: (chunk) => this.send(pageId, chunk),
      });
    } finally {
      this.pages.delete(pageId);
    }
  }

  private send(pageId: number, chunk: PageChunk): void {
    const chunkId = this.nextChunkId++;
    this.chunks.set(chunkId, chunk);
    const { bytes, isLast, encoding, renderMs } = chunk;
    const message: ChunkMessage = { pageId, chunkId, bytes, isLast, encoding, renderMs };
    this.port.postMessage(message);
  }

  private receive(message: PageMessage): void {
    if (message.kind === 'cancel') {
      this.pages.get(message.pageId)?.abort();
      return;
    }
    for (const chunkId of message.chunkIds) {
      const chunk = this.chunks.get(chunkId);
      this.chunks.delete(chunkId);
      if (message.kind === 'release') chunk?.release();
      else chunk?.abandon();
    }
  }
}
