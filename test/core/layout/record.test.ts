import * as record from '@offloop/core/internal/layout/record.js';
import { expect } from 'chai';
import { SegmentRig } from '../segment-rig.js';
import { tableRows } from './docstring-tables.js';

describe('record', () => {
  it('is laid out as its table says', () => {
    const rows = tableRows('record.ts').map(([byte, cell, type]) => [byte, cell, type]);
    expect(rows).to.deep.equal([
      ['0', String(record.SERIES_ID_CELL), 'u32'],
      ['4', '1', 'u32'],
      ['8', String(record.VALUE_DOUBLE * 2), 'f64'],
    ]);
    expect(record.RECORD_BYTES).to.equal(16);
  });

  it('is what the recorder writes, slot by slot', () => {
    const { segment, recorder } = new SegmentRig();
    recorder.record(7, Math.PI);
    recorder.record(63, -0);
    expect(segment.ringCells[0]).to.equal(7);
    expect(segment.ringValues[record.VALUE_DOUBLE]).to.equal(Math.PI);
    expect(segment.ringCells[4]).to.equal(63);
    expect(Object.is(segment.ringValues[2 + record.VALUE_DOUBLE], -0)).to.equal(true);
  });

  it('has the two halves of its value where HIGH_WORD and LOW_WORD say', () => {
    const { segment, recorder } = new SegmentRig();
    recorder.record(0, 1.0000000000000002);
    expect(segment.ringCells[2 + record.HIGH_WORD]).to.equal(0x3ff0_0000);
    expect(segment.ringCells[2 + record.LOW_WORD]).to.equal(1);
  });
});
