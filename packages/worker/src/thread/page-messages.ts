import type { ExpositionRequest, PageChunk } from '@offloop/core/engine';

/** What a thread is asked to render. */
export interface PageTask {
  /** Of main's choice, never used again. */
  readonly pageId: number;
  readonly request: ExpositionRequest;
}

/** From the thread: a chunk of a page. */
export interface ChunkMessage extends Omit<PageChunk, 'release' | 'abandon'> {
  readonly pageId: number;
  readonly chunkId: number;
}

/** To the thread. */
export type PageMessage =
  /** Chunks are read; or are not, and their memory is not the thread's any more. */
  | { readonly kind: 'release' | 'abandon'; readonly chunkIds: readonly number[] }
  /** Nobody wants the page any more. */
  | { readonly kind: 'cancel'; readonly pageId: number };
