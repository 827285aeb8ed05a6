import { IsoClock } from '@offloop/core/internal/snapshot/iso-clock.js';
import { expect } from 'chai';
import { Random } from '../../support/random.js';

describe('IsoClock', () => {
  const { now } = Date;
  afterEach(() => {
    Date.now = now;
  });

  it('tells what Date tells, whichever way time goes', () => {
    const random = new Random();
    const clock = new IsoClock();
    const moments = [0, 7, 70, 999, 1_000, 999, -1, -1_000, -1_001, 1_700_000_000_000.75];
    moments.push(8.64e15, -8.64e15, Date.UTC(9999, 11, 31, 23, 59, 59, 999) + 1);
    for (let count = 0; count < 1_000; count++) {
      const last = moments.at(-1) as number;
      // Mostly on by a little, sometimes anywhere.
      moments.push(
        random.below(5) === 0
          ? (random.below(2 ** 30) - 2 ** 29) * 3_600
          : last + random.below(300),
      );
    }
    for (const ms of moments) {
      if (Math.abs(ms) > 8.64e15) continue;
      Date.now = () => ms;
      expect(clock.now(), String(ms)).to.equal(new Date(ms).toISOString());
    }
  });

  it('refuses a time that is none, as Date does, and goes on afterwards', () => {
    const clock = new IsoClock();
    Date.now = () => Number.NaN;
    expect(() => clock.now()).to.throw(RangeError);
    Date.now = () => 1_234;
    expect(clock.now()).to.equal('1970-01-01T00:00:01.234Z');
  });
});
