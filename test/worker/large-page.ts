import { Histogram, Pipeline, Registry } from '@offloop/core';
import type { ExpositionRequest, PageChunk, PageReader } from '@offloop/core/engine';
import { createEngine } from '@offloop/worker';
import { threadTakesOver } from './pool-threads.js';

/** A pipeline with a thread, and a page of many chunks. */
export class LargePage {
  readonly pipeline = new Pipeline();
  readonly histogram: Histogram<'n'>;
  readonly seriesCount: number;
  private readonly registry: Registry;

  constructor({ seriesCount = 5_000, capacityRecords = 65_536 } = {}) {
    this.seriesCount = seriesCount;
    this.pipeline.configure(
      {
        ring: { capacityRecords },
        maxSeriesPerMetric: seriesCount,
        memory: { maxSeries: seriesCount + 16, catalogBytes: 65_536 + seriesCount * 32 },
      },
      ({ segment, recorder }) =>
        createEngine({
          segment,
          recorder,
          mode: 'pool',
          pollMs: 1,
          logger: { warn: () => {}, error: () => {} },
        }),
    );
    this.registry = new Registry(this.pipeline);
    this.histogram = new Histogram({
      name: 'large_seconds',
      help: 'Large.',
      labelNames: ['n'],
      registers: [this.registry],
    });
    for (let n = 0; n < seriesCount; n++) this.histogram.zero({ n });
  }

  get request(): ExpositionRequest {
    return { families: this.registry.familyIds(), includePipeline: true };
  }

  /** Resolves when the thread drains. */
  async start(): Promise<this> {
    await threadTakesOver(this.pipeline.producer.segment);
    await this.pipeline.flush();
    return this;
  }

  /** Number of series in a page's text; throws where the page is not whole. */
  seriesOf(page: string): number {
    if (!page.endsWith('\n') || !page.includes('\noffloop_segment_bytes ')) {
      throw new Error('a page that is not whole');
    }
    return page.match(/^large_seconds_count\{/gm)?.length ?? 0;
  }
}

/** Reads pages: it notes each chunk, and does with it what it is told. */
export class TestReader implements PageReader {
  chunkCount = 0;
  restarts = 0;
  readonly errors: unknown[] = [];
  text = '';
  /** Resolves with the last chunk. */
  readonly whole: Promise<void>;
  private readonly take: (chunk: PageChunk) => void;
  private resolve: () => void = () => {};

  /** @param take Called with each chunk. Default: it is released. */
  constructor(take: (chunk: PageChunk) => void = ({ release }) => release()) {
    this.take = take;
    this.whole = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  write(chunk: PageChunk): void {
    this.chunkCount++;
    this.text += Buffer.from(chunk.bytes).toString('latin1');
    this.take(chunk);
    if (chunk.isLast) this.resolve();
  }

  restart(): boolean {
    this.restarts++;
    this.text = '';
    return true;
  }

  fail(error: unknown): void {
    this.errors.push(error);
  }
}
