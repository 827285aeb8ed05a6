import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { threadTakesOver, until } from '../pool-threads.js';
import { type TestPool, useTestPools } from '../test-pool.js';
import { MISDEED_CELL, Misdeed } from '../threads/misdeeds.js';

describe('drainAtOnce() of a pool engine', function () {
  this.timeout(30_000);
  const startPool = useTestPools();

  it('drains before it returns, on a thread that is idle for a while', async () => {
    const { test, engine } = startPool();
    await threadTakesOver(test.segment);
    test.record(500);
    await delay(600);
    test.record(500);
    test.recorder.publishNow();
    expect(engine.drainAtOnce(10_000)).to.equal(true);
    test.expectAllAggregated();
  });

  it('drains before it returns while the thread boots, and once the engine is closed', async () => {
    const { test, engine } = startPool();
    test.record(500);
    test.recorder.publishNow();
    expect(engine.drainAtOnce(0)).to.equal(true);
    test.expectAllAggregated();
    await engine.close();
    expect(engine.drainAtOnce(0)).to.equal(true);
  });

  it('drains by itself where the thread does not answer in time', async () => {
    const { test, engine } = await misbehaving(Misdeed.loop);
    expect(engine.drainAtOnce(50)).to.equal(true);
    test.expectAllAggregated();
  });

  it('leaves what a thread that hangs in a batch may still write to, and says so', async () => {
    const { engine } = await misbehaving(Misdeed.loopInBatch);
    expect(engine.drainAtOnce(50)).to.equal(false);
  });

  async function misbehaving(misdeed: number): Promise<TestPool> {
    const pool = startPool();
    const { segment } = pool.test;
    await threadTakesOver(segment);
    pool.commit(misdeed).catch(() => {});
    await until(() => Atomics.load(segment.control, MISDEED_CELL) === 1, 'the thread misbehaves');
    pool.test.record(500);
    pool.test.recorder.publishNow();
    return pool;
  }
});
