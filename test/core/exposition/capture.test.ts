import { capture, labelsText, singleValue } from '@offloop/core/internal/exposition/capture.js';
import { FamilyKind } from '@offloop/core/internal/layout/catalog.js';
import { expect } from 'chai';
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
