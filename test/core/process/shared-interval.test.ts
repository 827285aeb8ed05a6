import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';
import { every, everyAbout } from '@offloop/core/internal/process/shared-interval.js';
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

  it('wakes who does not mind by ticks of a shorter one that goes into it, whichever came first', async () => {
    const calls: string[] = [];
    const note = (name: string) => (): void => {
      calls.push(name);
    };
    const stops = [
      everyAbout(40, note('rider')),
      every(10, note('tick')),
      everyAbout(25, note('other')),
    ];
    while (calls.filter((name) => name === 'rider').length < 4) await delay(5);
    for (const stop of stops) stop();
    // Of two in one tick, who asked first is called first.
    const gaps = calls
      .filter((name) => name !== 'other')
      .join(' ')
      .split('rider')
      .slice(1, 4)
      .map((ticks) => ticks.trim());
    expect(gaps).to.deep.equal(['', '', ''].map(() => 'tick tick tick tick'));
    expect(calls).to.include('other');
  });

  it('gives who rode on a shorter one a timer of its own when that ends', async () => {
    let ticks = 0;
    let rides = 0;
    const stop = every(10, () => ticks++);
    const stopRiding = everyAbout(20, () => rides++);
    while (rides === 0) await delay(5);
    stop();
    const before = ticks;
    rides = 0;
    while (rides < 2) await delay(5);
    stopRiding();
    expect(ticks).to.equal(before);
  });

  it('is not moved by timers that an application fakes later', async () => {
    const { setInterval } = timers;
    timers.setInterval = (() => {
      throw new Error('faked');
    }) as unknown as typeof setInterval;
    syncBuiltinESMExports();
    try {
      let calls = 0;
      const stop = every(15, () => calls++);
      while (calls === 0) await delay(5);
      stop();
    } finally {
      timers.setInterval = setInterval;
      syncBuiltinESMExports();
    }
  });
});
