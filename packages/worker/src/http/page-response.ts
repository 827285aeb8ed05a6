import type { ServerResponse } from 'node:http';
import type { ContentEncoding, PageChunk, PageReader } from '@offloop/core/engine';
import { answer, answerUnavailable, breakOff, isOpen, type RoutedMessage } from './http-answer.js';

/** What decides which page a request gets: a cache must not give one client's page to another. */
const DECIDING_HEADERS = 'Accept, Accept-Encoding';

/**
 * The response that a page goes to, chunk by chunk, each from the memory that it was rendered in.
 *
 * A page that is one chunk is answered with its length. A longer one is on its way while its end is not written yet, so its length is not known: it
 * goes out in HTTP's own chunks, and the answer to HEAD has no length. HTTP/1.0 has no chunks, and could not tell a page from the beginning
 * of one, so for it the page is put together first. A page that breaks off takes the connection along.
 */
export class PageResponse implements PageReader {
  private readonly request: RoutedMessage;
  private readonly response: ServerResponse;
  private readonly contentType: string;
  private readonly leave: () => void;
  /** What the socket may still have to read. */
  private held: PageChunk[] = [];
  private parts: Uint8Array[] = [];
  private hasBegun = false;
  private isOver = false;

  /** @param leave Called once, when no more of the page is wanted. */
  constructor(
    request: RoutedMessage,
    of: {
      readonly response: ServerResponse;
      readonly contentType: string;
      readonly leave: () => void;
    },
  ) {
    this.request = request;
    this.response = of.response;
    this.contentType = of.contentType;
    this.leave = of.leave;
    // Not write()'s callback: middleware that packs answers loses it, and passes these events on.
    this.response.on('drain', this.releaseHeld);
    this.response.once('finish', this.releaseHeld);
    this.response.once('close', () => {
      this.end();
      this.releaseHeld();
    });
  }

  write(chunk: PageChunk): void {
    if (this.isOver) {
      chunk.release();
      return;
    }
    this.held.push(chunk);
    try {
      this.put(chunk);
    } catch (error) {
      // Middleware that wraps responses may throw, and the application is not to hear of it.
      this.fail(error);
    }
    if (this.isOver && !this.hasBegun) this.releaseHeld();
  }

  restart(): boolean {
    this.parts = [];
    // Values of two moments make no page.
    if (this.hasBegun) this.fail(undefined);
    return !this.isOver;
  }

  /** Answers that there is no page, or breaks off. */
  fail(error: unknown): void {
    if (this.isOver) return;
    if (this.hasBegun) breakOff(this.response);
    else answerUnavailable(this.request, this.response, error);
    this.end();
  }

  /** Answers that there is no page, if none has begun to come. */
  refuse(reason: string): void {
    if (!this.hasBegun) this.fail(reason);
  }

  private put(chunk: PageChunk): void {
    const { request, response } = this;
    if (!this.hasBegun && !isOpen(response)) {
      this.end();
      return;
    }
    if (request.httpVersion === '1.0' && !(chunk.isLast && this.parts.length === 0)) {
      this.parts.push(chunk.bytes.slice());
      this.releaseHeld();
      if (chunk.isLast) this.putWhole(Buffer.concat(this.parts), chunk.encoding);
      return;
    }
    if (!this.hasBegun && chunk.isLast) {
      this.putWhole(chunk.bytes, chunk.encoding);
      return;
    }
    if (!this.hasBegun) this.putHead(chunk.encoding);
    if (request.method === 'HEAD') {
      response.end();
      this.end();
      return;
    }
    if (!chunk.isLast) {
      response.write(chunk.bytes);
      return;
    }
    response.end(chunk.bytes);
    this.end();
  }

  private putWhole(body: Uint8Array, encoding: ContentEncoding): void {
    this.putDecided(encoding);
    answer(this.request, this.response, { status: 200, type: this.contentType, body });
    this.end();
  }

  private putHead(encoding: ContentEncoding): void {
    const { response } = this;
    this.putDecided(encoding);
    response.statusCode = 200;
    response.setHeader('Content-Type', this.contentType);
    response.setHeader('Cache-Control', 'no-store');
  }

  private putDecided(encoding: ContentEncoding): void {
    const { response } = this;
    this.hasBegun = true;
    // Middleware before this one may have put its own there, as cors() does.
    const before = response.getHeader('Vary');
    response.setHeader('Vary', before ? `${before}, ${DECIDING_HEADERS}` : DECIDING_HEADERS);
    if (encoding !== 'identity') response.setHeader('Content-Encoding', encoding);
  }

  private end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.parts = [];
    this.leave();
  }

  private readonly releaseHeld = (): void => {
    for (const { release } of this.held.splice(0)) release();
  };
}
