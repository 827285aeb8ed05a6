import { SKETCH_CELLS } from '@offloop/core/internal/aggregate/sketch.js';
import * as aggregates from '@offloop/core/internal/layout/aggregates.js';
import { FamilyKind } from '@offloop/core/internal/layout/catalog.js';
import { seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import { AGGREGATES_END } from '@offloop/core/internal/layout/control-block.js';
import { expect } from 'chai';
import { SegmentRig } from '../segment-rig.js';
import { constantName, tableRows } from './docstring-tables.js';

describe('aggregates', () => {
  it('has totals where its table says', () => {
    const constants: Readonly<Record<string, unknown>> = { ...aggregates };
    // Rows of the totals have a field's name in the second column, rows of the block `sum` and so on.
    const totals = tableRows('aggregates.ts').filter(
      ([, field]) => `TOTAL_${constantName(field as string)}` in constants,
    );
    expect(totals).to.have.length(aggregates.TOTALS_DOUBLES);
    for (const [double, field] of totals) {
      expect(constants[`TOTAL_${constantName(field as string)}`]).to.equal(Number(double));
    }
  });

  it('lays a histogram out as its table says', () => {
    const B = 11;
    expect(aggregates.BLOCK_SUM).to.equal(0);
    expect(aggregates.BLOCK_COUNTS).to.equal(1);
    expect(aggregates.sketchGroupsDouble(B)).to.equal(B + 2);
    expect(aggregates.sketchDouble(B)).to.equal(B + 3);
    expect(aggregates.histogramBlockDoubles(B, 0)).to.equal(B + 2);
    expect(aggregates.histogramBlockDoubles(B, SKETCH_CELLS)).to.equal(B + 3 + SKETCH_CELLS);
  });

  it('gives series blocks that begin after the totals and do not overlap', () => {
    const rig = new SegmentRig();
    const { control } = rig.segment;
    const families = [
      rig.addFamily(),
      rig.addFamily({ kind: FamilyKind.liveGauge }),
      rig.addHistogram([1, 2]),
      rig.addHistogram([1, 2], true),
    ];
    let end = aggregates.FIRST_BLOCK;
    for (let round = 0; round < 3; round++) {
      for (const family of families) {
        const block = seriesBlock(rig.segment, rig.addSeries(family));
        expect(block).to.be.at.least(end);
        end = control[AGGREGATES_END] as number;
        expect(end).to.be.above(block);
      }
    }
  });

  it('keeps the cell of a live gauge, which the producer writes, out of the consumer’s 128 bytes', () => {
    const rig = new SegmentRig();
    const counter = rig.addFamily();
    const gauge = rig.addFamily({ kind: FamilyKind.liveGauge });
    const group = (seriesId: number): number =>
      Math.floor(
        (rig.segment.aggregates.byteOffset + seriesBlock(rig.segment, seriesId) * 8) / 128,
      );
    for (let round = 0; round < 5; round++) {
      const before = rig.addSeries(counter);
      const live = rig.addSeries(gauge);
      const after = rig.addSeries(counter);
      expect(group(live)).to.not.be.oneOf([group(before), group(after)]);
    }
  });
});
