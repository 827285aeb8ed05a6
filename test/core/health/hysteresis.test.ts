import { nextAlarm, VERDICTS, type Verdict } from '@offloop/core/internal/health/hysteresis.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { runSeed } from '../../support/random.js';

const PATIENCE = { enterAfter: 2, leaveAfter: 3 };

function follow(verdicts: readonly Verdict[], patience = PATIENCE): boolean[] {
  let state = { isOn: false, streak: 0 };
  return verdicts.map((verdict) => {
    state = nextAlarm(state, verdict, patience);
    return state.isOn;
  });
}

describe('nextAlarm', () => {
  it('goes on at the second bad look in a row, and off at the third that is not', () => {
    expect(follow(['bad', 'bad', 'good', 'good', 'good'])).to.deep.equal([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it('begins the count anew at a look in between, on both sides', () => {
    expect(follow(['bad', 'between', 'bad', 'good', 'bad'])).to.not.include(true);
    expect(follow(['bad', 'bad', 'good', 'good', 'between', 'good', 'good'])).to.deep.equal([
      false,
      ...Array.from({ length: 6 }, () => true),
    ]);
  });

  it('ends an alarm that nobody can judge any more, and raises none', () => {
    expect(follow(['unknown', 'unknown', 'unknown'])).to.not.include(true);
    expect(follow(['bad', 'bad', 'unknown', 'unknown', 'unknown']).at(-1)).to.equal(false);
  });
});

describe(`nextAlarm: laws, seed ${runSeed}`, () => {
  const verdicts = fc.array(fc.constantFrom(...VERDICTS), { maxLength: 60 });
  const patience = fc.record({
    enterAfter: fc.integer({ min: 1, max: 5 }),
    leaveAfter: fc.integer({ min: 1, max: 5 }),
  });

  it('changes only after so many looks in a row that speak for it', () => {
    fc.assert(
      fc.property(verdicts, patience, (given, of) => {
        const states = follow(given, of);
        for (const [index, isOn] of states.entries()) {
          const was = index > 0 && (states[index - 1] as boolean);
          if (isOn === was) continue;
          const run = isOn ? of.enterAfter : of.leaveAfter;
          const last = given.slice(index + 1 - run, index + 1);
          expect(last).to.have.length(run);
          const speaks = (verdict: Verdict) =>
            isOn ? verdict === 'bad' : verdict === 'good' || verdict === 'unknown';
          expect(last.every(speaks)).to.equal(true);
        }
      }),
      { seed: runSeed },
    );
  });

  it('is on after enough bad looks, and off after enough good ones, whatever was before', () => {
    fc.assert(
      fc.property(verdicts, patience, (given, of) => {
        const repeat = (verdict: Verdict, count: number): Verdict[] =>
          Array.from({ length: count }, () => verdict);
        expect(follow([...given, ...repeat('bad', of.enterAfter)], of).at(-1)).to.equal(true);
        expect(follow([...given, ...repeat('good', of.leaveAfter)], of).at(-1)).to.equal(false);
      }),
      { seed: runSeed },
    );
  });
});
