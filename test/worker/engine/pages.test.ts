import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { type PageChunk, renderPage } from '@offloop/core/engine';
import { CHUNK_BYTES } from '@offloop/core/internal/exposition/page-memory.js';
import { expect } from 'chai';
import { LargePage, TestReader } from '../large-page.js';
import { until, useThreadList } from '../pool-threads.js';

describe('a page of many chunks', function () {
  this.timeout(30_000);
  const threads = useThreadList();
  let page: LargePage;

  beforeEach(async () => {
    page = await new LargePage().start();
  });
  afterEach(() => page.pipeline.close());

  function scrapes(): number {
    return page.pipeline.totals().scrapes;
  }

  it('is whole, each chunk from shared memory', async () => {
    const reader = new TestReader(({ bytes, release }) => {
      expect(bytes.buffer).to.be.instanceOf(SharedArrayBuffer);
      release();
    });
    page.pipeline.stream(page.request, reader);
    await reader.whole;
    expect(page.seriesOf(reader.text)).to.equal(page.seriesCount);
    expect(reader.chunkCount).to.equal(Math.ceil(reader.text.length / CHUNK_BYTES));
    const whole = await page.pipeline.render(page.request);
    const text = Buffer.from(whole.bytes).toString();
    expect(text.slice(0, text.indexOf('# HELP offloop'))).to.equal(
      reader.text.slice(0, reader.text.indexOf('# HELP offloop')),
    );
  });

  it('leaves nothing hung on its thread, which lives for days', async () => {
    const { thread } = Reflect.get(page.pipeline.engine, 'life') as { thread: { ended: object } };
    let thenCount = 0;
    // A reaction to a promise stays as long as the promise does.
    Reflect.set(thread.ended, 'then', (...args: readonly unknown[]): unknown => {
      thenCount++;
      return Reflect.apply(Promise.prototype.then, thread.ended, args);
    });
    for (let count = 0; count < 3; count++) {
      const reader = new TestReader(({ release }) => release());
      page.pipeline.stream(page.request, reader);
      await reader.whole;
    }
    await page.pipeline.render(page.request);
    await page.pipeline.flush();
    expect(thenCount).to.equal(0);
  });

  it('waits for who reads it, and meanwhile the thread answers', async () => {
    const held: PageChunk[] = [];
    const reader = new TestReader((chunk) => held.push(chunk));
    page.pipeline.stream(page.request, reader);
    await until(() => held.length === 2, 'two chunks');
    page.histogram.observe({ n: 1 }, 1);
    await page.pipeline.flush();
    await delay(20);
    expect(held, 'chunks that are out').to.have.length(2);
    const texts = held.map(({ bytes }) => Buffer.from(bytes).toString());
    // Of the same series, whose values it captures anew.
    const other = await page.pipeline.render({ ...page.request, includePipeline: false });
    expect(Buffer.from(other.bytes).toString()).to.match(/^large_seconds_count\{n="1"\} 1$/m);
    expect(
      held.map(({ bytes }) => Buffer.from(bytes).toString()),
      'their bytes',
    ).to.deep.equal(texts);
    while (!reader.text.includes('\noffloop_segment_bytes ')) {
      const count = reader.chunkCount;
      held.shift()?.release();
      await until(() => reader.chunkCount > count || held.length === 0, 'the next chunk');
    }
    expect(page.seriesOf(reader.text), 'of before the observation').to.equal(page.seriesCount);
    expect(reader.text).to.match(/^large_seconds_count\{n="1"\} 0$/m);
  });

  for (const format of ['text', 'openMetrics', 'protobuf'] as const) {
    it(`is the same in chunks as in one piece, packed too: ${format}`, async () => {
      for (let n = 0; n < 1_000; n++) page.histogram.observe({ n }, n / 100);
      await page.pipeline.flush();
      const request = { ...page.request, includePipeline: false, format };
      const { bytes } = renderPage(page.pipeline.producer.segment, request);
      expect(bytes.length, 'bytes').to.be.above(2 * CHUNK_BYTES);
      for (const encoding of ['identity', 'gzip'] as const) {
        const streamed = await page.pipeline.render({ ...request, encoding });
        expect(streamed.encoding).to.equal(encoding);
        const unpacked = encoding === 'gzip' ? gunzipSync(streamed.bytes) : streamed.bytes;
        expect(Buffer.compare(unpacked, bytes), encoding).to.equal(0);
      }
    });
  }

  it('is not rendered to its end when nobody wants it any more, nor counted, and the next is', async () => {
    for (let round = 0; round < 3; round++) {
      const reader = new TestReader(() => {});
      const leave = page.pipeline.stream(page.request, reader);
      await until(() => reader.chunkCount === 2, 'two chunks');
      leave();
      // Comes after the one that was given up.
      const next = new TestReader();
      page.pipeline.stream(page.request, next);
      await next.whole;
      expect(page.seriesOf(next.text)).to.equal(page.seriesCount);
      expect(reader.chunkCount).to.equal(2);
      expect(reader.errors).to.deep.equal([]);
      expect(scrapes()).to.equal(round + 1);
    }
  });

  it('is rendered on for those who stay', async () => {
    const [stays, leaves] = [new TestReader(), new TestReader()];
    page.pipeline.stream(page.request, stays);
    const leave = page.pipeline.stream(page.request, leaves);
    await until(() => leaves.chunkCount > 0, 'the first chunk');
    leave();
    await stays.whole;
    expect(page.seriesOf(stays.text)).to.equal(page.seriesCount);
    expect(scrapes()).to.equal(1);
  });

  it('is made again when its thread is killed in the middle', async () => {
    const whole = page.pipeline.render(page.request);
    const reader = new TestReader((chunk) => {
      if (reader.restarts === 0) void threads().at(-1)?.terminate();
      else chunk.release();
    });
    page.pipeline.stream(page.request, reader);
    await reader.whole;
    expect(reader.restarts).to.equal(1);
    expect(page.seriesOf(reader.text)).to.equal(page.seriesCount);
    const text = Buffer.from((await whole).bytes).toString();
    expect(page.seriesOf(text)).to.equal(page.seriesCount);
    expect(scrapes()).to.equal(1);
  });

  it('ends when its thread is killed and nobody can take it again', async () => {
    const reader = new TestReader(() => void threads().at(-1)?.terminate());
    reader.restart = () => false;
    page.pipeline.stream(page.request, reader);
    await until(() => reader.chunkCount > 0, 'the first chunk');
    const next = new TestReader();
    page.pipeline.stream(page.request, next);
    await next.whole;
    expect(page.seriesOf(next.text)).to.equal(page.seriesCount);
    expect(reader.chunkCount).to.be.below(3);
  });
});
