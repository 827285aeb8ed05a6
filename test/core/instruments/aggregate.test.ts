import {
  Counter,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValueWithName,
  Pipeline,
  Registry,
} from '@offloop/core';
import { expect } from 'chai';
import prom from 'prom-client';
import { refusalOf } from '../refusal.js';

type Json = MetricObjectWithValues<MetricValueWithName>[];

/** What a process of ours gives, which has counted `count`. */
async function processJson(count: number): Promise<Json> {
  const registry = new Registry(new Pipeline());
  const registers = [registry];
  new Counter({ name: 'c_total', help: 'C.', labelNames: ['a'], registers }).inc(
    { a: 'x|y' },
    count,
  );
  new Gauge({ name: 'most', help: 'M.', aggregator: 'max', registers }).set(count);
  new Gauge({ name: 'mean', help: 'M.', aggregator: 'average', registers }).set(count);
  new Gauge({ name: 'own', help: 'O.', aggregator: 'omit', registers }).set(count);
  new Histogram({ name: 'h', help: 'H.', buckets: [1, 10], registers }).observe(count);
  return registry.getMetricsAsJSON();
}

describe('Registry.aggregate()', () => {
  it('merges what several processes gave, as prom-client does', async () => {
    const processes = [await processJson(2), await processJson(4), await processJson(40)];
    const theirs = prom.AggregatorRegistry.aggregate(processes as never);
    const merged = Registry.aggregate(processes);
    const page = await merged.metrics();
    expect(page).to.equal(await theirs.metrics());
    expect(page).to.include('\nc_total{a="x|y"} 46\n').and.include('\nmost 40\n');
    expect(page).to.include('\nmean 15.333333333333334\n').and.include('\nh_bucket{le="10"} 2\n');
    expect(page).to.not.include('own');
    expect(await merged.getMetricsAsJSON()).to.deep.equal(await theirs.getMetricsAsJSON());
  });

  it('takes what prom-client’s processes gave, adds up sums and counts, and no quantiles', async () => {
    const jsonOf = async (values: readonly number[]) => {
      const registry = new prom.Registry();
      const registers = [registry];
      const percentiles = [0.5];
      const summary = new prom.Summary({ name: 's', help: 'S.', percentiles, registers });
      for (const value of values) summary.observe(value);
      return (await registry.getMetricsAsJSON()) as unknown as Json;
    };
    const [one, other] = [await jsonOf([1, 2]), await jsonOf([3])];
    const theirs = await prom.AggregatorRegistry.aggregate([one, other] as never).metrics();
    expect(theirs).to.include('\ns{quantile="0.5"} 4.5\n');
    expect(await Registry.aggregate([one, other]).metrics()).to.equal(
      '# HELP s S.\n# TYPE s summary\ns_sum 6\ns_count 3\n',
    );
    expect(await Registry.aggregate([other]).metrics()).to.include('\ns{quantile="0.5"} 3\n');
  });

  it('keeps the latest exemplar, where prom-client drops them', () => {
    const json = (timestamp: number): Json => [
      {
        name: 'c_total',
        help: 'C.',
        type: 'counter',
        aggregator: 'sum',
        values: [
          { value: 1, labels: {}, exemplar: { labelSet: { id: 'x' }, value: 1, timestamp } },
        ],
      },
    ];
    const [metric] = Registry.aggregate([json(3), json(5), json(4)]).getMetricsAsArray();
    const { values } = metric as unknown as Json[number];
    expect(values).to.deep.equal([
      { value: 3, labels: {}, exemplar: { labelSet: { id: 'x' }, value: 1, timestamp: 5 } },
    ]);
  });

  it('has the content type that it is given, and refuses what is none and what is no aggregator', async () => {
    const { OPENMETRICS_CONTENT_TYPE: open } = Registry;
    const merged = Registry.aggregate([await processJson(1)], open);
    expect(merged.contentType).to.equal(open);
    expect(await merged.metrics()).to.match(/\nc_total\{a="x\|y"\} 1\n(.*\n)*# EOF\n$/);
    refusalOf('OFFLOOP_ERR_ARGUMENT', () => Registry.aggregate([], 'text/html' as never));
    const [metric] = await processJson(1);
    const odd = { ...metric, aggregator: 'median' } as never;
    expect(refusalOf('OFFLOOP_ERR_ARGUMENT', () => Registry.aggregate([[odd]]))).to.equal(
      "'median' is not a defined aggregator.",
    );
    expect(await Registry.aggregate([]).metrics()).to.equal('');
  });
});
