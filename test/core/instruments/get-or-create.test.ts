import { Counter, type CounterConfiguration, Gauge, Histogram, Info } from '@offloop/core';
import { HttpMetrics } from '@offloop/core/adapter';
import { expect } from 'chai';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

describe('getOrCreate()', () => {
  const C = { name: 'jobs_total', help: 'Jobs.', labelNames: ['a', 'b'] } as const;

  it('gives the same metric at the second call, with what it has counted', async () => {
    const rig = new PipelineRig();
    const registers = [rig.registry];
    const first = Counter.getOrCreate({ ...C, registers });
    first.inc({ a: 'x', b: 'y' }, 2);
    const second = Counter.getOrCreate({ ...C, registers });
    expect(second).to.equal(first);
    second.inc({ a: 'x', b: 'y' });
    expect(await rig.registry.metrics()).to.include('jobs_total{a="x",b="y"} 3\n');
    const gauge = () => Gauge.getOrCreate({ name: 'g', help: 'h', registers });
    expect(gauge()).to.equal(gauge());
    const histogram = () =>
      Histogram.getOrCreate({ name: 'h', help: 'h', buckets: [1, 2], registers });
    expect(histogram()).to.equal(histogram());
  });

  it('finds a metric that new made, and registers it where else it is wanted', () => {
    const [rig, other] = [new PipelineRig(), new PipelineRig()];
    const made = new Counter({ ...C, registers: [rig.registry] });
    const found = Counter.getOrCreate({ ...C, registers: [rig.registry, other.registry] });
    expect(found).to.equal(made);
    expect(other.registry.getSingleMetric('jobs_total')).to.equal(made);
  });

  it('makes a new one in a registry that does not have it, and outside of any', () => {
    const rig = new PipelineRig();
    const first = Counter.getOrCreate({ ...C, registers: [rig.registry] });
    rig.registry.clear();
    expect(Counter.getOrCreate({ ...C, registers: [rig.registry] })).to.not.equal(first);
    expect(Counter.getOrCreate({ ...C, registers: [] })).to.be.instanceOf(Counter);
  });

  it('goes on with the newest collect(), as the old one reads a module that is gone', async () => {
    const rig = new PipelineRig();
    const config = (level: number) => ({
      name: 'g',
      help: 'h',
      registers: [rig.registry],
      collect(this: Gauge) {
        this.set(level);
      },
    });
    Gauge.getOrCreate(config(1));
    Gauge.getOrCreate(config(2));
    Gauge.getOrCreate({ name: 'g', help: 'h', registers: [rig.registry] });
    expect(await rig.registry.metrics()).to.include('\ng 2\n');
  });

  const differences: Record<string, Partial<CounterConfiguration<string>>> = {
    help: { help: 'Other.' },
    labelNames: { labelNames: ['b', 'a'] },
    aggregator: { aggregator: 'max' },
    maxSeries: { maxSeries: 5 },
  };
  for (const [part, difference] of Object.entries(differences)) {
    it(`refuses another ${part} under the name`, () => {
      const rig = new PipelineRig();
      const registers = [rig.registry];
      Counter.getOrCreate<string>({ ...C, registers });
      expect(
        refusalOf('OFFLOOP_ERR_DUPLICATE_METRIC', () =>
          Counter.getOrCreate<string>({ ...C, registers, ...difference }),
        ),
      ).to.match(
        new RegExp(
          `^A metric with the name jobs_total has already been registered with another ${part}: `,
        ),
      );
    });
  }

  it('refuses another type, other buckets, and a metric that is offloop’s own', () => {
    const rig = new PipelineRig();
    const registers = [rig.registry];
    Histogram.getOrCreate({ name: 'h', help: 'h', buckets: [1], registers });
    const other = (call: () => unknown) => refusalOf('OFFLOOP_ERR_DUPLICATE_METRIC', call);
    expect(other(() => Gauge.getOrCreate({ name: 'h', help: 'h', registers }))).to.include(
      'another type: "histogram", got "gauge"',
    );
    expect(
      other(() => Histogram.getOrCreate({ name: 'h', help: 'h', buckets: [1, 2], registers })),
    ).to.include('another buckets: [1], got [1, 2]');
    new HttpMetrics(rig.pipeline, rig.registry);
    expect(
      other(() => Counter.getOrCreate({ name: 'http_requests_total', help: 'h', registers })),
    ).to.include('"a metric of offloop itself"');
  });

  it('checks the configuration even where the metric exists', () => {
    const rig = new PipelineRig();
    Counter.getOrCreate({ ...C, registers: [rig.registry] });
    refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () =>
      Counter.getOrCreate({ ...C, help: '', registers: [rig.registry] }),
    );
  });
});

describe('Info', () => {
  it('is 1 with its labels, and lays no memory out before it is read', async () => {
    const rig = new PipelineRig();
    const registers = [rig.registry];
    const info = new Info({
      name: 'build_info',
      help: 'What runs.',
      labels: { revision: 'abc', major: 3 },
      aggregator: 'first',
      registers,
    });
    expect(rig.pipeline.isStarted).to.equal(false);
    expect(await rig.registry.metrics()).to.equal(
      '# HELP build_info What runs.\n# TYPE build_info gauge\nbuild_info{revision="abc",major="3"} 1\n',
    );
    expect(await info.get()).to.deep.include({ type: 'gauge', aggregator: 'first' });
  });
});
