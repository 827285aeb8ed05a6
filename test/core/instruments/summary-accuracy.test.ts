import { Pipeline, Registry, Summary } from '@offloop/core';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';

const OBSERVATIONS = 1_000_000;
const PERCENTILES = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999];

/** docs/memory.md, buckets: how far the middle of a bucket is from its bounds. */
const ERROR_MAX = 0.011;

const distributions: Record<string, (random: Random) => number> = {
  lognormal: (random) => Math.exp(random.normal() - 3),
  'lognormal, spread over nine octaves': (random) => Math.exp(random.normal() * 2),
  bimodal: (random) =>
    random.unit() < 0.7 ? 0.02 + 0.004 * random.normal() : 1.5 + 0.2 * random.normal(),
  Pareto: (random) => 0.001 * (1 - random.unit()) ** (-1 / 1.5),
  'negative lognormal': (random) => -Math.exp(random.normal() - 3),
  'of both signs, with zeros among them': (random) =>
    random.unit() < 0.2 ? 0 : Math.exp(random.normal() + 2) * (random.unit() < 0.4 ? -1 : 1),
};

describe(`quantiles of a summary, seed ${runSeed}`, function () {
  this.timeout(120_000);

  for (const [name, draw] of Object.entries(distributions)) {
    it(`are within 1.1 % of the exact ones of ${OBSERVATIONS} observations: ${name}`, async () => {
      const random = new Random();
      const pipeline = new Pipeline();
      const summary = new Summary({
        name: 's',
        help: 'h',
        percentiles: PERCENTILES,
        registers: [new Registry(pipeline)],
      });
      const child = summary.labels();
      const values = Float64Array.from({ length: OBSERVATIONS }, () => draw(random));
      for (const value of values) child.observe(value);
      values.sort();
      const found = (await summary.get()).values;
      for (const [index, share] of PERCENTILES.entries()) {
        const exact = values[Math.ceil(share * OBSERVATIONS) - 1] as number;
        const error = Math.abs((found[index]?.value as number) - exact);
        expect(error, `p${share * 100}, exactly ${exact}`).to.be.at.most(
          ERROR_MAX * Math.abs(exact),
        );
      }
      expect(found.at(-1)?.value).to.equal(OBSERVATIONS);
    });
  }
});
