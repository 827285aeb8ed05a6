import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { type Lease, takeLease } from '@offloop/core/engine';
import { enterBatch, leaveBatch } from '@offloop/core/internal/aggregate/lease.js';
import type { ChunkMessage } from '@offloop/worker/internal/thread/page-messages.js';
import * as thread from '@offloop/worker/internal/thread/thread.js';
import { expect } from 'chai';
import { chooseSeed, TestSegment } from '../../contract/test-segment.js';
import { until } from '../pool-threads.js';

/** The thread's tasks, called on this thread: what they do, without a pool around them. */
describe('the tasks of a pool thread', () => {
  let test: TestSegment;
  let standIn: Lease;
  /** Main's end, and the thread's. */
  let port: MessagePort;
  let threadPort: MessagePort;

  beforeEach(() => {
    ({ port1: port, port2: threadPort } = new MessageChannel());
    test = new TestSegment({ seed: chooseSeed() });
    standIn = takeLease(test.segment, false) as Lease;
  });
  // Whoever drains loses the lease, and stops.
  afterEach(() => {
    takeLease(test.segment, true);
    test.record(1);
    test.recorder.publish();
    expect(thread.flush()).to.equal(false);
    port.close();
  });

  const startTask = () => ({
    buffer: test.segment.buffer,
    standInLease: standIn,
    pollMs: 5,
    port: threadPort,
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

  it('send a page through the port, in shared memory that is used again when main says so', async () => {
    await thread.start(startTask());
    test.record(100);
    test.recorder.publish();
    const request = { families: test.families, includePipeline: true };
    const buffers: ArrayBufferLike[] = [];
    for (let pageId = 0; pageId < 3; pageId++) {
      const sent = once(port, 'message');
      expect(await thread.render({ pageId, request })).to.equal(true);
      const [{ chunkId, bytes, ...rest }] = (await sent) as [ChunkMessage];
      expect(rest).to.deep.include({ pageId, isLast: true, encoding: 'identity' });
      expect(Buffer.from(bytes).toString()).to.match(/^offloop_records_aggregated_total 100$/m);
      expect(bytes.buffer).to.be.instanceOf(SharedArrayBuffer);
      buffers.push(bytes.buffer);
      // Marked, as each message has a view of its own.
      new Uint8Array(bytes.buffer).fill(pageId + 1, bytes.buffer.byteLength - 1);
      if (pageId > 0) port.postMessage({ kind: 'release', chunkIds: [chunkId] });
      await delay(5);
    }
    const marks = buffers.map((buffer) => new Uint8Array(buffer).at(-1));
    expect(marks, 'of the first, which is not released, and twice of the second').to.deep.equal([
      1, 3, 3,
    ]);
  });

  it('answer nothing that they cannot drain for, once the lease is lost', async () => {
    await thread.start(startTask());
    takeLease(test.segment, true);
    test.record(1);
    test.recorder.publish();
    expect(thread.flush()).to.equal(false);
    const request = { families: [], includePipeline: true };
    expect(await thread.render({ pageId: 0, request })).to.equal(false);
  });
});
