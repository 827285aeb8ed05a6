import { boundTableOf, sketchBoundTableOf } from '@offloop/core/internal/aggregate/bound-table.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { SegmentRig } from '../segment-rig.js';

const DEFAULT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Values that a table could get wrong: the bounds, their neighbours, far ends, and some at random. */
function probes(bounds: readonly number[], random: Random): number[] {
  const view = new DataView(new ArrayBuffer(8));
  const values = [0, -0, 1, -1, 5e-324, -5e-324, 2 ** -20, 64, 1e308, -1e308];
  for (const bound of bounds) {
    values.push(bound);
    view.setFloat64(0, bound);
    const bits = view.getBigInt64(0);
    for (const step of [-1n, 1n, -(2n ** 32n), 2n ** 32n, -(2n ** 46n), 2n ** 46n]) {
      view.setBigInt64(0, BigInt.asIntN(64, bits + step));
      values.push(view.getFloat64(0));
    }
  }
  const first = bounds[0] ?? 0;
  const last = bounds.at(-1) ?? 1;
  for (let count = 0; count < 40; count++) {
    values.push(first + (last - first) * random.unit(), random.bits());
  }
  return values.filter(Number.isFinite).slice(0, 250);
}

/** Counts of the values by buckets, by looking at each bound. */
function countsBySearch(bounds: readonly number[], values: readonly number[]): number[] {
  const counts = Array<number>(bounds.length + 1).fill(0);
  for (const value of values) {
    const bucket = bounds.findIndex((bound) => value <= bound);
    const index = bucket === -1 ? bounds.length : bucket;
    counts[index] = (counts[index] as number) + 1;
  }
  return counts;
}

/** Counts one value at a time through a drain, so that a wrong bucket names its value. */
function expectRightBuckets(bounds: readonly number[], random: Random): void {
  const values = probes(bounds, random);
  for (const hasSketch of [false, true]) {
    const rig = new SegmentRig({ sizes: { capacityRecords: 512 } });
    const series = rig.addSeries(rig.addHistogram(bounds, hasSketch));
    for (const value of values) rig.recorder.record(series, value);
    rig.drainAll();
    const { counts } = rig.histogram(series, bounds.length, hasSketch);
    if (counts.join() === countsBySearch(bounds, values).join()) continue;
    for (const value of values) {
      const before = rig.histogram(series, bounds.length, hasSketch).counts;
      rig.recorder.record(series, value);
      rig.drainAll();
      const after = rig.histogram(series, bounds.length, hasSketch).counts;
      const added = after.map((count, index) => count - (before[index] as number));
      expect(added, `${value} among [${bounds}], sketch ${hasSketch}`).to.deep.equal(
        countsBySearch(bounds, [value]),
      );
    }
  }
}

describe('bound table', () => {
  const cases: Record<string, { bounds: readonly number[]; table: boolean; sketch: boolean }> = {
    'prom-client’s default bounds': { bounds: DEFAULT, table: true, sketch: true },
    'no bounds': { bounds: [], table: false, sketch: true },
    'one bound': { bounds: [0.3], table: true, sketch: true },
    'one bound of zero': { bounds: [0], table: false, sketch: true },
    'one bound below zero': { bounds: [-2.5], table: false, sketch: true },
    'bounds on both sides of zero': { bounds: [-1, 0, 1], table: false, sketch: false },
    'zero and a bound above it': { bounds: [0, 0.5], table: false, sketch: true },
    'two bounds a last place apart': {
      bounds: [1, 1.0000000000000002],
      table: false,
      // 1 is the upper bound of a cell of the sketch, so the two lie in different cells.
      sketch: true,
    },
    'two bounds a last place apart in a cell': {
      bounds: [1.01, 1.0100000000000002],
      table: false,
      sketch: false,
    },
    'two bounds 1 % apart': { bounds: [1.002, 1.012], table: false, sketch: false },
    'bounds of 600 octaves': { bounds: [1e-150, 1, 1e30], table: true, sketch: true },
    'bounds of all octaves': { bounds: [5e-324, 1, 1.7e308], table: true, sketch: true },
    'two bounds below the sketch': { bounds: [1e-9, 1e-8], table: true, sketch: false },
    'two bounds above the sketch': { bounds: [65, 66], table: true, sketch: false },
    'bounds that are cells of the sketch': {
      bounds: [0.25, 0.5, 1, 2, 64],
      table: true,
      sketch: true,
    },
    'the top of the sketch and one above': { bounds: [64, 100], table: true, sketch: true },
    'subnormal bounds': { bounds: [5e-324, 1e-323], table: false, sketch: false },
    'the largest double': { bounds: [Number.MAX_VALUE], table: true, sketch: true },
    'powers of two': {
      bounds: Array.from({ length: 60 }, (_, n) => 2 ** n),
      table: true,
      sketch: false,
    },
  };
  for (const [name, { bounds, table, sketch }] of Object.entries(cases)) {
    it(`puts values into the right buckets: ${name}`, () => {
      expectRightBuckets(bounds, new Random(1));
    });

    it(`is ${table ? '' : 'not '}made of the float, and ${sketch ? '' : 'not '}of the sketch: ${name}`, () => {
      expect(boundTableOf(bounds).cells.length > 0).to.equal(table);
      expect(sketchBoundTableOf(bounds).cells.length > 0).to.equal(sketch);
    });
  }

  it(`puts values into the right buckets of random bounds, seed ${runSeed}`, () => {
    const random = new Random();
    for (let round = 0; round < 60; round++) {
      const scale = 2 ** (random.below(60) - 30);
      const spread = random.below(3);
      const bounds = Array.from({ length: 1 + random.below(20) }, () => {
        if (spread === 0) return random.unit() * scale;
        if (spread === 1) return scale * 2 ** (random.below(40) - 20) * (1 + random.unit());
        return (random.unit() - 0.3) * scale;
      });
      expectRightBuckets(
        [...new Set(bounds)].sort((a, b) => a - b),
        random,
      );
    }
  });

  it('gives infinities and NaN some bucket, in every mode', () => {
    for (const bounds of [DEFAULT, [-1, 1], []]) {
      for (const hasSketch of [false, true]) {
        const rig = new SegmentRig();
        const series = rig.addSeries(rig.addHistogram(bounds, hasSketch));
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          rig.recorder.record(series, value);
        }
        rig.drainAll();
        const { counts, sketch } = rig.histogram(series, bounds.length, hasSketch);
        expect(counts.reduce((sum, count) => sum + count)).to.equal(3);
        if (hasSketch) expect(sketch.reduce((sum, count) => sum + count)).to.equal(3);
      }
    }
  });
});
