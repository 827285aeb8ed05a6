import { gunzipSync } from 'node:zlib';
import {
  COMPRESSED_BYTES_MIN,
  compress,
} from '@offloop/core/internal/exposition/content-encoding.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { PipelineRig } from '../pipeline-rig.js';

describe('compress', () => {
  it('leaves small pages as they are', async () => {
    for (const size of [0, 1, COMPRESSED_BYTES_MIN - 1]) {
      const bytes = new Uint8Array(size);
      expect(await compress(bytes)).to.deep.equal({ bytes, encoding: 'identity' });
    }
  });

  for (const size of [COMPRESSED_BYTES_MIN, 65_536, 1_000_003]) {
    it(`gives ${size} bytes back, in a buffer of their own, seed ${runSeed}`, async () => {
      const random = new Random();
      const source = Uint8Array.from({ length: size }, () => random.below(256));
      // A part of a larger buffer, as a writer leaves it.
      const bytes = new Uint8Array(new ArrayBuffer(size + 10), 5, size);
      bytes.set(source);
      const packed = await compress(bytes);
      expect(packed.encoding).to.equal('gzip');
      expect(packed.bytes.buffer.byteLength).to.equal(packed.bytes.byteLength);
      expect(Buffer.compare(gunzipSync(packed.bytes), source)).to.equal(0);
      expect(Buffer.compare(bytes, source)).to.equal(0);
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
    expect([plain.encoding, packed.encoding]).to.deep.equal(['identity', 'gzip']);
    expect(packed.bytes.byteLength).to.be.lessThan(plain.bytes.byteLength / 5);
    expect(Buffer.compare(gunzipSync(packed.bytes), plain.bytes)).to.equal(0);
  });
});
