import {
  EXEMPLAR_LABEL_BYTES_MAX,
  EXEMPLAR_SLOT_BYTES,
} from '@offloop/core/internal/layout/exemplars.js';
import {
  encodeLabels,
  readExemplar,
  writeExemplar,
} from '@offloop/core/internal/record/exemplar-slot.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { SegmentRig } from '../segment-rig.js';

/** Anywhere in the catalog that is aligned. */
const SLOT = 8 * 1024;

function write(
  { segment }: SegmentRig,
  exemplar: { labels: [string, string][]; value: number; timestampMs: number },
): void {
  writeExemplar(segment, SLOT, { ...exemplar, labels: encodeLabels(exemplar.labels) });
}

describe('exemplar slot', () => {
  it(`gives back what was written last, seed ${runSeed}`, () => {
    const rig = new SegmentRig();
    const random = new Random();
    const texts = ['', 'a', 'trace_id', '日本', '🦊', '\u0000', '\u00ff', '"\\\n', 'é'];
    for (let round = 0; round < 500; round++) {
      const labels = Array.from({ length: random.below(6) }, (): [string, string] => [
        texts[random.below(texts.length)] as string,
        texts[random.below(texts.length)] as string,
      ]);
      const exemplar = { labels, value: random.bits(), timestampMs: random.unit() * 2e12 };
      write(rig, exemplar);
      expect(readExemplar(rig.segment, SLOT)).to.deep.equal(exemplar);
    }
  });

  it('holds the longest labels, and leaves what lies beside it alone', () => {
    const rig = new SegmentRig();
    const { catalogBytes } = rig.segment;
    catalogBytes[SLOT - 1] = 7;
    catalogBytes[SLOT + EXEMPLAR_SLOT_BYTES] = 8;
    const value = 'x'.repeat(EXEMPLAR_LABEL_BYTES_MAX - 3);
    write(rig, { labels: [['n', value]], value: 1, timestampMs: 2 });
    expect(readExemplar(rig.segment, SLOT)?.labels).to.deep.equal([['n', value]]);
    expect([catalogBytes[SLOT - 1], catalogBytes[SLOT + EXEMPLAR_SLOT_BYTES]]).to.deep.equal([
      7, 8,
    ]);
  });

  it('is not read while it is being written, and waited for no longer than a moment', () => {
    const rig = new SegmentRig();
    write(rig, { labels: [['n', 'before']], value: 1, timestampMs: 2 });
    rig.segment.catalogCells[SLOT / 4] = 3;
    expect(readExemplar(rig.segment, SLOT)).to.equal(undefined);
  });

  it('goes on across the wrap of its sequence', () => {
    const rig = new SegmentRig();
    rig.segment.catalogCells[SLOT / 4] = 2 ** 31 - 2;
    for (let value = 1; value <= 4; value++) {
      write(rig, { labels: [], value, timestampMs: 0 });
      expect(readExemplar(rig.segment, SLOT)?.value).to.equal(value);
    }
  });
});
