import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { PageChunk, PageSink } from '@offloop/core/engine';
import type { ChunkMessage, PageMessage } from '../thread/page-messages.js';
import { unfaked } from './unfaked-timers.js';

/** A page that a thread renders. */
interface OpenPage {
  readonly sink: PageSink;
  readonly settle: (isWhole: boolean) => void;
}

/** Main's end of the way that the chunks of a thread's pages take. */
export class PageReceiver {
  /** The thread's end. */
  readonly threadPort: MessagePort;
  private readonly port: MessagePort;
  private readonly pages = new Map<number, OpenPage>();
  private released: number[] = [];
  private nextPageId = 0;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.threadPort = port2;
    this.port.on('message', (message: ChunkMessage) => this.receive(message));
    this.port.unref();
  }

  /**
   * Lets the chunks of a page that is about to be asked for go to a sink.
   *
   * @returns Its id, and what resolves to `true` when its last chunk has come, to `false` when the thread ends before.
   */
  open(sink: PageSink): { readonly pageId: number; readonly isWhole: Promise<boolean> } {
    const pageId = this.nextPageId++;
    // Somebody waits for it.
    this.port.ref();
    const isWhole = new Promise<boolean>((settle) => this.pages.set(pageId, { sink, settle }));
    return { pageId, isWhole };
  }

  /** Chunks that still come go back. */
  close(pageId: number): void {
    this.pages.delete(pageId);
    if (this.pages.size === 0) this.port.unref();
  }

  /** Asks the thread to stop. */
  cancel(pageId: number): void {
    this.post({ kind: 'cancel', pageId });
  }

  /** No more comes: the thread has ended. */
  end(): void {
    for (const page of this.pages.values()) page.settle(false);
    this.port.close();
  }

  private receive({ pageId, chunkId, ...content }: ChunkMessage): void {
    const page = this.pages.get(pageId);
    const chunk: PageChunk = {
      ...content,
      release: () => this.release(chunkId),
      abandon: () => this.post({ kind: 'abandon', chunkIds: [chunkId] }),
    };
    if (page === undefined) {
      chunk.release();
      return;
    }
    page.sink.write(chunk);
    if (content.isLast) page.settle(true);
  }

  /**
   * In the next turn of the loop, whatever was released in this one: main would else get the chunks that are written meanwhile in the same turn,
   * and so perhaps the whole page.
   */
  private release(chunkId: number): void {
    if (this.released.push(chunkId) > 1) return;
    unfaked.setImmediate(() => this.post({ kind: 'release', chunkIds: this.released.splice(0) }));
  }

  private post(message: PageMessage): void {
    this.port.postMessage(message);
  }
}
