import { setTimeout as delay } from 'node:timers/promises';
import { every } from '@offloop/core/internal/process/shared-interval.js';
import { expect } from 'chai';

describe('a shared interval', () => {
  it('calls all in one tick, also who comes later', async () => {
    const calls: string[] = [];
    const called = (name: string) => (): void => {
      calls.push(name);
      if (name === 'first') setImmediate(() => calls.push('turn'));
    };
    const stops = [every(20, called('first'))];
    await delay(7);
    stops.push(every(20, called('second')));
    while (calls.length < 9) await delay(5);
    for (const stop of stops) stop();
    const turns = calls
      .join(' ')
      .split(' turn')
      .map((turn) => turn.trim());
    expect(new Set(turns.slice(0, 3))).to.deep.equal(new Set(['first second']));
  });

  it('calls nobody who has stopped, and begins again for the next', async () => {
    let stopped = 0;
    let going = 0;
    const listener = (): void => {
      stopped++;
    };
    const stop = every(10, listener);
    const stopOther = every(10, () => going++);
    stop();
    stop();
    while (going < 2) await delay(5);
    stopOther();
    expect(stopped).to.equal(0);
    const before = going;
    const stopThird = every(10, listener);
    while (stopped < 2) await delay(5);
    stopThird();
    expect(going).to.equal(before);
  });
});
