import { setImmediate } from 'node:timers';
import { COMPRESSED_BYTES_MIN } from '../exposition/content-encoding.js';
import { GzipChunks } from '../exposition/gzip-chunks.js';
import type { PageMemory } from '../exposition/page-memory.js';
import { PageWriting } from '../exposition/page-writing.js';
import type { ExpositionRequest } from '../exposition/render.js';
import type { Segment } from '../layout/segment.js';
import { ChunkWindow } from './chunk-window.js';
import type { PageChunk } from './page-chunk.js';

/** How long the thread's loop may wait for its turn while a page is written: the drain's poll comes that late, and a chunk takes less. */
const TURN_MS = 2;

/** What is rendered, and where to. */
export interface ChunkedRender {
  readonly segment: Segment;
  readonly request: ExpositionRequest;
  readonly memory: PageMemory;
  readonly send: (chunk: PageChunk) => void;
  /** Aborted when nobody wants the page any more: then it ends at the next pause. */
  readonly signal: AbortSignal;
}

/**
 * Renders a page from shared memory alone, on any thread, as of one batch: the values are captured at once, and written and packed chunk by
 * chunk. In between the thread's loop turns, so that it drains, answers, and hears that the page is not wanted any more.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_OVERTAKEN` before the first chunk.
 */
export async function renderInChunks(render: ChunkedRender): Promise<void> {
  const { segment, request, memory, send, signal } = render;
  if (signal.aborted) return;
  const breathe = breather();
  const captured = memory.takeCapture();
  const window = new ChunkWindow(memory, signal);
  let gzip: GzipChunks | undefined;
  try {
    const writing = new PageWriting(segment, request, captured);
    for (let count = 0, isLast = false; !isLast; count++) {
      await window.room();
      const room = memory.takeChunk();
      writing.beginChunk(room);
      do {
        await breathe();
        if (signal.aborted) {
          memory.giveBackChunk(room);
          return;
        }
      } while (!writing.writeOn());
      const { renderMs, chunk } = writing;
      const { bytes } = chunk;
      isLast = chunk.isLast;
      const isSmall = count === 0 && isLast && bytes.length < COMPRESSED_BYTES_MIN;
      if (request.encoding !== 'gzip' || isSmall) {
        send(window.lend(room, { bytes, isLast, encoding: 'identity', renderMs }));
        continue;
      }
      gzip ??= new GzipChunks(memory);
      const packed = await gzip.pack(bytes, isLast);
      memory.giveBackChunk(room);
      if (packed === undefined) continue;
      send(window.lend(packed.room, { bytes: packed.bytes, isLast, encoding: 'gzip', renderMs }));
    }
  } finally {
    gzip?.close();
    memory.giveBackCapture(captured);
  }
}

/** @returns What lets the thread's loop turn when it has not for a while. */
function breather(): () => Promise<void> | undefined {
  let turnedMs = performance.now();
  return () => {
    if (performance.now() - turnedMs < TURN_MS) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        turnedMs = performance.now();
        resolve();
      }),
    );
  };
}
