import { Worker } from 'node:worker_threads';
import { Gauge, isOffloopError, Pipeline, Registry } from '@offloop/core';
import { seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import { readLiveValue } from '@offloop/core/internal/record/live-value.js';
import { expect } from 'chai';
import prom from 'prom-client';

describe('gauge', () => {
  function pair(labelNames: readonly string[]) {
    const registry = new Registry(new Pipeline());
    const theirs = new prom.Registry();
    return {
      registry,
      theirs,
      gauge: new Gauge({ name: 'level', help: 'h', labelNames, registers: [registry] }),
      twin: new prom.Gauge({
        name: 'level',
        help: 'h',
        labelNames: [...labelNames],
        registers: [theirs],
      }),
    };
  }

  it('prints what prom-client prints, with labels', async () => {
    const { registry, theirs, gauge, twin } = pair(['queue']);
    for (const one of [gauge, twin]) {
      one.set({ queue: 'a' }, 12.5);
      one.inc({ queue: 'a' });
      one.dec({ queue: 'b' }, 3);
      one.labels('c').set(Number.POSITIVE_INFINITY);
      one.labels({ queue: 'c' }).inc();
      one.labels('d').inc(2);
    }
    expect(await registry.metrics()).to.equal(await theirs.metrics());
  });

  it('starts at 0 without labels, and follows every call', async () => {
    const { registry, theirs, gauge, twin } = pair([]);
    expect(await registry.metrics()).to.equal(await theirs.metrics());
    for (const one of [gauge, twin]) {
      one.inc();
      one.inc(4);
      one.dec();
      one.set(one === gauge ? -7 : -7);
      one.dec(0.5);
    }
    expect(await registry.metrics()).to.equal(await theirs.metrics());
    expect(await gauge.get()).to.deep.include({
      type: 'gauge',
      values: [{ value: -7.5, labels: {} }],
    });
  });

  it('refuses what is no number in prom-client’s words', () => {
    const { gauge, twin } = pair([]);
    for (const call of ['set', 'inc', 'dec'] as const) {
      const messages = [gauge, twin].map((one) => {
        try {
          one[call]('5' as unknown as number);
        } catch (error) {
          if (one === gauge) expect(isOffloopError(error, 'OFFLOOP_ERR_VALUE')).to.equal(true);
          expect(error).to.be.instanceOf(TypeError);
          return (error as Error).message;
        }
        return 'nothing';
      });
      // prom-client negates first, and so reports the 5 of a `dec('5')` as a number.
      if (call === 'dec') expect(messages[0]).to.equal('Delta is not a valid number: 5');
      else expect(messages[0]).to.equal(messages[1]);
    }
  });

  it('measures seconds, and knows the time', async () => {
    const { gauge } = pair(['job']);
    const end = gauge.startTimer({ job: 'a' });
    const seconds = end();
    gauge.setToCurrentTime({ job: 'b' });
    const { values } = await gauge.get();
    expect(values[0]).to.deep.equal({ value: seconds, labels: { job: 'a' } });
    expect(values[1]?.value).to.be.closeTo(Date.now() / 1000, 5);
  });

  it('is never read torn while another thread reads it', async () => {
    const pipeline = new Pipeline();
    const gauge = new Gauge({ name: 'level', help: 'h', registers: [new Registry(pipeline)] });
    gauge.set(0);
    const { segment } = pipeline.producer;
    const block = seriesBlock(segment, gauge.family.onlySeries);
    // Two doubles of which no half fits the other.
    const levels = [1.25e-200, 3.5e200];
    gauge.set(levels[0] as number);
    const reader = new Worker(
      `import { workerData, parentPort } from 'node:worker_threads';
       const { Segment } = await import(workerData.segment);
       const { readLiveValue } = await import(workerData.live);
       const segment = Segment.attach(workerData.buffer);
       parentPort.postMessage('ready');
       const seen = new Set();
       for (let reading = 0; reading < 2_000_000; reading++) seen.add(readLiveValue(segment, workerData.block));
       parentPort.postMessage([...seen]);`,
      {
        eval: true,
        workerData: {
          buffer: segment.buffer,
          block,
          segment: import.meta.resolve('@offloop/core/internal/layout/segment.js'),
          live: import.meta.resolve('@offloop/core/internal/record/live-value.js'),
        },
      },
    );
    const seen = await new Promise<number[]>((resolve, reject) => {
      let isDone = false;
      const write = () => {
        for (let turn = 0; turn < 10_000; turn++) gauge.set(levels[turn & 1] as number);
        if (!isDone) setImmediate(write);
      };
      reader.on('error', reject);
      reader.on('message', (message: 'ready' | number[]) => {
        if (message === 'ready') return write();
        isDone = true;
        resolve(message);
      });
    });
    await reader.terminate();
    expect(seen.length).to.be.within(1, 2);
    for (const level of seen) expect(levels).to.include(level);
    expect(readLiveValue(segment, block)).to.equal(levels[1]);
  });
});
