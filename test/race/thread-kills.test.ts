import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { THREAD_RESTARTS } from '@offloop/core/internal/layout/control-block.js';
import { PoolEngine } from '@offloop/worker';
import { expect } from 'chai';
import {
  expectBalancedPage,
  expectNothingFell,
  expectUntorn,
  type Samples,
  scrape,
} from '../contract/scraped-page.js';
import { chooseSeed, randomFrom, TestSegment } from '../contract/test-segment.js';
import { ThreadKiller } from './thread-killer.js';

const seed = chooseSeed();
const KILLS = 200;
/** Records of one turn of the loop; large ones keep the drain at work, so that many deaths find it in a batch. */
const BURST_RECORDS_MAX = 20_000;
const CALLS_AT_A_TIME = 20;

describe(`a pool thread that is killed ${KILLS} times under load (seed ${seed})`, function () {
  this.timeout(240_000);

  it('loses no record, counts none twice, and lets no counter fall', async () => {
    const random = randomFrom(seed);
    const test = new TestSegment({ seed, capacityRecords: 65_536, seriesCount: 36 });
    const killer = new ThreadKiller(test.segment, random);
    const warnings: string[] = [];
    const warn = (_details: object, message: string) => warnings.push(message);
    const engine = PoolEngine.start({ ...test, logger: { warn, error: warn } });
    const scraper = new Scraper(() => scrape(engine, test));
    const startedMs = performance.now();
    let flushes = 0;
    let calls: Promise<unknown>[] = [];
    try {
      while (killer.deaths.total < KILLS) {
        test.record(Math.floor(random() * BURST_RECORDS_MAX));
        if (random() < 0.1) calls.push(scraper.scrape());
        if (random() < 0.1) {
          calls.push(engine.flush());
          flushes++;
        }
        if (calls.length >= CALLS_AT_A_TIME) {
          await Promise.all(calls);
          calls = [];
          test.expectBalancedBooks();
        }
        // Main leaves the processor now and then, or threads would take long to boot on a machine with two.
        await (random() < 0.5 ? turn() : delay(1));
        killer.strike();
      }
      killer.stop();
      await Promise.all(calls);
      test.record(1_000);
      test.recorder.publish();
      await engine.flush();
      test.expectAllAggregated();
      await scraper.scrape();
      expect(scraper.latest.get('offloop_records_aggregated_total')).to.equal(test.acceptedRecords);
      // The last thread is dead, and its successor may be on its way.
      expect(Atomics.load(test.segment.control, THREAD_RESTARTS), 'threads replaced').to.be.within(
        KILLS - 1,
        KILLS,
      );
    } finally {
      killer.stop();
      await engine.close();
    }
    test.expectAllAggregated();
    const minutes = (performance.now() - startedMs) / 60_000;
    console.log(
      `      ${JSON.stringify(killer.deaths)}, ${test.acceptedRecords} records, ${test.refusedRecords} dropped, ${scraper.pages} pages, ${flushes} flushes, ${Math.round(minutes * 60)} s`,
    );
    expect(killer.deaths.inBatch, 'deaths in a batch').to.be.above(5);
    expect(warnings.length, 'warnings').to.be.within(1, 1 + Math.ceil(minutes));
  });
});

/** Checks every page, and against those before it. */
class Scraper {
  pages = 0;
  latest: Samples = new Map();
  private readonly take: () => Promise<Samples>;

  constructor(take: () => Promise<Samples>) {
    this.take = take;
  }

  async scrape(): Promise<void> {
    // Pages under way at the same time may come in any order, so each is compared with what had come before it was asked for.
    const earlier = this.latest;
    const samples = await this.take();
    this.pages++;
    expectUntorn(samples);
    expectBalancedPage(samples);
    expectNothingFell(earlier, samples);
    this.latest = samples;
  }
}
