import { setImmediate as turn } from 'node:timers/promises';
import { isOffloopError } from '@offloop/core';
import { PoolEngine } from '@offloop/worker';
import { expect } from 'chai';
import { chooseSeed, TestSegment } from '../../contract/test-segment.js';
import { threadTakesOver, until, useThreadList } from '../pool-threads.js';
import { useTestPools } from '../test-pool.js';
import { Misdeed } from '../threads/misdeeds.js';

describe('a pool engine', function () {
  this.timeout(30_000);
  const startPool = useTestPools();
  const threads = useThreadList();

  it('drains while main is blocked, and is not taken for hung afterwards', async () => {
    const { test, engine, restarts } = startPool({ capacityRecords: 65_536 });
    await threadTakesOver(test.segment);
    await engine.flush();
    test.record(60_000);
    test.recorder.publish();
    blockMainMs(2_500);
    expect(test.recorder.backlog(), 'backlog when main returns').to.equal(0);
    test.expectAllAggregated();
    blockMainMs(2_500);
    await engine.flush();
    blockMainMs(600);
    await engine.flush();
    expect(restarts()).to.equal(0);
    expect(test.refusedRecords).to.equal(0);
  });

  it('drains while main is blocked since it started', async () => {
    const { test } = startPool({ capacityRecords: 65_536 });
    test.record(60_000);
    test.recorder.publish();
    const deadlineMs = performance.now() + 10_000;
    while (test.recorder.backlog() > 0 && performance.now() < deadlineMs);
    test.expectAllAggregated();
  });

  it('publishes the tail of a burst within a second', async () => {
    const { test, engine } = startPool();
    await threadTakesOver(test.segment);
    await engine.flush();
    test.record(64 + 5);
    await until(() => test.recorder.backlog() === 0, 'the tail is aggregated', 1_000);
  });

  it('drops nothing in a burst of more records than the ring holds while its thread boots', async () => {
    const { test, engine } = startPool({ capacityRecords: 256 });
    test.record(5_000);
    expect(test.refusedRecords).to.equal(0);
    await engine.flush();
    test.expectAllAggregated();
  });

  it('does not notice another one in the process', async () => {
    const first = startPool();
    const second = startPool();
    await threadTakesOver(first.test.segment);
    await threadTakesOver(second.test.segment);
    first.test.record(100);
    second.test.record(200);
    const next = first.nextThreadDrains();
    await first.commit(Misdeed.exit);
    await next;
    await second.engine.flush();
    second.test.expectAllAggregated();
    expect(second.restarts()).to.equal(0);
    await second.engine.close();
    first.test.record(100);
    await first.engine.flush();
    first.test.expectAllAggregated();
    expect(first.engine.state).to.equal('running');
    expect(first.restarts()).to.equal(1);
  });

  it('keeps its head where the application fakes its timers', async () => {
    const { setInterval, setTimeout } = globalThis;
    const now = performance.now;
    let fakedMs = 0;
    Object.assign(globalThis, { setInterval: refuse, setTimeout: refuse });
    performance.now = () => {
      fakedMs += 3_600_000;
      return fakedMs;
    };
    const { test, engine, restarts } = startPool();
    try {
      await engine.flush();
      const endMs = now.call(performance) + 1_500;
      while (now.call(performance) < endMs) await turn();
    } finally {
      Object.assign(globalThis, { setInterval, setTimeout });
      performance.now = now;
    }
    test.record(100);
    await engine.flush();
    test.expectAllAggregated();
    expect(restarts()).to.equal(0);
    expect(threads()).to.have.lengthOf(1);
  });

  it('refuses a missing thread file and a poll that is out of range, and starts nothing', () => {
    const { segment, recorder } = new TestSegment({ seed: chooseSeed() });
    const refusal = (options: object): unknown => {
      try {
        PoolEngine.start({ segment, recorder, ...options });
      } catch (error) {
        return error;
      }
      return undefined;
    };
    const missing = refusal({ threadFile: '/nowhere/thread.js' });
    expect(isOffloopError(missing, 'OFFLOOP_ERR_THREAD_START')).to.equal(true);
    expect((missing as Error).message)
      .to.match(/threadFile/)
      .and.to.match(/\/nowhere\/thread\.js/);
    for (const pollMs of [0, -1, 501, Number.NaN]) {
      const error = refusal({ pollMs });
      expect(isOffloopError(error, 'OFFLOOP_ERR_OPTION_RANGE'), `pollMs ${pollMs}`).to.equal(true);
      expect((error as Error).message).to.match(/pollMs/);
    }
    expect(threads()).to.have.lengthOf(0);
  });
});

function refuse(): never {
  throw new Error('a faked timer was used');
}

function blockMainMs(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}
