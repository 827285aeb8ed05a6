import { Drain, type Lease, type Segment, takeLease } from '@offloop/core/engine';
import { COMMIT_STATE, LEASE } from '@offloop/core/internal/layout/control-block.js';
import { expect } from 'chai';
import { chooseSeed, randomFrom, TestSegment } from '../contract/test-segment.js';
import { copySegment, dies, withTappedSegment } from './tapped-segment.js';

const seed = chooseSeed();

describe(`a consumer that dies around any store of a batch (seed ${seed})`, function () {
  this.timeout(120_000);

  it('leaves a batch that its successor makes whole, or one that never was', () => {
    const { test, begun, beforeRecords, stores } = prepare();
    const seen = { 'batch lost its staging': 0, 'batch committed, not applied': 0, applied: 0 };
    for (let dyingAt = 0; dyingAt < stores.length; dyingAt++) {
      const where = `death ${stores[dyingAt]}`;
      const segment = copySegment(begun);
      expect(dieAt(segment, dyingAt), where).to.equal(true);
      const isInBatch = (Atomics.load(segment.control, LEASE) & 1) === 1;
      const isCommitted = (Atomics.load(segment.control, COMMIT_STATE) & 1) === 1;
      const onCopy = test.on(segment);

      // A reader comes first: nobody has repaired anything yet.
      const reading = onCopy.read();
      onCopy.expectWhole(reading);
      const { aggregatedRecords } = reading.totals;
      expect(aggregatedRecords, where).to.be.oneOf([beforeRecords, test.acceptedRecords]);
      if (isCommitted) seen['batch committed, not applied']++;
      else if (aggregatedRecords === beforeRecords) seen['batch lost its staging']++;
      else seen.applied++;

      if (isInBatch) {
        expect(takeLease(segment, false), `${where}: may still run`).to.equal(undefined);
      }
      succeed(segment);
      onCopy.expectAllAggregated();
    }
    // Each phase was met, or the test does not test what it says.
    for (const [phase, times] of Object.entries(seen)) expect(times, phase).to.be.at.least(3);
  });

  it('may be followed by successors that die as well', () => {
    const { test, begun, stores } = prepare();
    const random = randomFrom(seed);
    for (let dyingAt = 0; dyingAt < stores.length; dyingAt++) {
      const segment = copySegment(begun);
      dieAt(segment, dyingAt);
      // Taking the lease repairs, draining comes after it; a successor may die in either.
      for (let deaths = 0; deaths < 3; deaths++) {
        const stopAt = Math.floor(random() * stores.length);
        const onCopy = test.on(segment);
        dieSucceeding(segment, stopAt);
        onCopy.expectWhole(onCopy.read());
      }
      succeed(segment);
      test.on(segment).expectAllAggregated();
    }
  });

  it('may wake up late, and changes nothing then', () => {
    const { test, begun } = prepare();
    const first = takeLease(begun, false) as Lease;
    const late = new Drain(begun, first);
    succeed(begun);
    test.record(50);
    test.recorder.publish();
    expect(late.drainBatch()).to.equal(undefined);
    expect(late.drainAll()).to.equal(false);
    expect(test.read().totals.backlogRecords).to.equal(50);
    succeed(begun);
    test.expectAllAggregated();
  });
});

/** A segment with a batch behind it, so that entries have values to go wrong from, and another in its ring. */
function prepare() {
  const test = new TestSegment({ seed, capacityRecords: 256, seriesCount: 2 });
  test.record(90);
  test.recorder.publish();
  succeed(test.segment);
  const beforeRecords = test.acceptedRecords;
  test.record(60);
  test.recorder.publish();
  const begun = test.segment;
  const stores: string[] = [];
  const rehearsal = copySegment(begun);
  withTappedSegment(
    rehearsal,
    (what) => {
      stores.push(what);
    },
    drainOnce,
  );
  expect(test.on(rehearsal).read().totals.aggregatedRecords).to.equal(test.acceptedRecords);
  return { test, begun, beforeRecords, stores };
}

/** Drains one batch, and dies around the store of that number. @returns Whether it came so far. */
function dieAt(segment: Segment, storeIndex: number): boolean {
  return dies(segment, storeIndex, drainOnce);
}

/** Takes the lease of a dead holder, drains, and dies around the store of that number, if it comes so far. */
function dieSucceeding(segment: Segment, storeIndex: number): boolean {
  return dies(segment, storeIndex, succeed);
}

function drainOnce(segment: Segment): void {
  const lease = { epoch: Atomics.load(segment.control, LEASE) >> 1 };
  new Drain(segment, lease).drainBatch();
}

function succeed(segment: Segment): void {
  const lease = takeLease(segment, true);
  expect(lease, 'lease of a dead holder').not.to.equal(undefined);
  expect(new Drain(segment, lease as Lease).drainAll(), 'successor has the lease').to.equal(true);
}
