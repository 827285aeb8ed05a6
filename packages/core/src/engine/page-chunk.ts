import type { ContentEncoding } from '../exposition/content-encoding.js';

/** A part of a page, in memory that is used again. */
export interface PageChunk {
  /** Theirs who got it until it is released; the last chunk's may be none. */
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
  /** Of the page: the same in all of its chunks. */
  readonly encoding: ContentEncoding;
  /** Time that the page took to render up to here, on whichever thread; packing and waiting are not in it. */
  readonly renderMs: number;
  /** Says that nobody reads the bytes any more. Again does nothing. */
  readonly release: () => void;
  /** Says that somebody will read them for long: the page gets other memory, and goes on. */
  readonly abandon: () => void;
}

/** Where an engine puts a page. None of it throws. */
export interface PageSink {
  /** Takes the next chunk. A chunk that is never released costs its memory, and at most a pause of the page. */
  write(chunk: PageChunk): void;
  /**
   * The page begins again, with values of now, as the thread that made it was lost.
   *
   * @returns `false` when nobody wants that: then it ends here.
   */
  restart(): boolean;
}

/** Somebody who gets a page. */
export interface PageReader extends PageSink {
  /** There is no page, or no rest of it. */
  fail(error: unknown): void;
}
