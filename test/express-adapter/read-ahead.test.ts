import type { Recorder, Segment } from '@offloop/core/engine';
import { TOTAL_BATCHES } from '@offloop/core/internal/layout/aggregates.js';
import * as layout from '@offloop/core/internal/layout/read-ahead.js';
import { Metrics, Pipeline, Registry, recordHttpRequest } from '@offloop/express';
import { expect } from 'chai';
import { threadTakesOver, until } from '../worker/pool-threads.js';

describe('getSnapshot() with a pool', function () {
  this.timeout(30_000);
  let metrics: Metrics;
  let segment: Segment;
  let recorder: Recorder;

  before(() => {
    const pipeline = new Pipeline();
    const register = new Registry(pipeline);
    // Without the samples of the loop's lag, so that nothing is recorded but by the test.
    metrics = new Metrics(
      { pipeline, register },
      { engine: 'pool', eventLoop: { enabled: false } },
    );
    ({ segment, recorder } = pipeline.producer);
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
    await threadTakesOver(segment);
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

  it('takes what the thread has read at its polls', async () => {
    for (let poll = 0; poll < 5; poll++) {
      metrics.getSnapshot();
      request();
      recorder.publishNow();
      await until(() => recorder.backlog() === 0 && isAhead(), 'the thread has read ahead');
      expect(isTaken()).to.equal(true);
    }
  });
});
