import { sketchQuantile } from '@offloop/core/internal/aggregate/quantile.js';
import {
  SKETCH_CELLS,
  sketchCellOf,
  sketchUpperBound,
} from '@offloop/core/internal/aggregate/sketch.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';

const QUANTILES = [0, 0.001, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1];

/** Width of a bucket, as a factor. */
const BUCKET = 2 ** (1 / 32);

function sketchOf(values: readonly number[]): Float64Array {
  const counts = new Float64Array(SKETCH_CELLS);
  for (const value of values) {
    const cell = sketchCellOf(value);
    counts[cell] = (counts[cell] as number) + 1;
  }
  return counts;
}

function quantileOf(values: readonly number[], q: number): number | undefined {
  return sketchQuantile(sketchOf(values), values.length, q);
}

/** The smallest value that at least a share `q` of the values does not exceed. */
function exact(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] as number;
}

describe('sketchQuantile', () => {
  it('has no answer for an empty sketch', () => {
    for (const q of QUANTILES) expect(quantileOf([], q)).to.equal(undefined);
  });

  it('stays within the bucket of a single value', () => {
    const cell = sketchCellOf(0.25);
    for (const q of QUANTILES) {
      expect(quantileOf([0.25], q)).to.be.within(
        sketchUpperBound(cell - 1),
        sketchUpperBound(cell),
      );
    }
  });

  it('is the lower bound of the first bucket at 0 and the upper bound of the last at 1', () => {
    const values = [0.001, 0.3, 20].flatMap((value) => Array<number>(16).fill(value));
    expect(quantileOf(values, 0)).to.equal(sketchUpperBound(sketchCellOf(0.001) - 1));
    expect(quantileOf(values, 1)).to.be.closeTo(sketchUpperBound(sketchCellOf(20)), 1e-12);
  });

  it('is the top of the underflow cell for values at or below it', () => {
    for (const q of QUANTILES) expect(quantileOf([0, 1e-9, -3], q)).to.equal(2 ** -20);
  });

  it('is the bottom of the overflow cell for values above it', () => {
    for (const q of QUANTILES) expect(quantileOf([65, 1e6, 1e300], q)).to.equal(64);
  });

  it('is half a bucket off at most where few observations share one, and does not put them at its ends', () => {
    const cell = sketchCellOf(0.3);
    const [low, high] = [sketchUpperBound(cell - 1) * (1 + 1e-9), sketchUpperBound(cell)];
    for (let count = 1; count < 16; count++) {
      for (const value of [low, high]) {
        const values = Array<number>(count).fill(value);
        for (const q of QUANTILES) {
          const ratio = (quantileOf(values, q) as number) / value;
          expect(ratio, `q ${q} of ${count}`).to.be.within(1 / 1.011, 1.011);
        }
      }
    }
  });

  it('crosses empty cells without stopping in them', () => {
    const values = [...Array<number>(50).fill(0.001), ...Array<number>(50).fill(10)];
    expect(quantileOf(values, 0.5)).to.be.at.most(0.001 * BUCKET);
    expect(quantileOf(values, 0.51)).to.be.at.least(10 / BUCKET);
  });

  it('never falls as q rises', () => {
    const random = new Random(7);
    const values = Array.from({ length: 100 }, () => Math.exp(random.normal()));
    let before = 0;
    for (let q = 0; q <= 1; q += 0.001) {
      const quantile = quantileOf(values, q) as number;
      expect(quantile).to.be.at.least(before);
      before = quantile;
    }
  });

  for (const [name, draw] of [
    ['lognormal', (random: Random) => Math.exp(random.normal() * 1.2 - 3)],
    ['uniform', (random: Random) => random.unit() * 2 + 1e-5],
    ['two-peaked', (random: Random) => (random.below(2) === 0 ? 0.001 : 3) * (1 + random.unit())],
  ] as const) {
    it(`is within one bucket of the exact quantile of ${name} values, seed ${runSeed}`, () => {
      const random = new Random();
      for (const count of [1, 2, 3, 10, 999, 5000]) {
        const values = Array.from({ length: count }, () =>
          Math.min(64, Math.max(2 ** -20 * BUCKET, draw(random))),
        );
        const sorted = values.toSorted((a, b) => a - b);
        for (const q of QUANTILES) {
          const ratio = (quantileOf(values, q) as number) / exact(sorted, q);
          expect(ratio, `q ${q} of ${count}`).to.be.within(1 / BUCKET - 1e-12, BUCKET + 1e-12);
        }
      }
    });
  }
});
