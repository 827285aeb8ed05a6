import { gunzipSync } from 'node:zlib';
import { COMPRESSED_BYTES_MIN } from '@offloop/core/internal/exposition/content-encoding.js';
import { GzipChunks } from '@offloop/core/internal/exposition/gzip-chunks.js';
import { CHUNK_BYTES, PageMemory } from '@offloop/core/internal/exposition/page-memory.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { PipelineRig } from '../pipeline-rig.js';

describe('GzipChunks', () => {
  for (const size of [0, 1, COMPRESSED_BYTES_MIN, CHUNK_BYTES, 1_000_003]) {
    it(`gives ${size} bytes back in chunks, seed ${runSeed}`, async () => {
      const random = new Random();
      const source = Uint8Array.from({ length: size }, () => random.below(256));
      const memory = new PageMemory();
      const gzip = new GzipChunks(memory);
      const { bytes } = memory.takeChunk();
      const packed: Buffer[] = [];
      for (let start = 0, isLast = false; !isLast; start += 100_000) {
        // The same memory each time, as a page has.
        const part = source.subarray(start, start + 100_000);
        bytes.set(part);
        isLast = start + 100_000 >= size;
        const chunk = await gzip.pack(bytes.subarray(0, part.length), isLast);
        if (chunk !== undefined) packed.push(Buffer.from(chunk.bytes));
        if (!isLast && chunk !== undefined) expect(chunk.bytes.length).to.be.least(CHUNK_BYTES);
      }
      gzip.close();
      // What is random is packed into as many bytes.
      expect(packed.length).to.equal(
        Math.floor(size / CHUNK_BYTES) + (size === CHUNK_BYTES ? 0 : 1),
      );
      expect(Buffer.compare(gunzipSync(Buffer.concat(packed)), source)).to.equal(0);
    });
  }
});

describe('a packed page', () => {
  it('is the page, and the loop turns while it is packed', async () => {
    const rig = new PipelineRig();
    const histogram = rig.histogram({ labelNames: ['a'] });
    for (let index = 0; index < 1000; index++) histogram.observe({ a: `${index}` }, index);
    const request = { families: rig.registry.familyIds(), includePipeline: false } as const;
    const plain = await rig.pipeline.render(request);
    let turns = 0;
    const turn = () => {
      turns++;
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    const packed = await rig.pipeline.render({ ...request, encoding: 'gzip' });
    clearImmediate(next);
    expect(turns).to.be.greaterThan(0);
    const { families } = request;
    const none = { families: families.slice(1), includePipeline: false, encoding: 'gzip' } as const;
    expect((await rig.pipeline.render(none)).encoding, 'a small page').to.equal('identity');
    expect([plain.encoding, packed.encoding]).to.deep.equal(['identity', 'gzip']);
    expect(packed.bytes.byteLength).to.be.lessThan(plain.bytes.byteLength / 5);
    expect(Buffer.compare(gunzipSync(packed.bytes), plain.bytes)).to.equal(0);
  });
});
