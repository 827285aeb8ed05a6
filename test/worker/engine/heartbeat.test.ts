import { Heartbeat } from '@offloop/worker/internal/engine/heartbeat.js';
import { expect } from 'chai';

describe('a heartbeat', () => {
  it('counts the time for which it stands still', () => {
    const heartbeat = new Heartbeat(500);
    expect(heartbeat.look(7, 1_000)).to.equal(0);
    expect(heartbeat.look(7, 1_500)).to.equal(500);
    expect(heartbeat.look(7, 2_010)).to.equal(1_010);
    expect(heartbeat.look(8, 2_510)).to.equal(0);
    expect(heartbeat.look(8, 3_010)).to.equal(500);
  });

  it('counts an interval for a look that came late: the watcher was held itself, and the thread perhaps with it', () => {
    const heartbeat = new Heartbeat(500);
    heartbeat.look(7, 0);
    expect(heartbeat.look(7, 750)).to.equal(750);
    expect(heartbeat.look(7, 1_501)).to.equal(1_250);
    expect(heartbeat.look(7, 3_600_000)).to.equal(1_750);
    expect(heartbeat.look(8, 7_200_000)).to.equal(0);
  });

  it('counts on where every look is late', () => {
    const heartbeat = new Heartbeat(500);
    heartbeat.look(7, 0);
    for (let look = 1; look <= 10; look++)
      expect(heartbeat.look(7, look * 900)).to.equal(look * 500);
  });

  it('takes any change for life, also a count that wraps', () => {
    const heartbeat = new Heartbeat(500);
    heartbeat.look(2 ** 31 - 1, 0);
    heartbeat.look(2 ** 31 - 1, 500);
    expect(heartbeat.look(-(2 ** 31), 1_000)).to.equal(0);
  });
});
