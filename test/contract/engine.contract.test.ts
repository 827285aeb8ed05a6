import { setImmediate as turn } from 'node:timers/promises';
import {
  type Engine,
  InlineEngine,
  type Recorder,
  type Segment,
  takeLease,
} from '@offloop/core/engine';
import { enterBatch } from '@offloop/core/internal/aggregate/lease.js';
import { PoolEngine } from '@offloop/worker';
import { expect } from 'chai';
import {
  leaseEpoch,
  OpenResources,
  threadTakesOver,
  useThreadList,
} from '../worker/pool-threads.js';
import {
  expectBalancedPage,
  expectNothingFell,
  expectUntorn,
  type Samples,
  scrape,
} from './scraped-page.js';
import { chooseSeed, TestSegment, type TestSegmentOptions } from './test-segment.js';

interface Parts {
  readonly segment: Segment;
  readonly recorder: Recorder;
}

const seed = chooseSeed();
const silent = { warn: () => {}, error: () => {} };

engineContract('inline', async ({ segment, recorder }) => new InlineEngine(segment, recorder));
engineContract('pool, whose thread boots', async (parts) => PoolEngine.start(parts));
engineContract('pool, whose thread drains', async (parts) => {
  const epoch = leaseEpoch(parts.segment);
  const engine = PoolEngine.start(parts);
  await threadTakesOver(parts.segment, epoch + 1);
  return engine;
});
engineContract('pool, whose threads cannot start', async (parts) =>
  PoolEngine.start({
    ...parts,
    threadFile: new URL('../worker/threads/throws-at-load.js', import.meta.url),
    logger: silent,
  }),
);

/** What every engine promises, whichever thread it works on. */
function engineContract(name: string, startEngine: (parts: Parts) => Promise<Engine>): void {
  describe(`an engine (${name}, seed ${seed})`, function () {
    this.timeout(20_000);
    const engines: Engine[] = [];
    const threads = useThreadList();

    afterEach(async () => {
      await Promise.all(engines.splice(0).map((engine) => engine.close()));
    });

    async function startFor(test: TestSegment): Promise<Engine> {
      const engine = await startEngine(test);
      engines.push(engine);
      return engine;
    }

    async function begin(
      options: TestSegmentOptions = {},
    ): Promise<{ test: TestSegment; engine: Engine }> {
      const test = new TestSegment({ seed, ...options });
      return { test, engine: await startFor(test) };
    }

    it('aggregates what was recorded, each record once', async () => {
      const { test, engine } = await begin();
      for (let burst = 0; burst < 50; burst++) {
        test.record(burst * 7);
        test.recorder.publish();
        await engine.flush();
        test.expectAllAggregated();
      }
    });

    it('aggregates records that were written before it started', async () => {
      const test = new TestSegment({ seed });
      test.record(700);
      test.recorder.publish();
      const engine = await startFor(test);
      await engine.flush();
      test.expectAllAggregated();
    });

    it('goes on where another engine has stopped', async () => {
      const { test, engine } = await begin();
      test.record(300);
      await engine.flush();
      test.record(300);
      await engine.close();
      const successor = await startFor(test);
      test.record(300);
      test.recorder.publish();
      await successor.flush();
      test.expectAllAggregated();
    });

    it('keeps the books balanced at any moment', async () => {
      const { test, engine } = await begin({ capacityRecords: 256 });
      for (let burst = 0; burst < 200; burst++) {
        test.record((burst * 31) % 300);
        test.expectBalancedBooks();
        if (burst % 3 === 0) await turn();
        test.expectBalancedBooks();
        if (burst % 17 === 0) await engine.flush();
      }
      await engine.flush();
      test.expectAllAggregated();
    });

    it('drops and counts the newest records when the ring is full and nobody drains', async () => {
      const { test } = await begin({ capacityRecords: 256 });
      await stall(test.segment);
      const backlog = test.recorder.backlog();
      expect(test.record(256 - backlog), 'accepted by the last free slots').to.equal(256 - backlog);
      expect(test.record(1), 'accepted by the full ring').to.equal(0);
      expect(test.record(99), 'accepted by the full ring').to.equal(0);
      expect(test.expectBalancedBooks().totals).to.include({
        droppedRecords: 100,
        backlogRecords: 256,
      });
    });

    it('includes everything published before flush()', async () => {
      const { test, engine } = await begin({ capacityRecords: 4096 });
      for (const count of [1, 63, 64, 65, 4000]) {
        test.record(count);
        test.recorder.publish();
        await engine.flush();
        test.expectAllAggregated();
      }
    });

    it('includes everything published before render()', async () => {
      const { test, engine } = await begin({ capacityRecords: 4096 });
      for (const count of [1, 63, 64, 65, 3000]) {
        test.record(count);
        test.recorder.publish();
        const samples = await scrape(engine, test);
        expect(samples.get('offloop_records_aggregated_total')).to.equal(test.acceptedRecords);
        expect(samples.get('offloop_backlog_records')).to.equal(0);
      }
    });

    it('answers many calls at a time', async () => {
      const { test, engine } = await begin();
      const pages = Array.from({ length: 40 }, async () => {
        test.record(20);
        test.recorder.publish();
        const acceptedRecords = test.acceptedRecords;
        await engine.flush();
        const samples = await scrape(engine, test);
        expect(samples.get('offloop_records_aggregated_total')).to.be.at.least(acceptedRecords);
        expectUntorn(samples);
      });
      await Promise.all(pages);
    });

    it('shows no torn page and no torn reading while it drains', async () => {
      const { test, engine } = await begin({ capacityRecords: 4096 });
      let earlier: Samples = new Map();
      for (let page = 0; page < 60; page++) {
        test.record(1500);
        test.recorder.publish();
        const later = scrape(engine, test);
        test.record(1500);
        test.recorder.publish();
        test.expectWhole(test.read());
        const samples = await later;
        expectUntorn(samples);
        expectBalancedPage(samples);
        expectNothingFell(earlier, samples);
        earlier = samples;
      }
    });

    it('resets nothing when it is scraped', async () => {
      const { test, engine } = await begin();
      test.record(500);
      test.recorder.publish();
      const first = await scrape(engine, test);
      const second = await scrape(engine, test);
      for (const [sample, value] of first) {
        if (sample.startsWith('test_')) expect(second.get(sample), sample).to.equal(value);
      }
      test.expectAllAggregated();
    });

    it('takes no more memory for ids that are no series, and counts what named them', async () => {
      const { test, engine } = await begin();
      const { byteLength } = test.segment.buffer;
      test.record(100);
      const { maxSeries } = test.segment.sizes;
      const damaged = [-1, maxSeries - 1, maxSeries, 2 ** 31 - 1, -(2 ** 31)];
      for (const id of damaged) test.recordDamaged(id);
      test.record(100);
      test.recorder.publish();
      await engine.flush();
      test.expectAllAggregated();
      expect(test.read().totals.unattributedRecords).to.equal(damaged.length);
      expect(test.segment.buffer.byteLength).to.equal(byteLength);
    });

    it('drains what is left when it is closed, and answers still', async () => {
      const { test, engine } = await begin();
      test.record(333);
      test.recorder.close();
      await engine.close();
      expect(engine.state).to.equal('closed');
      test.expectAllAggregated();
      await engine.flush();
      const samples = await scrape(engine, test);
      expect(samples.get('offloop_records_aggregated_total')).to.equal(333);
      expect(test.record(5), 'accepted after the close').to.equal(0);
      test.expectBalancedBooks();
    });

    it('finishes calls that are under way when it is closed', async () => {
      const { test, engine } = await begin();
      test.record(200);
      test.recorder.publish();
      const calls = [engine.flush(), scrape(engine, test), engine.flush(), scrape(engine, test)];
      await Promise.all([engine.close(), engine.close(), ...calls]);
      await engine.close();
      test.expectAllAggregated();
    });

    it('leaves no thread, timer, handle or listener behind when it is closed', async () => {
      await turn();
      const resources = new OpenResources();
      const listeners = countListeners();
      for (let round = 0; round < 5; round++) {
        const { test, engine } = await begin();
        test.record(100);
        test.recorder.publish();
        if (round % 2 === 0) await engine.flush();
        await engine.close();
        await turn();
      }
      await resources.areBack();
      expect(countListeners()).to.deep.equal(listeners);
      for (const thread of threads())
        expect(thread.threadId, 'a thread that has ended').to.equal(-1);
    });
  });
}

/** Takes the drain away from whoever has it, and stays in a batch: from here on nobody empties the ring. */
async function stall(segment: Segment): Promise<void> {
  for (;;) {
    const lease = takeLease(segment, false);
    if (lease !== undefined && enterBatch(segment, lease)) return;
    await turn();
  }
}

function countListeners(): Record<string, number> {
  const counts: Record<string, number> = {};
  const emitters = { process, stdout: process.stdout, stderr: process.stderr };
  for (const [name, emitter] of Object.entries(emitters)) {
    for (const event of emitter.eventNames()) {
      counts[`${name} ${String(event)}`] = emitter.listenerCount(event as never);
    }
  }
  return counts;
}
