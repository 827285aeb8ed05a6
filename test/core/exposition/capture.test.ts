import { sketchCellOf } from '@offloop/core/internal/aggregate/sketch.js';
import { capture, labelsText, singleValue } from '@offloop/core/internal/exposition/capture.js';
import { FamilyKind } from '@offloop/core/internal/layout/catalog.js';
import { expect } from 'chai';
import { Random } from '../../support/random.js';
import { wideSketchCellOf } from '../aggregate/wide-cell.js';
import { SegmentRig } from '../segment-rig.js';

describe('capture', () => {
  it('lists the series of a histogram once, so that one which comes meanwhile is in its counter too, or in neither', () => {
    const rig = new SegmentRig();
    const histogram = rig.addHistogram([1], true);
    const counter = rig.addFamily({ kind: FamilyKind.observationCounter, source: histogram });
    rig.addSeries(histogram);
    for (const order of [
      [counter, histogram],
      [histogram, counter],
    ]) {
      const [first, second] = capture(rig.segment, order).families;
      expect(first?.seriesIds).to.have.length(1);
      expect(first?.seriesIds).to.equal(second?.seriesIds);
    }
  });

  it('gives a counter that shows a histogram the sum of the histogram’s counts', () => {
    const rig = new SegmentRig();
    const histogram = rig.addHistogram([1, 2], true);
    const counter = rig.addFamily({ kind: FamilyKind.observationCounter, source: histogram });
    const series = rig.addSeries(histogram);
    for (const value of [0.5, 1.5, 2.5, 3.5]) rig.recorder.record(series, value);
    rig.drainAll();
    const { families, totals } = capture(rig.segment, [counter]);
    expect(singleValue(families[0] as (typeof families)[0], 0)).to.equal(4);
    expect(totals.aggregatedRecords).to.equal(4);
  });

  it('gives the sketches of histograms where they are asked for, and of summaries always', () => {
    const rig = new SegmentRig({ sizes: { aggregateCells: 131_072 } });
    const families = [
      rig.addHistogram([1], true),
      rig.addHistogram([1], 'wide'),
      rig.addSummary(),
      rig.addHistogram([1]),
      rig.addFamily(),
    ];
    for (const family of families) rig.addSeries(family);
    const hasSketches = (needs?: { sketches: boolean }) =>
      capture(rig.segment, families, needs).families.map(({ sketches }) => sketches !== undefined);
    expect(hasSketches()).to.deep.equal([false, false, true, false, false]);
    expect(hasSketches({ sketches: true })).to.deep.equal([true, true, true, false, false]);
    expect(capture(rig.segment, families).families.map(({ family }) => family.isNative))
      .to.deep //
      .equal([true, true, false, false, false]);
  });

  for (const [name, hasSketch, cellOf, values] of [
    ['narrow', true, sketchCellOf, [0, 1e-9, 0.001, 0.5, 0.5, 64, 65]],
    ['wide', 'wide', wideSketchCellOf, [-1e20, -3, -3, -1e-5, 0, 1e-15, 0.5, 3, 1e9, 1e300]],
  ] as const) {
    it(`gives what lies in each ${name} sketch, ascending, without empty cells`, () => {
      const rig = new SegmentRig({ sizes: { aggregateCells: 131_072 } });
      const family = rig.addHistogram([1, 2], hasSketch);
      const ids = Array.from({ length: 4 }, () => rig.addSeries(family));
      const random = new Random();
      const truths = ids.map((id, index) => {
        // One series stays empty, one takes every value.
        const own = values.filter(() => index !== 1 && (index === 2 || random.below(2) === 0));
        for (const value of own) rig.recorder.record(id, value);
        const counts = new Map<number, number>();
        for (const cell of own.map(cellOf)) counts.set(cell, (counts.get(cell) ?? 0) + 1);
        return [...counts].sort(([a], [b]) => a - b);
      });
      rig.drainAll();
      const { sketches } = capture(rig.segment, [family], { sketches: true }).families[0] ?? {};
      if (sketches === undefined) throw new Error('no sketches');
      expect(sketches.shape.cells).to.equal(name === 'wide' ? 5123 : 834);
      const found = ids.map((_, index) => {
        const entries: [number, number][] = [];
        for (
          let at = sketches.starts[index] as number;
          at < (sketches.starts[index + 1] ?? 0);
          at++
        )
          entries.push([sketches.cells[at] as number, sketches.counts[at] as number]);
        return entries;
      });
      expect(found).to.deep.equal(truths);
    });
  }

  it('begins again when series that it has met are given to others meanwhile', () => {
    const rig = new SegmentRig({ sizes: { maxSeries: 128 } });
    const family = rig.addFamily();
    const fill = (from: number) => {
      const ids = Array.from({ length: 70 }, (_, index) =>
        rig.addSeries(family, `n="${from + index}"`),
      );
      for (const [index, id] of ids.entries()) rig.recorder.record(id, from + index);
      rig.drainAll();
      return ids;
    };
    const before = fill(1_000);
    let hasChanged = false;
    // Labels are read first, and the aggregates after them: in between all series change hands.
    const changing = new Proxy(rig.segment, {
      get: (segment, property) => {
        if (property === 'aggregates' && !hasChanged) {
          hasChanged = true;
          for (const id of before) rig.catalog.removeSeries(id, rig.recorder.sequence());
          fill(2_000);
        }
        return Reflect.get(segment, property) as unknown;
      },
    });
    const [captured] = capture(changing, [family]).families;
    if (captured === undefined) throw new Error('no family');
    const shown = Array.from(captured.values, (value, index) => [
      labelsText(captured, index),
      value,
    ]);
    expect(shown).to.deep.equal(
      Array.from({ length: 70 }, (_, index) => [`n="${2_000 + index}"`, 2_000 + index]),
    );
  });
});
