import { Drain, type Lease, type Segment, takeLease } from '@offloop/core/engine';
import { LEASE } from '@offloop/core/internal/layout/control-block.js';
import { expect } from 'chai';
import { CounterRig } from '../core/aggregate/counter-rig.js';
import { WindowRig } from '../core/aggregate/window-rig.js';
import { copySegment, dies, withTappedSegment } from './tapped-segment.js';

/** A ring in which slices begin, in a window that has been full for long: each takes the oldest one's place. */
function prepare(): WindowRig {
  const rig = new WindowRig({ slices: 2, sliceTicks: 3 });
  const series = [rig.addSeries(rig.family), rig.addSeries(rig.family)];
  const traffic = (): void => {
    for (const [index, id] of series.entries()) {
      rig.observe(id, 0.125 * (index + 1));
      rig.observe(id, 8);
    }
    rig.advance(300);
  };
  for (let slice = 0; slice < 5; slice++) traffic();
  rig.drainAll();
  for (let slice = 0; slice < 2; slice++) traffic();
  for (const id of series) rig.observe(id, 2);
  rig.recorder.publish();
  return rig;
}

function drainBatches(segment: Segment): void {
  const lease = { epoch: Atomics.load(segment.control, LEASE) >> 1 };
  new Drain(segment, lease).drainAll();
}

function succeed(segment: Segment): void {
  const lease = takeLease(segment, true);
  expect(lease, 'lease of a dead holder').not.to.equal(undefined);
  expect(new Drain(segment, lease as Lease).drainAll()).to.equal(true);
}

/** What the batches of a ring store, in order. */
function storesOf(segment: Segment): string[] {
  const stores: string[] = [];
  withTappedSegment(copySegment(segment), (what) => stores.push(what), drainBatches);
  return stores;
}

function expectExactAfterAnyDeath(
  rig: { readonly segment: Segment; expectExact(segment: Segment): void },
  stores: readonly string[],
): void {
  for (const [dyingAt, where] of stores.entries()) {
    const segment = copySegment(rig.segment);
    expect(dies(segment, dyingAt, drainBatches), where).to.equal(true);
    succeed(segment);
    rig.expectExact(segment);
  }
}

describe('a consumer that dies around any store while slices of a window begin', function () {
  this.timeout(60_000);

  it('leaves a window that its successor makes exact', () => {
    const rig = prepare();
    const stores = storesOf(rig.segment);
    expect(stores.filter((what) => what.includes('liveCells')).length).to.be.at.least(100);
    expectExactAfterAnyDeath(rig, stores);
  });

  it('leaves the window of a counter that its successor makes exact', () => {
    const rig = new CounterRig({ slices: 2, sliceTicks: 3 });
    const traffic = (): void => {
      for (const id of rig.series) rig.increase(id, 3);
      rig.advance(300);
    };
    for (let slice = 0; slice < 5; slice++) traffic();
    rig.drainAll();
    for (let slice = 0; slice < 3; slice++) traffic();
    rig.recorder.publish();
    const stores = storesOf(rig.segment);
    expectExactAfterAnyDeath(rig, stores);
  });
});
