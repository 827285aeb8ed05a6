import type { PageChunk } from '@offloop/express';

/** A chunk of a page that holds a text. */
export function chunkOf(text: string, given: Partial<PageChunk> = {}): PageChunk {
  return {
    bytes: Buffer.from(text),
    isLast: false,
    encoding: 'identity',
    renderMs: 1,
    release: () => {},
    abandon: () => {},
    ...given,
  };
}
