import {
  expositionOf,
  type MakePage,
  PageMemory,
  type PageReader,
  type PageRequest,
  type PageSink,
  renderInChunks,
  type Segment,
  SharedRenders,
} from '@offloop/core/engine';
import type { PageSource } from '../http/scrape.js';
import type { MainLine } from './main-line.js';

/** The pages of a port: rendered on the port's own thread from shared memory, and shared by those who ask for the same at once. */
export class PortPages implements PageSource {
  private readonly segment: Segment;
  private readonly line: MainLine;
  private readonly drain: () => void;
  private readonly memory = new PageMemory();
  private readonly renders: SharedRenders;

  /** @param of.drain Drains what is published, where this thread is the one that does. */
  constructor(of: {
    readonly segment: Segment;
    readonly line: MainLine;
    readonly drain: () => void;
  }) {
    this.segment = of.segment;
    this.line = of.line;
    this.drain = of.drain;
    this.renders = new SharedRenders(this.make);
  }

  streamPage(page: PageRequest, reader: PageReader): () => void {
    let hasLeft = false;
    let leave = (): void => {
      hasLeft = true;
    };
    this.line
      .refresh()
      .then(({ contents }) => {
        if (hasLeft) return;
        leave = this.renders.stream(expositionOf(this.segment, contents, page), reader);
      })
      .catch((error: unknown) => reader.fail(error));
    return () => leave();
  }

  private readonly make: MakePage = async (request, sink: PageSink, signal) => {
    const { segment, memory } = this;
    this.drain();
    await renderInChunks({
      segment,
      request,
      memory,
      signal,
      send: (chunk) => {
        if (chunk.isLast) this.line.rendered(chunk.renderMs);
        sink.write(chunk);
      },
    });
  };
}
