import { Drain } from '@offloop/core/internal/aggregate/drain.js';
import { FamilyKind } from '@offloop/core/internal/layout/catalog.js';
import { readFamily } from '@offloop/core/internal/layout/catalog-reader.js';
import { readSamples, sampleQuantiles } from '@offloop/core/internal/snapshot/reservoir-reading.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { SegmentRig } from '../segment-rig.js';

const SLICES = 4;
const SAMPLE_COUNT = 250;
const SLICE_MS = 1_000;

/** A family with a reservoir of 1 000, on a clock of the test's own. */
class ReservoirRig extends SegmentRig {
  readonly family: number;
  readonly series: number;
  readonly sampling: Drain;
  clockMs = 1;

  constructor(seed: number) {
    super({ sizes: { capacityRecords: 4_096 } });
    this.recorder.stamp(this.clockMs);
    this.family = this.addFamily({
      kind: FamilyKind.histogram,
      bounds: [1],
      hasSketch: true,
      window: { slices: SLICES, sliceTicks: SLICE_MS / 100, sampleCount: SAMPLE_COUNT },
    });
    this.series = this.addSeries(this.family);
    const random = new Random(seed);
    this.sampling = new Drain(this.segment, this.lease, () => random.unit());
  }

  observe(values: Iterable<number>): void {
    let count = 0;
    for (const value of values) {
      this.recorder.record(this.series, value);
      if (++count % 1_000 === 0) this.sample();
    }
    this.sample();
  }

  advance(ms: number): void {
    this.clockMs += ms;
    this.recorder.stamp(this.clockMs);
  }

  samples() {
    const { segment, recorder } = this;
    const family = readFamily(segment, this.family);
    const at = { aggregates: segment.aggregates, nowTick: recorder.tick() };
    const samples = readSamples(segment, family, at);
    if (samples === undefined) throw new Error('the family has a reservoir');
    return samples;
  }

  private sample(): void {
    this.recorder.publish();
    this.sampling.drainAll();
  }
}

function normals(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => Math.exp(random.normal()));
}

describe(`reservoir, seed ${runSeed}`, () => {
  it('keeps everything while there is room, and the quantiles are exact then', () => {
    const rig = new ReservoirRig(runSeed);
    rig.observe(Array.from({ length: SAMPLE_COUNT }, (_, index) => SAMPLE_COUNT - index));
    const { values, weights } = rig.samples();
    expect([...values]).to.deep.equal(
      Array.from({ length: SAMPLE_COUNT }, (_, index) => index + 1),
    );
    expect(new Set(weights)).to.deep.equal(new Set([1]));
    const found = new Float64Array(4);
    sampleQuantiles(rig.samples(), [0, 0.5, 0.9, 1], found);
    expect([...found]).to.deep.equal([1, 125, 225, 250]);
  });

  it('never keeps more than its capacity, and lets samples go with their slice', () => {
    const rig = new ReservoirRig(runSeed);
    for (let slice = 0; slice < 7; slice++) {
      rig.observe(Array<number>(2_000).fill(slice + 1));
      const { values, weights } = rig.samples();
      const slices = Math.min(slice + 1, SLICES);
      expect(values.length).to.equal(slices * SAMPLE_COUNT);
      expect(new Set(values).size).to.equal(slices);
      expect(weights.every((weight) => weight === 8)).to.equal(true);
      rig.advance(SLICE_MS);
    }
    rig.advance(SLICES * SLICE_MS);
    expect(rig.samples().values.length).to.equal(0);
    const found = new Float64Array(1);
    sampleQuantiles(rig.samples(), [0.5], found);
    expect(found[0]).to.be.NaN;
  });

  it('stays within its stated bound of the true rank in at least 99 of 100 seeds', function () {
    this.timeout(60_000);
    let within = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const rig = new ReservoirRig(seed);
      const random = new Random(1_000 + seed);
      const all: number[] = [];
      // Slices of unequal traffic, which weights have to make good.
      for (const count of [1_000, 4_000, 2_000, 500]) {
        const values = normals(random, count).map((value) => value * (count / 1_000));
        all.push(...values);
        rig.observe(values);
        if (count !== 500) rig.advance(SLICE_MS);
      }
      const samples = rig.samples();
      const sorted = Float64Array.from(all).sort();
      // docs/percentiles.md: Kolmogorov's distance for as many independent samples as the weighted ones are worth.
      const weight = samples.weights.reduce((sum, one) => sum + one, 0);
      const squares = samples.weights.reduce((sum, one) => sum + one * one, 0);
      const effective = (weight * weight) / squares;
      const bound = Math.sqrt(Math.log(2 / 0.01) / (2 * effective));
      const shares = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];
      const found = new Float64Array(shares.length);
      sampleQuantiles(samples, shares, found);
      const isWithin = shares.every((share, index) => {
        const rank = sorted.findLastIndex((value) => value <= (found[index] as number)) + 1;
        return Math.abs(rank / sorted.length - share) <= bound;
      });
      if (isWithin) within++;
    }
    expect(within).to.be.at.least(99);
  });

  it('keeps each observation with the same probability, the first as the last', function () {
    this.timeout(60_000);
    const observed = 1_000;
    const kept = new Float64Array(10);
    for (let seed = 1; seed <= 200; seed++) {
      const rig = new ReservoirRig(seed);
      rig.observe(Array.from({ length: observed }, (_, index) => index));
      for (const value of rig.samples().values) {
        const tenth = Math.floor((value / observed) * 10);
        kept[tenth] = (kept[tenth] as number) + 1;
      }
    }
    // 5 000 are expected in each tenth; five deviations of a binomial are 300.
    for (const count of kept) expect(count).to.be.closeTo(5_000, 300);
  });
});
