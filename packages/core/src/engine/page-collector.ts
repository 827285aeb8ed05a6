import { joinBytes, type Page } from '../exposition/render.js';
import type { PageChunk, PageReader } from './page-chunk.js';

/** Puts a page together, for who wants it whole and to keep: its bytes are copied. */
export class PageCollector implements PageReader {
  /** Rejects with why there is no page. */
  readonly page: Promise<Page>;
  private parts: Uint8Array<ArrayBuffer>[] = [];
  private resolve: (page: Page) => void = () => {};
  private reject: (reason: unknown) => void = () => {};

  constructor() {
    this.page = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  write({ bytes, isLast, encoding, renderMs, release }: PageChunk): void {
    this.parts.push(bytes.slice());
    release();
    if (!isLast) return;
    this.resolve({ bytes: joinBytes(this.parts), encoding, renderMs });
    this.parts = [];
  }

  restart(): boolean {
    this.parts = [];
    return true;
  }

  fail(error: unknown): void {
    this.reject(error);
  }
}
