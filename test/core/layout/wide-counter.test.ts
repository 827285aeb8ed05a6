import { addToWideCounter, readWideCounter } from '@offloop/core/internal/layout/wide-counter.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { runSeed } from '../../support/random.js';

const TWO_32 = 2 ** 32;

/** A counter that stands at `value`, among two neighbours that must stay as they are. */
function counterAt(value: number): Int32Array {
  const high = Math.floor(value / TWO_32);
  const cells = new Int32Array(new SharedArrayBuffer(20));
  cells.set([0x1234, high, (value % TWO_32) | 0, high, 0x5678]);
  return cells;
}

describe('wide counter', () => {
  it('starts at 0 in untouched memory', () => {
    expect(readWideCounter(new Int32Array(3), 0)).to.equal(0);
  });

  it('counts on across both borders of the low cell', () => {
    for (const border of [2 ** 31, TWO_32, 2 * TWO_32, 5 * TWO_32 + 2 ** 31]) {
      const cells = counterAt(border - 2);
      for (let value = border - 1; value <= border + 1; value++) {
        addToWideCounter(cells, 1, 1);
        expect(readWideCounter(cells, 1)).to.equal(value);
      }
    }
  });

  it('takes the largest amount at the largest low cell', () => {
    const cells = counterAt(TWO_32 - 1);
    addToWideCounter(cells, 1, TWO_32 - 1);
    expect(readWideCounter(cells, 1)).to.equal(2 * TWO_32 - 2);
  });

  it('leaves its neighbours alone', () => {
    const cells = counterAt(TWO_32 - 1);
    addToWideCounter(cells, 1, 1);
    expect([cells[0], cells[4]]).to.deep.equal([0x1234, 0x5678]);
  });

  it('is read although its writer stopped between two stores of a carry, at most one carry off', () => {
    const cells = counterAt(TWO_32 - 1);
    cells[1] = 1;
    expect(readWideCounter(cells, 1)).to.be.within(0, 2 * TWO_32);
    cells[2] = 0;
    expect(readWideCounter(cells, 1)).to.be.within(0, TWO_32);
  });

  it(`is the sum of what was added, seed ${runSeed}`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 51 }),
        fc.array(fc.integer({ min: 0, max: TWO_32 - 1 }), { maxLength: 40 }),
        (start, amounts) => {
          const cells = counterAt(start);
          let sum = start;
          for (const amount of amounts) {
            addToWideCounter(cells, 1, amount);
            sum += amount;
            expect(readWideCounter(cells, 1)).to.equal(sum);
          }
        },
      ),
      { seed: runSeed },
    );
  });
});
