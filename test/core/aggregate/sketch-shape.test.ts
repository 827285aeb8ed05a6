import { sketchCellOf } from '@offloop/core/internal/aggregate/sketch.js';
import {
  NARROW_SHAPE,
  sketchShapeOf,
  WIDE_SHAPE,
} from '@offloop/core/internal/aggregate/sketch-shape.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { wideSketchCellOf } from './wide-cell.js';

/** The next double up or down. */
function neighbour(value: number, direction: 1 | -1): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + BigInt(value < 0 ? -direction : direction));
  return view.getFloat64(0);
}

for (const [name, shape, cellOf] of [
  ['narrow', NARROW_SHAPE, sketchCellOf],
  ['wide', WIDE_SHAPE, wideSketchCellOf],
] as const) {
  describe(`sketch shape, ${name}`, () => {
    it('has cells that follow each other without gaps', () => {
      for (let cell = 1; cell < shape.cells; cell++) {
        expect(shape.lowerBound(cell), `cell ${cell}`).to.equal(shape.upperBound(cell - 1));
        expect(shape.upperBound(cell)).to.be.above(shape.lowerBound(cell));
      }
      expect(shape.upperBound(shape.cells - 1)).to.equal(Number.POSITIVE_INFINITY);
    });

    it('counts a value in the cell whose bounds are around it', () => {
      for (let cell = 1; cell < shape.cells - 1; cell++) {
        const bound = shape.upperBound(cell);
        // Bounds belong to the cell that is nearer to zero.
        const own = shape.signOf(cell) === -1 ? cell + 1 : cell;
        expect(cellOf(bound), `bound of ${cell}`).to.equal(own);
        expect(cellOf(neighbour(bound, -1)), `below the bound of ${cell}`).to.equal(cell);
        expect(cellOf(neighbour(bound, 1)), `above the bound of ${cell}`).to.equal(cell + 1);
      }
    });

    it('has the indexes of a Prometheus native histogram of its schema', () => {
      for (let cell = 1; cell < shape.cells - 1; cell++) {
        const sign = shape.signOf(cell);
        if (sign === 0) continue;
        const size = sign === 1 ? shape.upperBound(cell) : -shape.lowerBound(cell);
        expect(Math.log2(size) * 2 ** shape.schema, `cell ${cell}`).to.be.closeTo(
          shape.indexOf(cell),
          1e-9,
        );
      }
    });

    it('has one zero bucket, of the width that it says', () => {
      const zeroes = Array.from({ length: shape.cells }, (_, cell) => cell).filter(
        (cell) => shape.signOf(cell) === 0,
      );
      expect(zeroes).to.have.length(1);
      expect(cellOf(0)).to.equal(zeroes[0]);
      expect(cellOf(-0)).to.equal(zeroes[0]);
      expect(shape.upperBound(zeroes[0] as number)).to.equal(shape.zeroThreshold);
      expect(shape.lowerBound(zeroes[0] as number)).to.equal(-shape.zeroThreshold);
    });

    it('gives values of a cell that rise from its lower bound to its upper one', () => {
      for (let cell = 1; cell < shape.cells - 1; cell++) {
        if (shape.signOf(cell) === 0) continue;
        expect(shape.valueAt(cell, 0)).to.equal(shape.lowerBound(cell));
        expect(shape.valueAt(cell, 1)).to.be.closeTo(
          shape.upperBound(cell),
          1e-12 * Math.abs(shape.upperBound(cell)),
        );
        expect(shape.valueAt(cell, 0.5)).to.be.within(
          shape.valueAt(cell, 0.25),
          shape.valueAt(cell, 0.75),
        );
      }
    });

    it('is known by its number of cells', () => {
      expect(sketchShapeOf(shape.cells)).to.equal(shape);
      expect(sketchShapeOf(0)).to.equal(undefined);
    });
  });
}

describe('sketch shape, wide', () => {
  it('clamps what lies beyond its range to the outermost cells', () => {
    expect(wideSketchCellOf(2 ** 50)).to.equal(5121);
    expect(wideSketchCellOf(-(2 ** 50))).to.equal(1);
    for (const value of [2 ** 50 + 1, 1e300, Number.MAX_VALUE, Number.POSITIVE_INFINITY]) {
      expect(wideSketchCellOf(value), String(value)).to.equal(5122);
      expect(wideSketchCellOf(-value), String(-value)).to.equal(0);
    }
    expect(WIDE_SHAPE.valueAt(5122, 0.5)).to.equal(2 ** 50);
    expect(WIDE_SHAPE.valueAt(0, 0.5)).to.equal(-(2 ** 50));
    expect(WIDE_SHAPE.lowerBound(0)).to.equal(Number.NEGATIVE_INFINITY);
  });

  it('counts what is as small as rounding errors as zero, on both sides', () => {
    for (const value of [0, 5e-324, 2.2e-308, 1e-10, 2 ** -30]) {
      expect(wideSketchCellOf(value), String(value)).to.equal(2561);
      expect(wideSketchCellOf(-value), String(-value)).to.equal(2561);
    }
    expect(WIDE_SHAPE.valueAt(2561, 0.5)).to.equal(0);
  });

  it(`mirrors the cells of every pattern of bits, seed ${runSeed}`, () => {
    const random = new Random();
    for (let count = 0; count < 20_000; count++) {
      const value = random.bits();
      if (Number.isNaN(value)) continue;
      const cell = wideSketchCellOf(value);
      expect(wideSketchCellOf(-value), String(value)).to.equal(5122 - cell);
      expect(value).to.be.within(WIDE_SHAPE.lowerBound(cell), WIDE_SHAPE.upperBound(cell));
    }
  });

  it(`has the narrow sketch's buckets, seed ${runSeed}`, () => {
    const random = new Random();
    for (let count = 0; count < 5_000; count++) {
      const value = (1 + random.unit()) * 2 ** (random.below(26) - 20);
      const narrow = sketchCellOf(value);
      const wide = wideSketchCellOf(value);
      expect(WIDE_SHAPE.indexOf(wide)).to.equal(NARROW_SHAPE.indexOf(narrow));
      expect(WIDE_SHAPE.upperBound(wide)).to.equal(NARROW_SHAPE.upperBound(narrow));
    }
  });
});
