import { isDeepStrictEqual } from 'node:util';
import { OPTION_RULES, resolveOptions } from '@offloop/core/adapter';
import { expect } from 'chai';
import fc from 'fast-check';
import { runSeed } from '../../support/random.js';
import { valueAt } from './option-cases.js';
import {
  documents,
  environments,
  refusalBy,
  verdictOf,
  verdictOfEnvironment,
} from './random-options.js';

const RUNS = 10_000;

describe(`options: laws, seed ${runSeed}`, () => {
  it('are either what was asked for, or refused with path, rule and value', function () {
    this.timeout(120_000);
    let accepted = 0;
    fc.assert(
      fc.property(documents(), environments, (document, environment) => {
        const ofDocument = verdictOf(document);
        const ofEnvironment = verdictOfEnvironment(environment);
        const rightRefusals = [...ofDocument.refusals, ...ofEnvironment.refusals];
        let resolved: object = {};
        const refusal = refusalBy(() => {
          resolved = resolveOptions(document as object, environment);
        });
        if (refusal !== undefined || rightRefusals.length > 0) {
          expect(refusal).to.be.oneOf(rightRefusals);
          return;
        }
        accepted++;
        const wrong = Object.entries(OPTION_RULES).filter(([path, rule]) => {
          const [inCode, inEnvironment] = [ofDocument, ofEnvironment].map((of) =>
            of.values.get(path),
          );
          const expected = inCode ?? inEnvironment ?? rule.default;
          return !isDeepStrictEqual(valueAt(resolved, path), expected);
        });
        expect(wrong).to.have.length(0);
      }),
      { seed: runSeed, numRuns: RUNS },
    );
    expect(accepted, 'of both kinds there are many').to.be.within(RUNS / 10, RUNS * 0.9);
  });
});
