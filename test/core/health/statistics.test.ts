import {
  fallenShareZ,
  median,
  proportionZ,
  quantileOf,
  robustDeviation,
  wilsonUpper,
} from '@offloop/core/internal/health/statistics.js';
import { expect } from 'chai';

describe('the statistics of the detectors', () => {
  it('give the numbers of textbooks', () => {
    // Newcombe 1998, table I: 81 of 263 at 95 %, and 0 of 20.
    expect(wilsonUpper(81, 263, 1.959964)).to.be.closeTo(0.3662, 5e-5);
    expect(wilsonUpper(0, 20, 1.959964)).to.be.closeTo(0.1611, 5e-5);
    // 60 heads of 100: two standard deviations of five above 50.
    expect(proportionZ(60, 100, 0.5)).to.be.closeTo(2, 1e-12);
    const before = { hits: 60, misses: 40 };
    expect(fallenShareZ(before, { hits: 40, misses: 60 })).to.be.closeTo(2.828427, 1e-6);
  });

  it('are not moved by one value far off', () => {
    expect(median([1, 2, 3, 1e9])).to.equal(2.5);
    expect(robustDeviation([1, 2, 3, 4, 1e9])).to.be.closeTo(1.4826, 1e-12);
    expect(quantileOf([3, 1, 2], 1)).to.equal(3);
  });

  it('say nothing of nothing, and of what cannot differ', () => {
    expect(median([])).to.deep.equal(Number.NaN);
    expect(fallenShareZ({ hits: 5, misses: 0 }, { hits: 9, misses: 0 })).to.equal(0);
    expect(fallenShareZ({ hits: 0, misses: 0 }, { hits: 0, misses: 0 })).to.equal(0);
  });
});
