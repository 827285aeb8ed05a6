import { clearTimeout, setTimeout } from 'node:timers';
import type { PageChunk, PageReader, PageSink } from './page-chunk.js';

/**
 * How long readers may keep a page waiting, in all. Less than half of Prometheus' default timeout: whoever asks while a page of slow readers is at
 * work still gets the next in time.
 */
const PATIENCE_MS = 2_000;

/**
 * One rendering, for everybody who asked for it.
 *
 * Its readers share the memory of each chunk, which is used again when all of them have released it. So the slowest sets the pace, but not for
 * long: then chunks are copied, and nobody waits for anybody.
 */
export class SharedPage implements PageSink {
  private readonly readers = new Set<PageReader>();
  private readonly out = new Set<PageChunk>();
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private hasBegun = false;
  private isLate = false;

  /** Aborted when no reader is left. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** @returns What the reader calls when it wants no more of the page. */
  add(reader: PageReader): () => void {
    this.readers.add(reader);
    return () => {
      this.readers.delete(reader);
      // Before it has begun, others may still come.
      if (this.hasBegun && this.readers.size === 0) this.controller.abort();
    };
  }

  /** Nobody joins it any more. @returns Whether anybody wants it. */
  begin(): boolean {
    this.hasBegun = true;
    return this.readers.size > 0;
  }

  write(chunk: PageChunk): void {
    if (this.readers.size === 0) {
      chunk.release();
      return;
    }
    if (this.isLate) {
      const bytes = chunk.bytes.slice();
      chunk.release();
      const copy = { ...chunk, bytes, release: nothing, abandon: nothing };
      for (const reader of this.readers) reader.write(copy);
      return;
    }
    if (!chunk.isLast) this.timer ??= setTimeout(this.hurry, PATIENCE_MS).unref();
    this.share(chunk);
  }

  restart(): boolean {
    for (const reader of this.readers) {
      if (!reader.restart()) this.readers.delete(reader);
    }
    this.out.clear();
    return this.readers.size > 0;
  }

  /** The page is over: no chunk comes any more. */
  finish(): void {
    clearTimeout(this.timer);
  }

  /** The page is over before its end. */
  fail(error: unknown): void {
    this.finish();
    for (const reader of this.readers) reader.fail(error);
  }

  private share(chunk: PageChunk): void {
    const readers = [...this.readers];
    let holders = readers.length;
    this.out.add(chunk);
    for (const reader of readers) {
      let isHeld = true;
      const release = (): void => {
        if (!isHeld) return;
        isHeld = false;
        if (--holders > 0) return;
        this.out.delete(chunk);
        chunk.release();
      };
      reader.write({ ...chunk, release });
    }
  }

  private readonly hurry = (): void => {
    this.isLate = true;
    for (const chunk of this.out) chunk.abandon();
    this.out.clear();
  };
}

function nothing(): void {}
