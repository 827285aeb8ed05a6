import { takeLease } from '@offloop/core/engine';
import { COMMIT_STATE } from '@offloop/core/internal/layout/control-block.js';
import { expect } from 'chai';
import { chooseSeed, randomFrom, type SegmentReading } from '../contract/test-segment.js';
import { useFullSpeedThreads } from './full-speed-thread.js';

const seed = chooseSeed();
const READING_MS = 3_000;
/** On a busy machine the two threads take turns by the scheduler's slices, and race less often: then it reads for longer. */
const READING_MS_MAX = 60_000;
const RACES_WANTED = 1_000;
/** A tenth of all deaths hit a batch that is being applied. */
const HALF_APPLIED_WANTED = 3;
const DEATHS_MAX = 200;

describe(`a reader of a segment that another thread drains at full speed (seed ${seed})`, function () {
  this.timeout(90_000);
  const startThread = useFullSpeedThreads();

  it('sees every batch whole, and never an older one', async () => {
    // Few series, so that a reading takes less time than a batch and most of them succeed at last.
    const { thread, reader } = await startThread({ seed, seriesCount: 2, capacityRecords: 4096 });
    let readings = 0;
    let changes = 0;
    let before: SegmentReading = reader.read();
    const startedMs = performance.now();
    const elapsedMs = () => performance.now() - startedMs;
    while (elapsedMs() < READING_MS || (changes < RACES_WANTED && elapsedMs() < READING_MS_MAX)) {
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
    expect(changes, 'readings that raced a batch').to.be.at.least(RACES_WANTED);
  });

  it('sees a batch whole that a dead thread left half applied', async () => {
    const random = randomFrom(seed);
    let deaths = 0;
    let halfApplied = 0;
    for (; deaths < DEATHS_MAX && halfApplied < HALF_APPLIED_WANTED; deaths++) {
      const { thread, segment, reader } = await startThread({
        seed: seed + deaths,
        // Many series, so that a batch has thousands of entries to apply.
        seriesCount: 200,
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
      expect(reader.read(), 'a second reading').to.deep.equal(reading);
      expect(state(), 'state after reading').to.equal(stateLeft);
      // The repair changes nothing that a reader saw.
      expect(takeLease(segment, true)).not.to.equal(undefined);
      expect(state() % 2, 'state once repaired').to.equal(0);
      expect(reader.read(), 'once repaired').to.deep.equal(reading);
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
