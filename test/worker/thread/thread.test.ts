import { setTimeout as delay } from 'node:timers/promises';
import { type Lease, type Page, takeLease } from '@offloop/core/engine';
import { enterBatch, leaveBatch } from '@offloop/core/internal/aggregate/lease.js';
import * as thread from '@offloop/worker/internal/thread/thread.js';
import { expect } from 'chai';
import { chooseSeed, TestSegment } from '../../contract/test-segment.js';
import { until } from '../pool-threads.js';

/** The thread's tasks, called on this thread: what they do, without a pool around them. */
describe('the tasks of a pool thread', () => {
  let test: TestSegment;
  let standIn: Lease;

  beforeEach(() => {
    test = new TestSegment({ seed: chooseSeed() });
    standIn = takeLease(test.segment, false) as Lease;
  });
  // Whoever drains loses the lease, and stops.
  afterEach(() => {
    takeLease(test.segment, true);
    test.record(1);
    test.recorder.publish();
    expect(thread.flush()).to.equal(false);
  });

  const startTask = () => ({
    buffer: test.segment.buffer,
    standInLease: standIn,
    pollMs: 5,
  });

  it('take the drain over from the stand-in, and leave it running', async () => {
    test.record(100);
    test.recorder.publish();
    expect(await thread.start(startTask())).to.equal(true);
    await until(() => test.recorder.backlog() === 0, 'the first poll');
    test.record(100);
    test.recorder.publish();
    await until(() => test.recorder.backlog() === 0, 'another poll');
    test.expectAllAggregated();
  });

  it('wait for a batch of the stand-in', async () => {
    enterBatch(test.segment, standIn);
    const started = thread.start(startTask());
    await delay(10);
    leaveBatch(test.segment, standIn);
    expect(await started).to.equal(true);
  });

  it('do not take what the stand-in no longer has', async () => {
    const successor = takeLease(test.segment, false);
    expect(await thread.start(startTask())).to.equal(false);
    expect(takeLease(test.segment, false)?.epoch).to.equal((successor?.epoch ?? 0) + 1);
  });

  it('do not wait for ever for a stand-in that stays in its batch', async () => {
    enterBatch(test.segment, standIn);
    expect(await thread.start(startTask())).to.equal(false);
  });

  it('give a page away with its bytes, and under its own names', async () => {
    await thread.start(startTask());
    test.record(100);
    test.recorder.publish();
    const request = { families: test.families, includePipeline: true };
    const moved = (await thread.render(request)) as Page & Record<symbol, unknown>;
    expect(Buffer.from(moved.bytes).toString()).to.match(/^offloop_records_aggregated_total 100$/m);
    expect(moved[Symbol.for('Piscina.transferable')]).to.deep.equal([moved.bytes.buffer]);
    expect(moved[Symbol.for('Piscina.valueOf')]).to.deep.include({
      bytes: moved.bytes,
      renderMs: moved.renderMs,
    });
  });

  it('answer nothing that they cannot drain for, once the lease is lost', async () => {
    await thread.start(startTask());
    takeLease(test.segment, true);
    test.record(1);
    test.recorder.publish();
    expect(thread.flush()).to.equal(false);
    expect(await thread.render({ families: [], includePipeline: true })).to.equal(undefined);
  });
});
