import { capture, labelsText } from '@offloop/core/internal/exposition/capture.js';
import { CaptureMemory } from '@offloop/core/internal/exposition/capture-memory.js';
import { expect } from 'chai';
import { SegmentRig } from '../segment-rig.js';

describe('CaptureMemory', () => {
  it('gives the same memory again after begin(), and pieces of their own beyond it', () => {
    const memory = new CaptureMemory();
    memory.begin(40);
    const first = [memory.doubles(2), memory.integers(3), memory.doubles(1)];
    expect(new Set(first.map(({ buffer }) => buffer)).size).to.equal(1);
    expect(first.map(({ byteOffset }) => byteOffset)).to.deep.equal([0, 16, 32]);
    const beyond = memory.doubles(1);
    expect(beyond.buffer).not.to.equal(first[0]?.buffer);
    memory.begin(40);
    expect(memory.doubles(5).buffer).to.equal(first[0]?.buffer);
    memory.begin(48);
    expect(memory.doubles(6)).to.have.length(6);
    expect(memory.labels(10)).to.have.length(10);
    expect(memory.labels(3).buffer).to.equal(memory.labels(10).buffer);
  });

  it('makes captures that are equal to those in new memory, whatever it held before', () => {
    const rig = new SegmentRig();
    const families = [
      rig.addHistogram([1, 2], true),
      rig.addFamily(),
      rig.addHistogram([3], false),
    ];
    const memory = new CaptureMemory();
    for (let round = 0; round < 5; round++) {
      for (const family of families) {
        const id = rig.addSeries(family, `n="${'x'.repeat(round * 7)}"`);
        for (let count = 0; count <= round; count++) rig.recorder.record(id, count);
      }
      rig.drainAll();
      const shown = families.slice(round % 2);
      const again = capture(rig.segment, shown, undefined, memory).families;
      const anew = capture(rig.segment, shown).families;
      for (const [index, one] of again.entries()) {
        const other = anew[index] as typeof one;
        expect([...one.values]).to.deep.equal([...other.values]);
        expect([...one.seriesIds]).to.deep.equal([...other.seriesIds]);
        expect([...one.createdMs]).to.deep.equal([...other.createdMs]);
        const labels = (of: typeof one) => [...of.seriesIds.keys()].map((at) => labelsText(of, at));
        expect(labels(one)).to.deep.equal(labels(other));
      }
    }
  });
});
