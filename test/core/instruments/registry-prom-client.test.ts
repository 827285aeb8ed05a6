import {
  aggregators,
  Counter,
  exponentialBuckets,
  Gauge,
  linearBuckets,
  type MetricObjectWithValues,
  type MetricValueWithName,
  Pipeline,
  Registry,
  register,
  TEXT_CONTENT_TYPE,
} from '@offloop/core';
import { expect } from 'chai';
import * as prom from 'prom-client';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

function refusalsOf(calls: readonly (() => unknown)[]): string[] {
  return calls.map((call) => {
    try {
      call();
    } catch (error) {
      return `${error instanceof TypeError ? 'TypeError' : 'Error'}: ${(error as Error).message}`;
    }
    return 'nothing';
  });
}

describe('registry beside prom-client 15.1.3', () => {
  it('has the global one, and lists its metrics', () => {
    expect(Registry.globalRegistry).to.equal(register);
    const rig = new PipelineRig();
    const counter = rig.counter();
    const histogram = rig.histogram();
    expect(rig.registry.getMetricsAsArray()).to.deep.equal([counter, histogram]);
  });

  it('takes the text content type and refuses others in the same words', () => {
    const [ours, theirs] = [new Registry(TEXT_CONTENT_TYPE), new prom.Registry()];
    ours.setContentType(TEXT_CONTENT_TYPE);
    expect(ours.contentType).to.equal(theirs.contentType);
    const other = 'text/html' as never;
    const [ownConstructor, ownSet] = refusalsOf([
      () => new Registry(other),
      () => ours.setContentType(other),
    ]);
    const TheirRegistry = prom.Registry as unknown as new (contentType: string) => unknown;
    const [theirConstructor, theirSet] = refusalsOf([
      () => new TheirRegistry(other),
      () => theirs.setContentType(other),
    ]);
    expect([ownConstructor, ownSet]).to.deep.equal([theirConstructor, theirSet]);
  });

  it('merges registries into one that has all metrics and no default labels', async () => {
    const rigs = [new PipelineRig(), new PipelineRig()];
    rigs[0]?.counter({ name: 'a_total' }).inc(1);
    rigs[1]?.counter({ name: 'b_total' }).inc(2);
    rigs[0]?.registry.setDefaultLabels({ app: 'z' });
    const merged = Registry.merge(rigs.map(({ registry }) => registry));
    const page = await merged.metrics();
    expect(page).to.include('\na_total 1\n').and.include('\nb_total 2\n');
    expect(merged.contentType).to.equal(TEXT_CONTENT_TYPE);
    expect(Registry.merge([]).getMetricsAsArray()).to.deep.equal([]);
    expect(
      refusalOf('OFFLOOP_ERR_DUPLICATE_METRIC', () => {
        rigs[1]?.counter({ name: 'a_total' });
        Registry.merge(rigs.map(({ registry }) => registry));
      }),
    ).to.equal('A metric with the name a_total has already been registered.');
  });

  it('refuses the text of a metric that it does not have', async () => {
    const { registry } = new PipelineRig();
    let reason: unknown;
    await registry.getSingleMetricAsString('nope').catch((error: unknown) => {
      reason = error;
    });
    const rethrow = () => {
      throw reason;
    };
    expect(refusalOf('OFFLOOP_ERR_ARGUMENT', rethrow)).to.equal(
      'name: no metric is registered as nope',
    );
  });

  it('carries the aggregator into JSON, and refuses one that does not exist', async () => {
    const rig = new PipelineRig();
    rig.counter({ aggregator: 'max' });
    rig.histogram();
    const json = await rig.registry.getMetricsAsJSON();
    expect(json.map(({ aggregator }) => aggregator)).to.deep.equal(['max', 'sum']);
    expect(
      refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () =>
        rig.counter({ name: 'x_total', aggregator: 'median' as never }),
      ),
    ).to.equal("'median' is not a defined aggregator.");
  });
});

/** Not in prom-client's types. */
const theirAggregators = (
  prom as unknown as { aggregators: Record<string, (metrics: unknown) => unknown> }
).aggregators;

describe('bucket helpers beside prom-client', () => {
  it('give the same bounds', () => {
    for (const [start, width, count] of [
      [0, 0.1, 20],
      [-5, 2.5, 7],
      [1, 0, 1],
    ] as const) {
      expect(linearBuckets(start, width, count)).to.deep.equal(
        prom.linearBuckets(start, width, count),
      );
    }
    for (const [start, factor, count] of [
      [1, 1.5, 20],
      [0.001, 10, 7],
      [1, 2, 1],
    ] as const) {
      expect(exponentialBuckets(start, factor, count)).to.deep.equal(
        prom.exponentialBuckets(start, factor, count),
      );
    }
  });

  it('refuse the same, in the same words', () => {
    const calls = (lib: Pick<typeof prom, 'linearBuckets' | 'exponentialBuckets'>) =>
      refusalsOf([
        () => lib.linearBuckets(0, 1, 0),
        () => lib.linearBuckets(0, 1, -1),
        () => lib.exponentialBuckets(0, 2, 3),
        () => lib.exponentialBuckets(-1, 2, 3),
        () => lib.exponentialBuckets(1, 2, 0),
        () => lib.exponentialBuckets(1, 1, 3),
      ]);
    expect(calls({ linearBuckets, exponentialBuckets })).to.deep.equal(calls(prom));
  });
});

describe('aggregators beside prom-client', () => {
  const metric = (values: MetricValueWithName[]): MetricObjectWithValues<MetricValueWithName> => ({
    name: 'm',
    help: 'h',
    type: 'gauge',
    aggregator: 'sum',
    values,
  });
  const processes = [
    metric([
      { value: 1, labels: { a: 'x', b: 'y' } },
      { value: 4, labels: { a: 'z' } },
    ]),
    metric([
      { value: 2, labels: { b: 'y', a: 'x' } },
      { value: 7, labels: { a: 'z' }, metricName: 'm_sum' },
    ]),
  ];
  for (const name of Object.keys(theirAggregators) as (keyof typeof aggregators)[]) {
    it(`merge the same: ${name}`, () => {
      expect(aggregators[name](processes)).to.deep.equal(theirAggregators[name]?.(processes));
      expect(aggregators[name]([])).to.equal(undefined);
    });
  }

  it('have the same names', () => {
    expect(Object.keys(aggregators).sort()).to.deep.equal(Object.keys(theirAggregators).sort());
  });

  it('keep labels apart that joined text would merge', () => {
    const merged = aggregators.sum([
      metric([
        { value: 1, labels: { a: 'x,b:y' } },
        { value: 1, labels: { a: 'x', b: 'y' } },
      ]),
    ]);
    expect(merged?.values).to.have.length(2);
  });
});

describe('types of a metric’s collect', () => {
  it('know its labels', () => {
    const registers = [new Registry(new Pipeline())];
    new Gauge({
      name: 'g',
      help: 'h',
      labelNames: ['a'],
      registers,
      collect() {
        // @ts-expect-error: the compiler refuses a label that the metric does not have.
        const wrong = () => this.set({ b: 'x' }, 1);
        expect(wrong).to.be.a('function');
        this.set({ a: 'x' }, 1);
      },
    });
    new Counter({ name: 'c_total', help: 'h', labelNames: ['a'] as const, registers }).inc({
      a: 'x',
    });
  });
});
