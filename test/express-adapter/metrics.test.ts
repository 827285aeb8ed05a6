import { createHook } from 'node:async_hooks';
import {
  Counter,
  createMetrics,
  Metrics,
  type OffloopOptions,
  Pipeline,
  Registry,
} from '@offloop/express';
import { expect } from 'chai';
import { refusalOf } from '../core/refusal.js';

describe('Metrics', () => {
  const made: Metrics[] = [];

  afterEach(async () => {
    await Promise.all(made.splice(0).map((metrics) => metrics.close()));
  });

  function make(options: OffloopOptions = {}): Metrics {
    const metrics = createMetrics({ engine: 'inline', ...options });
    made.push(metrics);
    return metrics;
  }

  describe('updateConfig()', () => {
    it('gives every option as it is from then on, frozen; those that are not named stay', () => {
      const metrics = make({ window: { seconds: 60 }, quantiles: [0.5] });
      const before = metrics.options;
      const after = metrics.updateConfig({
        quantiles: [0.5, 0.999],
        eventLoop: { intervalMs: 20 },
        prometheus: {},
      });
      expect(after).to.deep.equal({
        ...before,
        quantiles: [0.5, 0.999],
        eventLoop: { ...before.eventLoop, intervalMs: 20 },
      });
      expect(after.window.seconds).to.equal(60);
      expect(metrics.options).to.equal(after);
      expect(Object.isFrozen(after)).to.equal(true);
    });

    it('changes what is baked into nothing', () => {
      const metrics = make();
      const changes: OffloopOptions = {
        window: { seconds: 5 },
        quantiles: [0.25],
        scrapePaths: ['/x'],
        prometheus: { enabled: false, includeUp: false },
        eventLoop: { enabled: false, intervalMs: 50, stallMs: 300, stacksPerHour: 1 },
      };
      expect(metrics.updateConfig(changes)).to.deep.include(changes);
    });

    it('refuses what is baked into memory or the engine, with that reason, and takes it as it is', () => {
      const metrics = make();
      for (const [path, options] of [
        ['engine', { engine: 'pool' }],
        ['threadFile', { threadFile: '/x.js' }],
        ['http.bucketsMs', { http: { bucketsMs: [1] } }],
        ['estimator', { estimator: 'reservoir' }],
        ['reservoir.capacity', { reservoir: { capacity: 100 } }],
        ['maxSeriesPerMetric', { maxSeriesPerMetric: 1 }],
        ['ring.capacityRecords', { ring: { capacityRecords: 256 } }],
        ['memory.maxSeries', { memory: { maxSeries: 16 } }],
      ] as const) {
        expect(
          refusalOf('OFFLOOP_ERR_ALREADY_STARTED', () => metrics.updateConfig(options)),
        ).to.match(new RegExp(`^${path} must be given (before|with) the first .*; got .`));
      }
      const { engine, http, ring, memory, estimator } = metrics.options;
      metrics.updateConfig({ engine, http, ring, memory, estimator });
    });

    it('is not surprised by a getter that answers otherwise the second time', () => {
      const metrics = make();
      let asked = 0;
      const options = {
        get scrapePaths() {
          asked++;
          return asked === 1 ? ['/x'] : ['no path'];
        },
      };
      expect(metrics.updateConfig(options).scrapePaths).to.deep.equal(['/x']);
      expect(asked).to.equal(1);
    });

    it('does not read the environment again', () => {
      const metrics = make();
      process.env['METRICS_WINDOW_SIZE_SECONDS'] = '5 minutes';
      try {
        expect(metrics.updateConfig({ quantiles: [0.5] }).window.seconds).to.equal(300);
      } finally {
        delete process.env['METRICS_WINDOW_SIZE_SECONDS'];
      }
    });

    it('refuses to sample the lag where there is no room for it, and changes nothing', () => {
      const metrics = make({ eventLoop: { enabled: false }, memory: { maxFamilies: 16 } });
      // The middleware's own take four of 16.
      for (let index = 0; index < 12; index++) {
        const name = `own_${index}_total`;
        new Counter({ name, help: 'One of many.', registers: [metrics.register] });
      }
      const before = metrics.options;
      refusalOf('OFFLOOP_ERR_FAMILIES_FULL', () =>
        metrics.updateConfig({ eventLoop: { enabled: true }, quantiles: [0.5] }),
      );
      expect(metrics.options).to.equal(before);
      expect(metrics.getSnapshot().eventLoop.monitoringActive).to.equal(false);
      // What was refused is not tried again by the next call.
      expect(metrics.updateConfig({ window: { seconds: 60 } })).to.deep.equal({
        ...before,
        window: { seconds: 60 },
      });
    });

    it('starts no timer after close()', async () => {
      const metrics = make();
      await metrics.close();
      expect(timersOf(() => metrics.updateConfig({ eventLoop: { intervalMs: 20 } }))).to.equal(0);
      expect(metrics.getSnapshot().eventLoop.monitoringActive).to.equal(false);
    });

    it('leaves the timers alone where nothing of them changes', () => {
      const metrics = make();
      expect(timersOf(() => metrics.updateConfig({ quantiles: [0.5] }))).to.equal(0);
      expect(timersOf(() => metrics.updateConfig({ eventLoop: { intervalMs: 20 } }))).to.equal(1);
      expect(timersOf(() => metrics.updateConfig({ eventLoop: { stallMs: 300 } }))).to.equal(0);
    });
  });

  describe('with the lag off from the start', () => {
    it('starts no timer and takes no memory for it', () => {
      const seriesOf = (options: OffloopOptions): number =>
        make(options).getSnapshot().pipeline.seriesUsed;
      const off = { eventLoop: { enabled: false } };
      // Health's.
      expect(timersOf(() => make(off))).to.equal(1);
      // The samples', and the beat.
      expect(timersOf(() => make())).to.equal(3);
      expect(seriesOf(off)).to.equal(seriesOf({}) - 1);
    });
  });

  it('forgets the options of a start that was refused', () => {
    const pipeline = new Pipeline();
    const register = new Registry(pipeline);
    for (let index = 0; index < 17; index++) {
      new Counter({ name: `own_${index}_total`, help: 'One of many.', registers: [register] });
    }
    for (const [code, options] of [
      ['OFFLOOP_ERR_FAMILIES_FULL', { memory: { maxFamilies: 16 }, quantiles: [0.5] }],
      ['OFFLOOP_ERR_THREAD_START', { engine: 'pool', threadFile: '/nowhere/thread.js' }],
    ] as const) {
      refusalOf(code, () => new Metrics({ pipeline, register }, options));
      expect(pipeline.isStarted).to.equal(false);
    }
    const metrics = new Metrics({ pipeline, register }, { engine: 'inline' });
    made.push(metrics);
    expect(metrics.options).to.deep.equal(make().options);
  });
});

/** How many repeating timers a call starts. */
function timersOf(call: () => unknown): number {
  let count = 0;
  const hook = createHook({
    init: (_id, type) => {
      if (type === 'Timeout') count++;
    },
  }).enable();
  try {
    call();
  } finally {
    hook.disable();
  }
  return count;
}
