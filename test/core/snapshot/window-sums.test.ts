import { WindowSums } from '@offloop/core/internal/snapshot/window-sums.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { BOUNDS, WindowRig } from '../aggregate/window-rig.js';

const OBSERVATIONS = 1_000_000;
const SEGMENTS = 8;
const SHARES = [0.5, 0.9, 0.95, 0.99, 0.999];
/** Half of a bucket of schema 5, 2^(1/64) − 1, rounded up: docs/percentiles.md, Two estimators. */
const RELATIVE_ERROR_MAX = 0.011;

/** Seconds. */
const DISTRIBUTIONS: Record<string, (random: Random) => number> = {
  lognormal: (random) => Math.exp(-4 + 0.8 * random.normal()),
  bimodal: (random) =>
    random.unit() < 0.8
      ? 0.005 * Math.exp(0.2 * random.normal())
      : 0.4 * Math.exp(0.1 * random.normal()),
  // Of shape 1.5, which has no variance, from a millisecond on.
  Pareto: (random) => Math.min(60, 0.001 / (1 - random.unit()) ** (1 / 1.5)),
};

describe(`sums of windows, seed ${runSeed}`, function () {
  this.timeout(60_000);

  for (const [name, draw] of Object.entries(DISTRIBUTIONS)) {
    it(`have ${name} quantiles within 1.1 % over a million observations, merged from 8 segments whose windows turn`, () => {
      const random = new Random();
      const rigs = Array.from({ length: SEGMENTS }, () => {
        const rig = new WindowRig({ slices: 6, sliceTicks: 10, capacityRecords: 65_536 });
        return { rig, series: rig.addSeries(rig.family) };
      });
      const inWindow: number[] = [];
      // Twice the window, so that half of what was observed has left it.
      const perSlice = (2 * OBSERVATIONS) / SEGMENTS / 12;
      for (let slice = 0; slice < 12; slice++) {
        for (const { rig, series } of rigs) {
          for (let index = 0; index < perSlice; index++) {
            const value = draw(random);
            rig.recorder.record(series, value);
            if (slice >= 6) inWindow.push(value);
          }
          rig.drainAll();
          if (slice < 11) rig.advance(1_000);
        }
      }
      const all = new WindowSums(BOUNDS.length);
      for (const { rig } of rigs) all.addSums(rig.read().sums);
      const exact = Float64Array.from(inWindow).sort();
      expect(exact.length).to.be.closeTo(OBSERVATIONS, 100);
      expect(all.window.requests).to.equal(exact.length);
      const found = new Float64Array(SHARES.length);
      all.quantiles(SHARES, found);
      for (const [index, share] of SHARES.entries()) {
        const truth = exact[Math.ceil(share * exact.length) - 1] as number;
        const error = Math.abs((found[index] as number) / truth - 1);
        expect(error, `p${share * 100}: ${found[index]} for ${truth}`).to.be.below(
          RELATIVE_ERROR_MAX,
        );
      }
    });
  }
});
