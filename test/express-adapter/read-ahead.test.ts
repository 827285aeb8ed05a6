import { setTimeout } from 'node:timers/promises';
import type { Segment } from '@offloop/core/engine';
import { TOTAL_BATCHES } from '@offloop/core/internal/layout/aggregates.js';
import * as layout from '@offloop/core/internal/layout/read-ahead.js';
import { Metrics, Pipeline, Registry, recordHttpRequest } from '@offloop/express';
import { expect } from 'chai';
import { threadTakesOver } from '../worker/pool-threads.js';

/** Most are; but a batch may come in the moment before one, and the machine have other things to do. */
const TAKEN_WANTED = 10;

describe('getSnapshot() with a pool', function () {
  this.timeout(30_000);
  let metrics: Metrics;
  let segment: Segment;

  before(() => {
    const pipeline = new Pipeline();
    const register = new Registry(pipeline);
    // Without the samples of the loop's lag, so that nothing is recorded but by the test.
    metrics = new Metrics(
      { pipeline, register },
      { engine: 'pool', eventLoop: { enabled: false } },
    );
    ({ segment } = pipeline.producer);
  });
  after(() => metrics.close());

  const request = () => recordHttpRequest({ method: 'GET', route: '/a', metrics }, () => undefined);
  const isAhead = () =>
    segment.readAhead[layout.BATCHES] !== 0 &&
    segment.readAhead[layout.BATCHES] === segment.aggregates[TOTAL_BATCHES];
  /** Has what is read ahead say something that nobody reads anywhere else, and looks for it. */
  const isTaken = () => {
    segment.readAhead[layout.ROWS + layout.ROW_QUANTILES] = 123;
    return metrics.getSnapshot().routes[0]?.p50LatencyMs === 123_000;
  };

  it('has nothing read ahead before the first one', async () => {
    // The drain was inline first, and then the stand-in's.
    await threadTakesOver(segment, 2);
    request();
    await metrics.flush();
    expect(isAhead()).to.equal(false);
    expect(metrics.getSnapshot().totalRequests).to.equal(1);
  });

  it('takes what the thread has read when it was told to flush', async () => {
    request();
    await metrics.flush();
    expect(isAhead()).to.equal(true);
    expect(isTaken()).to.equal(true);
    request();
    await metrics.flush();
    expect(metrics.getSnapshot()).to.deep.include({ totalRequests: 3 });
  });

  for (const everyMs of [20, 400]) {
    it(`takes what the thread has read by the time, where it is read every ${everyMs} ms under load`, async () => {
      // So many that the thread does not take the service for idle.
      const traffic = setInterval(() => {
        for (let count = 0; count < 20; count++) request();
      }, 5);
      try {
        // Ends by the test's limit of time.
        for (let taken = 0; taken < TAKEN_WANTED; ) {
          await setTimeout(everyMs);
          if (isTaken()) taken++;
        }
      } finally {
        clearInterval(traffic);
      }
    });
  }
});
