import { takeLease } from '@offloop/core/engine';
import { COMMIT_STATE } from '@offloop/core/internal/layout/control-block.js';
import { expect } from 'chai';
import { chooseSeed, randomFrom, type SegmentReading } from '../contract/test-segment.js';
import { useFullSpeedThreads } from './full-speed-thread.js';

const seed = chooseSeed();
/** Readings that saw another batch than the one before: takes a second where reader and thread have a core each. */
const CHANGES_WANTED = 2_000;
/** A tenth of all deaths hit a batch that is being applied. */
const HALF_APPLIED_WANTED = 2;
const DEATHS_MAX = 100;

describe(`a reader of a segment that another thread drains at full speed (seed ${seed})`, function () {
  this.timeout(120_000);
  const startThread = useFullSpeedThreads();

  it('sees every batch whole, and never an older one', async () => {
    // Few series, so that a reading takes less time than a batch and most of them succeed at last.
    const { thread, reader } = await startThread({ seed, seriesCount: 2, capacityRecords: 4096 });
    let readings = 0;
    let changes = 0;
    let before: SegmentReading = reader.read();
    while (changes < CHANGES_WANTED) {
      const reading = reader.read();
      reader.expectWhole(reading);
      expectNotOlder(before, reading);
      readings++;
      if (reading.totals.batches !== before.totals.batches) changes++;
      before = reading;
    }
    await thread.terminate();
    console.log(
      `      ${readings} readings of ${changes} batches, out of ${before.totals.batches}`,
    );
  });

  it('sees a batch whole that a dead thread left half applied', async () => {
    const random = randomFrom(seed);
    let deaths = 0;
    let halfApplied = 0;
    for (; deaths < DEATHS_MAX && halfApplied < HALF_APPLIED_WANTED; deaths++) {
      const { thread, segment, reader } = await startThread({
        seed: seed + deaths,
        // Many series, so that a batch has thousands of entries to apply.
        seriesCount: 120,
        capacityRecords: 4096,
      });
      const state = () => Atomics.load(segment.control, COMMIT_STATE);
      const dyingAt = 20 + random() * 500;
      while (state() < dyingAt) {}
      await thread.terminate();
      const stateLeft = state();
      if (stateLeft % 2 === 1) halfApplied++;
      const reading = reader.read();
      reader.expectWhole(reading);
      const numbers = JSON.stringify(reading);
      expect(JSON.stringify(reader.read()), 'a second reading').to.equal(numbers);
      expect(state(), 'state after reading').to.equal(stateLeft);
      // The repair changes nothing that a reader saw.
      expect(takeLease(segment, true)).not.to.equal(undefined);
      expect(state() % 2, 'state once repaired').to.equal(0);
      expect(JSON.stringify(reader.read()), 'once repaired').to.equal(numbers);
    }
    console.log(`      ${halfApplied} of ${deaths} threads died while they applied a batch`);
    expect(halfApplied).to.equal(HALF_APPLIED_WANTED);
  });
});

function expectNotOlder(before: SegmentReading, reading: SegmentReading): void {
  expect(reading.totals.batches).to.be.at.least(before.totals.batches);
  for (const [index, series] of reading.series.entries()) {
    const earlier = before.series[index] as (typeof before.series)[number];
    if (series.sum < earlier.sum) expect.fail(`the sum of series ${index} fell`);
    for (const [bucket, count] of series.counts.entries()) {
      if (count < (earlier.counts[bucket] as number)) {
        expect.fail(`bucket ${bucket} of series ${index} fell`);
      }
    }
  }
}
