import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { scrape } from '../../contract/scraped-page.js';
import { OpenResources, threadTakesOver, until, useThreadList } from '../pool-threads.js';
import { type TestPool, useTestPools } from '../test-pool.js';
import { LEASE_CELL, Misdeed } from '../threads/misdeeds.js';

/** What a close may take; a thread that runs is ended in milliseconds, and piscina alone would wait 30 s for one that hangs. */
const CLOSE_MS_MAX = 2_000;

describe('close() of a pool engine', function () {
  this.timeout(30_000);
  const startPool = useTestPools();
  const threads = useThreadList();

  const states: Record<string, () => Promise<TestPool> | TestPool> = {
    'right after its start': () => startPool(),
    'while its thread boots': async () => {
      const pool = startPool();
      await until(() => threads().length === 1, 'the thread is started');
      return pool;
    },
    'while its thread drains': running,
    'with calls under way': async () => {
      const pool = await running();
      for (let index = 0; index < 40; index++) {
        void pool.engine.flush();
        void scrape(pool.engine, pool.test);
      }
      return pool;
    },
    'with its thread killed just before': async () => {
      const pool = await running();
      void threads()[0]?.terminate();
      return pool;
    },
    'with its thread dead': async () => {
      const pool = await running();
      await threads()[0]?.terminate();
      return pool;
    },
    'while a thread is replaced': async () => {
      const pool = await running();
      await threads()[0]?.terminate();
      await until(() => threads().length === 2, 'the second thread is started');
      return pool;
    },
    'with its thread in a loop': () => misbehaving(Misdeed.loop),
    'with its thread in a loop in a batch': () => misbehaving(Misdeed.loopInBatch),
    'with its thread in Atomics.wait': () => misbehaving(Misdeed.wait),
    'with a thread that hangs while it boots': () => startPool({ threadFile: 'hangs-at-load' }),
    'with its next thread to be started later': async () => {
      const pool = startPool({ threadFile: 'throws-at-load' });
      await until(() => threads().length === 3, 'the third thread is started');
      await until(() => threads()[2]?.threadId === -1, 'the third thread is dead');
      return pool;
    },
    'when no thread could be started': async () => {
      const pool = startPool({ threadFile: 'throws-at-load' });
      await until(() => pool.warnings.length > 0, 'the engine gives up');
      return pool;
    },
  };

  for (const [when, reach] of Object.entries(states)) {
    it(`${when}: drains, and leaves no thread and no timer`, async () => {
      await turn();
      const resources = new OpenResources();
      const { test, engine } = await reach();
      test.record(200);
      const startedMs = performance.now();
      await Promise.all([engine.close(), engine.close()]);
      expect(performance.now() - startedMs, 'ms').to.be.below(CLOSE_MS_MAX);
      test.expectAllAggregated();
      expect(engine.state).to.equal('closed');
      await engine.close();
      for (const { threadId } of threads()) expect(threadId, 'of an ended thread').to.equal(-1);
      await resources.areBack();
      const threadCount = threads().length;
      expect((await scrape(engine, test)).get('offloop_backlog_records')).to.equal(0);
      expect(threads()).to.have.lengthOf(threadCount);
    });
  }

  it('drains everything although main is held right after it, for longer than a thread may take to end', async () => {
    // Ended in a batch: main may take the drain over only when it sees that the thread has exited.
    const { test, engine, warnings } = await misbehaving(Misdeed.loopInBatch);
    await until(() => (Atomics.load(test.segment.control, LEASE_CELL) & 1) === 1, 'a batch');
    test.record(200);
    // From here the loop comes to timers that are due before it comes to a thread's exit.
    await turn();
    const closing = engine.close();
    const heldUntilMs = performance.now() + 1_600;
    while (performance.now() < heldUntilMs);
    await closing;
    test.expectAllAggregated();
    expect(warnings).to.deep.equal([]);
  });

  async function running(): Promise<TestPool> {
    const pool = startPool();
    await threadTakesOver(pool.test.segment);
    pool.test.record(100);
    await pool.engine.flush();
    return pool;
  }

  async function misbehaving(misdeed: number): Promise<TestPool> {
    const pool = await running();
    void pool.commit(misdeed);
    // The page is on its way to the thread; a second one would follow it.
    for (let turns = 0; turns < 50; turns++) await turn();
    return pool;
  }
});
