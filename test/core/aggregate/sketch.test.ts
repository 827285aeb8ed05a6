import * as sketch from '@offloop/core/internal/aggregate/sketch.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';

/** ⌊x^(1/32)⌋ by bisection. */
function root32(x: bigint): bigint {
  let low = 0n;
  let high = 1n << 64n;
  while (low + 1n < high) {
    const middle = (low + high) >> 1n;
    if (middle ** 32n <= x) low = middle;
    else high = middle;
  }
  return low;
}

/** 2^(j/32) as the nearest double: one bit more than it has, then rounded. */
function octaveBound(j: number): number {
  const scaled = root32(1n << BigInt(53 * 32 + j));
  return Number((scaled + 1n) >> 1n) / 2 ** 52;
}

const UPPER_BOUNDS: readonly number[] = Array.from({ length: 833 }, (_, cell) => {
  const octave = Math.floor(cell / 32) - 20;
  return octaveBound(cell % 32) * 2 ** octave;
});

/** The first cell whose upper bound is not below the value, by looking at all of them. */
function cellBySearch(value: number): number {
  const found = UPPER_BOUNDS.findIndex((bound) => value <= bound);
  return found === -1 ? 833 : found;
}

function neighbour(value: number, direction: 1 | -1): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + BigInt(direction));
  return view.getFloat64(0);
}

describe('sketch', () => {
  it('has the bounds of an octave that integer roots give', () => {
    expect(sketch.OCTAVE_BOUNDS).to.deep.equal(
      Array.from({ length: 32 }, (_, j) => octaveBound(j)),
    );
  });

  it('has the upper bounds that integer roots give, and none above its last cell', () => {
    for (const [cell, bound] of UPPER_BOUNDS.entries()) {
      expect(sketch.sketchUpperBound(cell)).to.equal(bound);
    }
    expect(sketch.sketchUpperBound(833)).to.equal(Number.POSITIVE_INFINITY);
    expect(sketch.SKETCH_CELLS).to.equal(834);
  });

  it('puts each bound into its own cell, what lies before it too, and what lies after it into the next', () => {
    for (const [cell, bound] of UPPER_BOUNDS.entries()) {
      expect(sketch.sketchCellOf(bound), `bound ${cell}`).to.equal(cell);
      expect(sketch.sketchCellOf(neighbour(bound, -1)), `before bound ${cell}`).to.equal(cell);
      expect(sketch.sketchCellOf(neighbour(bound, 1)), `after bound ${cell}`).to.equal(cell + 1);
    }
  });

  it('puts zeros, subnormals and everything below zero into cell 0', () => {
    for (const value of [0, -0, 5e-324, 2.2e-308, 1e-7, 2 ** -20, -5e-324, -1, -64, -65, -1e308]) {
      expect(sketch.sketchCellOf(value), String(value)).to.equal(0);
    }
    expect(sketch.sketchCellOf(Number.NEGATIVE_INFINITY)).to.equal(0);
  });

  it('puts everything above 64 s into the last cell', () => {
    expect(sketch.sketchCellOf(64)).to.equal(832);
    for (const value of [64.00000000000001, 65, 128, 1e308, Number.POSITIVE_INFINITY]) {
      expect(sketch.sketchCellOf(value), String(value)).to.equal(833);
    }
  });

  it('gives NaN some cell', () => {
    expect(sketch.sketchCellOf(Number.NaN)).to.be.within(0, 833);
  });

  it(`agrees with a search for random doubles in its range, seed ${runSeed}`, () => {
    const random = new Random();
    for (let count = 0; count < 20_000; count++) {
      const value = (1 + random.unit()) * 2 ** (random.below(30) - 22);
      expect(sketch.sketchCellOf(value), String(value)).to.equal(cellBySearch(value));
    }
  });

  it(`agrees with a search for every pattern of bits, seed ${runSeed}`, () => {
    const random = new Random();
    for (let count = 0; count < 20_000; count++) {
      const value = random.bits();
      if (Number.isNaN(value)) continue;
      expect(sketch.sketchCellOf(value), String(value)).to.equal(cellBySearch(value));
    }
  });

  it('has cells whose middle is at most 1.09 % off', () => {
    for (let cell = 1; cell < 833; cell++) {
      const ratio = sketch.sketchUpperBound(cell) / sketch.sketchUpperBound(cell - 1);
      expect((ratio - 1) / (ratio + 1)).to.be.at.most(0.0109);
    }
  });
});
