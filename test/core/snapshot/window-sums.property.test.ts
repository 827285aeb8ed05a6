import { sketchQuantile } from '@offloop/core/internal/aggregate/quantile.js';
import { sketchCellOf } from '@offloop/core/internal/aggregate/sketch.js';
import { NARROW_SHAPE } from '@offloop/core/internal/aggregate/sketch-shape.js';
import { BLOCK_COUNTS, sketchDouble } from '@offloop/core/internal/layout/aggregates.js';
import { seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import { WindowSums } from '@offloop/core/internal/snapshot/window-sums.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { BOUNDS, WindowRig } from '../aggregate/window-rig.js';

const ROUNDS = 200;
const SHARES = [0, 0.001, 0.25, 0.5, 0.5, 0.9, 0.95, 0.99, 1];

/** Everywhere in the sketch, and below and above it. */
function draw(random: Random, spread: number): number {
  if (random.below(50) === 0) return random.below(2) === 0 ? 0 : 1_000;
  return Math.exp(-4 + spread * random.normal());
}

/** A window of some series, which has let go of something or not. */
function open(random: Random): WindowRig {
  const rig = new WindowRig({ slices: 3, sliceTicks: 10, capacityRecords: 4_096 });
  // More than sums have room for at first.
  const series = Array.from({ length: 1 + random.below(12) }, () => rig.addSeries(rig.family));
  const spread = 1 + random.below(4);
  for (let slice = 1 + random.below(6); slice > 0; slice--) {
    for (let count = random.below(400); count > 0; count--)
      rig.recorder.record(series[random.below(series.length)] as number, draw(random, spread));
    rig.drainAll();
    rig.advance(1_000);
  }
  return rig;
}

/** By going through all cells from the bottom. */
function expectQuantilesOfCells(sums: WindowSums): void {
  const found = new Float64Array(SHARES.length);
  sums.quantiles(SHARES, found);
  const { requests } = sums.window;
  const cells = sums.cells();
  expect(cells.reduce((sum, count) => sum + count, 0)).to.equal(requests);
  for (const [index, share] of SHARES.entries()) {
    const expected = sketchQuantile(cells, requests, share) ?? Number.NaN;
    if (Number.isNaN(expected)) expect(found[index], `p${share * 100}`).to.be.NaN;
    else expect(found[index], `p${share * 100}`).to.be.closeTo(expected, expected * 1e-12);
  }
  const highest = cells.findLastIndex((count) => count !== 0);
  const maximum = highest === -1 ? undefined : NARROW_SHAPE.valueAt(highest, 1);
  expect(sums.maximum).to.equal(maximum);
}

describe(`sums of windows as laws, seed ${runSeed}`, function () {
  this.timeout(60_000);

  it('find the quantiles that lie in their cells, of one segment and of several', () => {
    const random = new Random();
    for (let round = 0; round < ROUNDS; round++) {
      const all = new WindowSums(BOUNDS.length);
      for (let segment = 1 + random.below(3); segment > 0; segment--) {
        const { sums } = open(random).read();
        // What has been looked for in the parts is counted already.
        if (random.below(2) === 0) expectQuantilesOfCells(sums);
        all.addSums(sums);
      }
      expectQuantilesOfCells(all);
    }
  });

  it('find the quantiles of each series that was added, and those of all', () => {
    const random = new Random();
    for (let round = 0; round < ROUNDS; round++) {
      const { places, window } = open(random).series();
      const all = new WindowSums(BOUNDS.length);
      all.begin(window);
      for (let index = 0; index < places.length; ) {
        // Of some nothing is asked, as of routes that were not in use.
        const several = places.slice(index, index + 1 + random.below(3));
        index += several.length;
        all.add(several);
        if (random.below(4) === 0) continue;
        const own = new WindowSums(BOUNDS.length);
        own.begin(window);
        own.add(several);
        expect(all.part).to.deep.equal({ lifetime: own.lifetime, window: own.window });
        const found = new Float64Array(SHARES.length);
        all.partQuantiles(SHARES, found);
        const expected = new Float64Array(SHARES.length);
        own.quantiles(SHARES, expected);
        expect(found).to.deep.equal(expected);
        expectQuantilesOfCells(own);
      }
      expectQuantilesOfCells(all);
    }
  });

  it('find a quantile after copies have wrapped', () => {
    const rig = new WindowRig({ slices: 2, sliceTicks: 10 });
    const series = [rig.addSeries(rig.family), rig.addSeries(rig.family)];
    const [id] = series as [number, number];
    const block = seriesBlock(rig.segment, id);
    const { aggregates } = rig.segment;
    for (let slice = 0; slice < 4; slice++) {
      // Five thousand million, of which copies keep 705 032 704.
      if (slice === 1) {
        const cell = block + sketchDouble(BOUNDS.length) + sketchCellOf(0.01);
        for (const double of [block + BLOCK_COUNTS, cell])
          aggregates[double] = (aggregates[double] as number) + 5e9;
      }
      for (const each of series)
        for (const value of [0.01, 0.01, 0.02]) rig.recorder.record(each, value);
      rig.drainAll();
      rig.advance(1_000);
    }
    const { sums } = rig.read();
    expect(sums.lifetime.requests).to.equal(5e9 + 24);
    expect(sums.window.requests).to.equal(6);
    expectQuantilesOfCells(sums);
    const { places, window } = rig.series();
    const first = new WindowSums(BOUNDS.length);
    first.begin(window);
    first.add(places.slice(0, 1));
    expect(first.window.requests).to.equal(3);
    expectQuantilesOfCells(first);
  });

  it('find a quantile where series together hold more than a copy can count', () => {
    const rig = new WindowRig({ slices: 2, sliceTicks: 10 });
    const series = [rig.addSeries(rig.family), rig.addSeries(rig.family)];
    for (let slice = 0; slice < 3; slice++) {
      for (const id of series) rig.recorder.record(id, 0.01);
      rig.drainAll();
      rig.advance(1_000);
    }
    const { aggregates } = rig.segment;
    for (const id of series) {
      const block = seriesBlock(rig.segment, id);
      const cell = block + sketchDouble(BOUNDS.length) + sketchCellOf(0.01);
      for (const double of [block + BLOCK_COUNTS, cell])
        aggregates[double] = (aggregates[double] as number) + 3e9;
    }
    const { sums } = rig.read();
    expect(sums.window.requests).to.be.closeTo(6e9, 10);
    expectQuantilesOfCells(sums);
  });
});
