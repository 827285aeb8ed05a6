import { setImmediate as turn } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { type Page, takeLease } from '@offloop/core/engine';
import { LEASE } from '@offloop/core/internal/layout/control-block.js';
import { expect } from 'chai';
import { scrape } from '../../contract/scraped-page.js';
import { leaseEpoch, threadEnds, threadTakesOver, until, useThreadList } from '../pool-threads.js';
import { useTestPools } from '../test-pool.js';
import { LEASE_CELL, Misdeed } from '../threads/misdeeds.js';

/** A thread must be still for 2 s before it is taken for hung; the rest is for a machine that has other things to do. */
const HUNG_MS_MAX = 8_000;

describe('a pool engine whose thread', function () {
  this.timeout(30_000);
  const startPool = useTestPools();
  const threads = useThreadList();

  before(() => expect(LEASE_CELL, 'what misbehaving.ts takes for the lease').to.equal(LEASE));

  for (const [what, misdeed] of [
    ['hangs in a loop', Misdeed.loop],
    ['hangs in a loop in the middle of a batch', Misdeed.loopInBatch],
    ['hangs in Atomics.wait', Misdeed.wait],
  ] as const) {
    it(`${what}: replaces it, and answers every call`, async () => {
      const { test, engine, restarts, commit, warnings } = startPool();
      await threadTakesOver(test.segment);
      test.record(500);
      const startedMs = performance.now();
      const page = commit(misdeed);
      test.record(500);
      await engine.flush();
      test.expectAllAggregated();
      expect(textOf(await page)).to.match(/^offloop_records_aggregated_total 1000$/m);
      expect(performance.now() - startedMs).to.be.below(HUNG_MS_MAX);
      await until(() => engine.state === 'running', 'the next thread drains');
      test.record(500);
      test.recorder.publish();
      await engine.flush();
      test.expectAllAggregated();
      expect(restarts()).to.equal(1);
      expect(warnings).to.have.lengthOf(1);
      expect(warnings[0]?.message).to.match(/did not look at the ring/);
      expect(warnings[0]?.details['code']).to.equal('OFFLOOP_ERR_THREAD_LOST');
    });
  }

  it('is held in a batch by native code: refuses calls until it has exited, and loses nothing', async () => {
    const { test, engine, commit, warnings } = startPool();
    await threadTakesOver(test.segment);
    test.record(500);
    const page = commit(Misdeed.sleepInBatch);
    page.catch(() => {});
    await until(() => engine.state === 'degraded', 'the engine has given it up', HUNG_MS_MAX);
    test.record(500);
    // No thread is launched, whose exit would be taken for that of this one.
    const refusal = await engine.flush().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect((refusal as { code?: string } | undefined)?.code).to.equal('OFFLOOP_ERR_THREAD_LOST');
    expect(threads()).to.have.lengthOf(1);
    await until(() => engine.state === 'running', 'the next thread drains', 2 * HUNG_MS_MAX);
    await engine.flush();
    test.expectAllAggregated();
    expect(warnings.map(({ details }) => details['code'])).to.deep.equal([
      'OFFLOOP_ERR_THREAD_LOST',
    ]);
  });

  for (const [what, misdeed, reason] of [
    ['calls process.exit', Misdeed.exit, /exit code 3/],
    ['throws where nobody catches', Misdeed.throwLater, /RangeError: an error that nobody catches/],
  ] as const) {
    it(`${what}: replaces it, and loses nothing`, async () => {
      const { test, engine, restarts, nextThreadDrains, commit, warnings } = startPool();
      await threadTakesOver(test.segment);
      test.record(500);
      const next = nextThreadDrains();
      expect(textOf(await commit(misdeed))).to.match(/^offloop_records_aggregated_total 500$/m);
      await next;
      test.record(500);
      await engine.flush();
      test.expectAllAggregated();
      expect(restarts()).to.equal(1);
      expect(warnings.map(({ message }) => message).join()).to.match(reason);
      const samples = await scrape(engine, test);
      expect(samples.get('offloop_thread_restarts_total')).to.equal(1);
    });
  }

  it('runs out of heap: replaces it, and loses nothing', async () => {
    const { test, engine, restarts, nextThreadDrains, commit, warnings } = startPool({
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    });
    await threadTakesOver(test.segment);
    test.record(500);
    const next = nextThreadDrains();
    await commit(Misdeed.exhaustHeap);
    await next;
    test.record(500);
    await engine.flush();
    test.expectAllAggregated();
    expect(restarts()).to.equal(1);
    expect(warnings.map(({ message }) => message).join()).to.match(/memory limit/);
  });

  it('throws in a task: replaces it, and answers the call', async () => {
    const { test, engine, restarts, nextThreadDrains, commit, warnings } = startPool();
    await threadTakesOver(test.segment);
    test.record(100);
    const next = nextThreadDrains();
    const page = await commit(Misdeed.throwInTask);
    expect(textOf(page)).to.match(/^offloop_records_aggregated_total 100$/m);
    await next;
    test.record(100);
    await engine.flush();
    test.expectAllAggregated();
    expect(restarts()).to.equal(1);
    expect(warnings.map(({ message }) => message).join()).to.match(
      /RangeError: a task that throws/,
    );
  });

  it('is killed while it boots: replaces it', async () => {
    const { test, engine, restarts } = startPool();
    test.record(100);
    await until(() => threads().length === 1, 'the first thread is started');
    await threads()[0]?.terminate();
    await threadTakesOver(test.segment, 2);
    test.record(100);
    await engine.flush();
    test.expectAllAggregated();
    expect(restarts()).to.equal(1);
    expect(engine.state).to.equal('running');
  });

  it('is killed with calls under way: answers each, once its drain is taken over', async () => {
    const { test, engine, restarts, nextThreadDrains } = startPool();
    await threadTakesOver(test.segment);
    await engine.flush();
    test.record(700);
    const next = nextThreadDrains();
    // More than piscina hands to a thread at a time, so that some wait in its queue.
    const calls = Array.from({ length: 60 }, (_, index) =>
      index % 2 === 0 ? engine.flush() : scrape(engine, test),
    );
    void threads()[0]?.terminate();
    for (const call of calls) {
      const samples = await call;
      if (samples) expect(samples.get('offloop_records_aggregated_total')).to.equal(700);
    }
    test.expectAllAggregated();
    await next;
    expect(restarts()).to.equal(1);
    expect(threads(), 'threads in all').to.have.lengthOf(2);
  });

  it('loses its lease to a foreign hand: replaces it', async () => {
    const { test, engine, restarts, nextThreadDrains } = startPool();
    await threadTakesOver(test.segment);
    await engine.flush();
    const next = nextThreadDrains();
    while (takeLease(test.segment, false) === undefined) await turn();
    test.record(300);
    await engine.flush();
    test.expectAllAggregated();
    await next;
    expect(restarts()).to.equal(1);
  });

  it('dies again and again: starts no more than a few a second', async () => {
    const { test, engine, restarts } = startPool();
    const startedMs = performance.now();
    for (let kills = 0; kills < 16; kills++) {
      await until(() => threads().length > kills, 'the next thread is started');
      await threadTakesOver(test.segment, 1 + 2 * kills);
      test.record(10);
      const thread = threads()[kills] as Worker;
      void thread.terminate();
      await threadEnds(thread);
    }
    await until(() => restarts() === 16, 'the last is replaced');
    expect(performance.now() - startedMs, 'ms of 16 restarts').to.be.above(8 * 250);
    test.record(10);
    await engine.flush();
    test.expectAllAggregated();
    expect(leaseEpoch(test.segment)).to.be.at.least(33);
  });
});

describe('a pool engine whose threads cannot start', function () {
  this.timeout(30_000);
  const startPool = useTestPools();
  const threads = useThreadList();

  it('has an ES module imported: one that is ended while it is required takes the process along', async () => {
    const { warnings } = startPool({ threadFile: 'tells-how-it-is-loaded' });
    await until(() => warnings.length > 0, 'the engine gives up');
    expect(warnings[0]?.message).to.match(/by import$/);
  });

  for (const [threadFile, reason] of [
    ['throws-at-load', /this thread file cannot be loaded/],
    ['exits-at-load', /exit code 0/],
    ['without-tasks', /No handler function exported/],
  ] as const) {
    it(`(${threadFile}) works inline for good, and says so once`, async () => {
      const { test, engine, warnings, restarts } = startPool({ threadFile });
      expect(engine.state).to.equal('running');
      test.record(300);
      await engine.flush();
      test.expectAllAggregated();
      await until(() => warnings.length > 0, 'the engine gives up');
      expect(threads(), 'threads tried').to.have.lengthOf(5);
      expect(restarts()).to.equal(4);
      expect(engine.state).to.equal('degraded');
      expect(warnings[0]).to.deep.include({ level: 'warn' });
      expect(warnings[0]?.details['code']).to.equal('OFFLOOP_ERR_THREAD_START');
      expect(warnings[0]?.message)
        .to.match(/inline/)
        .and.to.match(reason);
      test.record(10_000);
      expect(test.refusedRecords, 'records dropped by a ring of 1024').to.equal(0);
      await engine.flush();
      test.expectAllAggregated();
      expect((await scrape(engine, test)).get('offloop_records_aggregated_total')).to.equal(10_300);
      // Nobody reads, and still records are drained.
      test.record(100);
      await until(() => test.recorder.backlog() === 0, 'the backlog is drained by itself', 3_000);
      expect(threads(), 'threads tried').to.have.lengthOf(5);
      expect(warnings).to.have.lengthOf(1);
    });
  }

  it('(hangs-at-load) answers meanwhile, and notices', async () => {
    const { test, engine, restarts } = startPool({ threadFile: 'hangs-at-load' });
    for (let round = 0; round < 10; round++) {
      test.record(2_000);
      await engine.flush();
      test.expectAllAggregated();
    }
    expect(engine.state).to.equal('running');
    await until(() => restarts() === 1, 'the first thread is given up');
    test.record(2_000);
    await engine.flush();
    test.expectAllAggregated();
    expect(engine.state).to.equal('degraded');
  });
});

function textOf({ bytes }: Page): string {
  return Buffer.from(bytes).toString('utf8');
}
