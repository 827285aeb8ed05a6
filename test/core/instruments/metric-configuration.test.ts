import { Info, validateMetricName } from '@offloop/core';
import { expect } from 'chai';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

/** Every refusal must leave the name free and the memory as it was. */
function refused(config: object, kind: 'counter' | 'histogram' = 'counter'): string {
  const rig = new PipelineRig();
  const families = (): number => rig.pipeline.producer.segment.control[64] as number;
  const before = families();
  const message = refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () => rig[kind](config));
  expect(families()).to.equal(before);
  expect(rig.registry.getSingleMetric('test_total')).to.equal(undefined);
  return message;
}

describe('metric configuration', () => {
  it('refuses label names that are no array, and shows them', () => {
    expect(refused({ labelNames: 'method' as never })).to.equal(
      'labelNames must be an array of label names, got "method"',
    );
  });

  it('refuses a label name twice', () => {
    expect(refused({ labelNames: ['a', 'b', 'a'] })).to.equal(
      'labelNames must differ from one another, got ["a", "b", "a"]',
    );
  });

  it('refuses label names that are no texts', () => {
    for (const name of [1, null, undefined, {}]) refused({ labelNames: ['a', name] as never });
  });

  it('refuses the label that is the metric’s name to Prometheus', () => {
    for (const utf8Names of [false, true]) {
      expect(refused({ labelNames: ['a', '__name__'], utf8Names })).to.equal(
        'At least one label name is invalid: __name__',
      );
    }
    const { registry, pipeline } = new PipelineRig();
    refusalOf('OFFLOOP_ERR_LABELS', () => registry.setDefaultLabels({ __name__: 'x' }));
    for (const options of [
      { customLabels: { __name__: 'x' } },
      { labelNames: { method: '__name__' } },
    ])
      expect(() => pipeline.configure(options)).to.throw('got');
  });

  it('refuses an info metric without facts', () => {
    const { registry } = new PipelineRig();
    for (const [config, shown] of [
      [{}, 'undefined'],
      [{ labelNames: ['a'] }, 'undefined'],
      [{ labels: {} }, '[object Object]'],
      [{ labels: ['a'] }, '["a"]'],
    ] as const) {
      const given = { name: 'build_info', help: 'h', registers: [registry], ...config };
      expect(refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () => new Info(given as never))).to.equal(
        `labels must be an object with one label at least and its value, got ${shown}`,
      );
    }
    expect(registry.getMetricsAsArray()).to.deep.equal([]);
  });

  it('refuses a cardinality limit below 1, or not whole', () => {
    for (const [maxSeries, shown] of [
      [0, '0'],
      [-1, '-1'],
      [1.5, '1.5'],
      [Number.NaN, 'NaN'],
      [Number.POSITIVE_INFINITY, 'Infinity'],
      ['5', '"5"'],
      [null, 'null'],
    ]) {
      expect(refused({ maxSeries: maxSeries as never })).to.equal(
        `maxSeries must be a whole number of at least 1, got ${shown}`,
      );
    }
    new PipelineRig().counter({ maxSeries: 1 });
  });

  it('takes null for an option that is left out, as prom-client does', async () => {
    const counter = new PipelineRig().counter({ collect: null, aggregator: null } as never);
    expect(counter.aggregator).to.equal('sum');
    expect((await counter.get()).values[0]?.value).to.equal(0);
  });

  it('takes undefined for an option that is left out', async () => {
    const shared = {
      labelNames: undefined,
      utf8Names: undefined,
      maxSeries: undefined,
      maxIdleSeconds: undefined,
      aggregator: undefined,
      collect: undefined,
    };
    const ofHistograms = { buckets: undefined, native: undefined, enableExemplars: undefined };
    const ofSummaries = {
      percentiles: undefined,
      maxAgeSeconds: undefined,
      ageBuckets: undefined,
      pruneAgedBuckets: undefined,
      compressCount: undefined,
    };
    const pages = [false, true].map(async (isGiven) => {
      const rig = new PipelineRig();
      rig.counter(isGiven ? { ...shared, enableExemplars: undefined } : {}).inc();
      rig.histogram({ name: 'h', ...(isGiven ? { ...shared, ...ofHistograms } : {}) }).observe(1);
      rig.summary({ name: 's', ...(isGiven ? { ...shared, ...ofSummaries } : {}) }).observe(1);
      return rig.registry.metrics();
    });
    const [left, given] = await Promise.all(pages);
    expect(given).to.equal(left);
  });

  it('lets a counter have a label le, and no histogram', () => {
    new PipelineRig().counter({ labelNames: ['le'] });
    expect(refused({ labelNames: ['le'] }, 'histogram')).to.equal('le is a reserved label keyword');
  });

  it('takes names with colons and underscores, of one character and of many', () => {
    for (const name of ['a', '_', ':', 'a:b_C9', 'x'.repeat(1000)]) {
      expect(validateMetricName(name), name).to.equal(true);
      new PipelineRig().counter({ name });
    }
    for (const name of ['', '9a', 'a-b', 'a b', 'é', 'a\n', 5, null, undefined, {}]) {
      expect(validateMetricName(name), String(name)).to.equal(false);
    }
  });
});

describe('histogram bounds', () => {
  it('refuse what is not an ascending array of finite numbers', () => {
    for (const [buckets, message] of [
      ['1,2', 'buckets must be an array of at most 512 numbers, got "1,2"'],
      [5, 'buckets must be an array of at most 512 numbers, got 5'],
      [[1, '2'], 'buckets must be finite numbers, got [1, "2"]'],
      [[1, Number.NaN], 'buckets must be finite numbers, got [1, NaN]'],
      [[Number.NEGATIVE_INFINITY, 1], 'buckets must be finite numbers, got [-Infinity, 1]'],
      [[Number.POSITIVE_INFINITY, 1], 'buckets must be finite numbers, got [Infinity, 1]'],
      [[1, undefined], 'buckets must be finite numbers, got [1, undefined]'],
      [[2, 1], 'buckets must be in ascending order, got [2, 1]'],
      [[1, 1], 'buckets must be in ascending order, got [1, 1]'],
      [[-0, 0], 'buckets must be in ascending order, got [0, 0]'],
    ] as const) {
      expect(refused({ buckets: buckets as never }, 'histogram')).to.equal(message);
    }
  });

  it('are 512 at most', () => {
    const bounds = Array.from({ length: 513 }, (_, index) => index);
    refused({ buckets: bounds }, 'histogram');
    new PipelineRig().histogram({ buckets: bounds.slice(0, 512) }).observe(511.5);
  });

  it('may end in +Infinity, which changes nothing', async () => {
    const rig = new PipelineRig();
    rig.histogram({ buckets: [1, Number.POSITIVE_INFINITY] }).observe(2);
    const page = await rig.registry.metrics();
    expect(page.match(/\+Inf/g)).to.have.length(1);
  });

  it('are the histogram’s own, whatever becomes of the array that gave them', async () => {
    const rig = new PipelineRig();
    const buckets = [1, 2];
    const histogram = rig.histogram({ buckets });
    buckets.push(0);
    histogram.observe(1);
    expect(await rig.registry.metrics())
      .to.include('le="2"')
      .and.not.include('le="0"');
  });
});

describe('values', () => {
  it('that no counter can take are refused by the counter and by its child, and count nothing', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter();
    const child = counter.labels();
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY, '1', {}, [], true, 1n]) {
      refusalOf('OFFLOOP_ERR_VALUE', () => child.inc(value as never));
      if (typeof value !== 'object') {
        refusalOf('OFFLOOP_ERR_VALUE', () => counter.inc(value as never));
      }
      refusalOf('OFFLOOP_ERR_VALUE', () => counter.inc({}, value as never));
    }
    child.inc(0);
    expect(rig.pipeline.totals().offeredRecords).to.equal(1);
  });

  it('that no histogram can take are refused by the histogram and by its child, and count nothing', () => {
    const rig = new PipelineRig();
    const histogram = rig.histogram();
    const child = histogram.labels();
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY, '1', undefined, null, true, 1n]) {
      refusalOf('OFFLOOP_ERR_VALUE', () => child.observe(value as never));
      refusalOf('OFFLOOP_ERR_VALUE', () => histogram.observe(value as never));
      refusalOf('OFFLOOP_ERR_VALUE', () => histogram.observe({}, value as never));
    }
    child.observe(-1e308);
    expect(rig.pipeline.totals().offeredRecords).to.equal(1);
  });
});
