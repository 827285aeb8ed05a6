import { Counter, Pipeline, Registry } from '@offloop/core';
import { expect } from 'chai';
import { parseExposition } from '../../support/exposition-parser.js';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

describe('registry', () => {
  it('without metrics has an empty page, also when its pipeline has none of it', async () => {
    const rig = new PipelineRig();
    expect(await rig.registry.metrics()).to.equal('');
    rig.counter();
    expect(await new Registry(rig.pipeline).metrics()).to.equal('');
  });

  it('takes the same metric twice and shows it once', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter();
    rig.registry.registerMetric(counter);
    expect(await rig.samples()).to.have.length(1);
  });

  it('refuses another metric of the same name, which leaves nothing behind', async () => {
    const rig = new PipelineRig();
    rig.counter().inc();
    const families = rig.pipeline.producer.segment.control[64];
    for (let attempt = 0; attempt < 1000; attempt++) {
      expect(
        refusalOf('OFFLOOP_ERR_DUPLICATE_METRIC', () => rig.histogram({ name: 'test_total' })),
      ).to.equal('A metric with the name test_total has already been registered.');
    }
    expect(rig.pipeline.producer.segment.control[64]).to.equal(families);
    expect(await rig.registry.metrics()).to.include('test_total 1\n');
  });

  it('refuses a metric for two registries when one of them has the name, and registers it in neither', () => {
    const rig = new PipelineRig();
    const other = new Registry(rig.pipeline);
    rig.counter();
    refusalOf('OFFLOOP_ERR_DUPLICATE_METRIC', () =>
      rig.counter({ registers: [other, rig.registry] }),
    );
    expect(other.getSingleMetric('test_total')).to.equal(undefined);
  });

  it('shows a metric of two registries in both', async () => {
    const rig = new PipelineRig();
    const other = new Registry(rig.pipeline);
    rig.counter({ registers: [rig.registry, other] }).inc(3);
    expect(await rig.registry.metrics()).to.include('test_total 3\n');
    expect(await other.metrics()).to.include('test_total 3\n');
  });

  it('shows metrics of several pipelines in one page', async () => {
    const rig = new PipelineRig();
    const other = new PipelineRig();
    rig.counter().inc(1);
    const guest = other.counter({ name: 'guest_total', labelNames: ['a'] });
    guest.inc({ a: 'x' }, 2);
    rig.registry.registerMetric(guest);
    const families = parseExposition(await rig.registry.metrics());
    expect(families.map(({ name, samples }) => [name, samples[0]?.value])).to.deep.equal([
      ['test_total', 1],
      ['guest_total', 2],
    ]);
    expect(rig.registry.familyIds()).to.have.length(1);
  });

  it('counts on behind an unregistered metric, which get() shows and no page', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ registers: [] });
    expect(counter.pipeline).to.not.equal(rig.pipeline);
    expect(await rig.registry.metrics()).to.equal('');
  });

  it('gives a name free when its metric is taken out, and starts the next one at 0', async () => {
    const rig = new PipelineRig();
    const old = rig.counter();
    old.inc(5);
    rig.registry.removeSingleMetric('test_total');
    const next = rig.counter();
    old.inc(5);
    next.inc(1);
    expect(await rig.registry.metrics()).to.include('test_total 1\n');
    expect((await old.get()).values[0]?.value).to.equal(10);
  });

  it('gives every name free when it is cleared', async () => {
    const rig = new PipelineRig();
    rig.counter().inc();
    rig.histogram();
    rig.registry.clear();
    rig.histogram({ name: 'test_total' });
    expect((await rig.families()).map(({ name }) => name)).to.deep.equal(['test_total']);
  });

  it('takes the same metrics in again and again after clear(), each time at zero', async () => {
    const rig = new PipelineRig({ memory: { maxFamilies: 16, maxSeries: 64 } });
    for (let round = 0; round < 200; round++) {
      rig.registry.clear();
      const counter = rig.counter({ labelNames: ['a'] });
      counter.inc({ a: 'x' }, round);
      counter.inc({ a: 'y' });
      rig.histogram().observe(1);
      expect((await counter.get()).values.map(({ value }) => value)).to.deep.equal([round, 1]);
    }
  });

  it('lets a metric whose place was given away count in the one that has it', async () => {
    const rig = new PipelineRig({ memory: { maxFamilies: 16 } });
    const first = rig.counter({ labelNames: ['a'] });
    const child = first.labels('x');
    child.inc();
    for (let round = 0; round < 20; round++) {
      rig.registry.clear();
      rig.counter({ labelNames: ['a'] });
    }
    first.inc({ a: 'x' });
    child.inc();
    expect((await first.get()).values).to.deep.equal([{ labels: { a: 'x' }, value: 2 }]);
  });

  it('lets a child of such a metric notice that the other one’s series went, and never count in a third', async () => {
    const rig = new PipelineRig({ memory: { maxFamilies: 16 } });
    const child = rig.counter({ labelNames: ['a'] }).labels('x');
    // Kept, so that no collection frees a place: the last one then takes the child's metric's, the first that was offered.
    const later = Array.from({ length: 16 }, () => {
      rig.registry.clear();
      return rig.counter({ labelNames: ['a'] });
    });
    const latest = later.at(-1) as (typeof later)[number];
    child.inc();
    expect((await latest.get()).values).to.deep.equal([{ labels: { a: 'x' }, value: 1 }]);
    latest.remove('x');
    // As many as it takes for the removed series' entry to be used again.
    for (let index = 0; index < 70; index++) {
      latest.inc({ a: `gone ${index}` });
      latest.remove(`gone ${index}`);
    }
    await latest.get();
    for (let index = 0; index < 70; index++) latest.inc({ a: `there ${index}` });
    child.inc(5);
    const values = new Map(
      (await latest.get()).values.map(({ labels, value }) => [labels['a'], value]),
    );
    expect(values.get('x')).to.equal(5);
    values.delete('x');
    expect([...values.values()]).to.deep.equal(Array.from({ length: 70 }, () => 1));
  });

  it('refuses a name that the pipeline’s own metrics have, as a page would show it twice', () => {
    const rig = new PipelineRig();
    expect(
      refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () =>
        rig.counter({ name: 'offloop_records_dropped_total' }),
      ),
    ).to.contain('offloop_records_dropped_total');
  });

  it('refuses a metric more than memory holds, while the others are held', () => {
    const rig = new PipelineRig({ memory: { maxFamilies: 16 } });
    for (let index = 0; index < 16; index++) rig.counter({ name: `metric_${index}_total` }).inc();
    refusalOf('OFFLOOP_ERR_FAMILIES_FULL', () => rig.counter());
  });

  it('shows a metric declared before anything was used, and one declared after', async () => {
    const rig = new PipelineRig();
    const before = rig.counter({ name: 'before_total' });
    before.inc();
    rig.counter({ name: 'after_total' });
    before.inc();
    expect((await rig.samples()).map(({ name, value }) => [name, value])).to.deep.equal([
      ['before_total', 2],
      ['after_total', 0],
    ]);
  });

  it('is cut off from other registries and their pipelines', async () => {
    const rig = new PipelineRig();
    const other = new PipelineRig();
    const counters = [rig, other].map((one) => one.counter({ labelNames: ['a'] }));
    counters[0]?.inc({ a: 'x' }, 1);
    counters[1]?.inc({ a: 'y' }, 2);
    expect(await rig.registry.metrics())
      .to.include('test_total{a="x"} 1\n')
      .and.not.include('"y"');
    expect(await other.registry.metrics())
      .to.include('test_total{a="y"} 2\n')
      .and.not.include('"x"');
    expect(rig.pipeline.totals().recordedRecords).to.equal(1);
    await other.pipeline.close();
    counters[0]?.inc({ a: 'x' });
    expect(await rig.registry.metrics()).to.include('test_total{a="x"} 2\n');
  });

  it('has a page in which every histogram’s count equals its +Inf bucket', async () => {
    const rig = new PipelineRig();
    const histogram = rig.histogram({ labelNames: ['a'], buckets: [1, 2] });
    for (let index = 0; index < 50; index++) {
      histogram.observe({ a: String(index % 3) }, index % 5);
      for (const { samples } of await rig.families()) {
        for (const sample of samples.filter(({ name }) => name === 'test_seconds_count')) {
          const inf = samples.find(
            ({ labels }) =>
              labels.get('le') === '+Inf' && labels.get('a') === sample.labels.get('a'),
          );
          expect(inf?.value).to.equal(sample.value);
        }
      }
    }
  });
});

describe('a metric in the process’s pipeline', () => {
  it('is in the global register by default, and a private pipeline sees nothing of it', async () => {
    const { register } = await import('@offloop/core');
    const name = 'offloop_test_global_total';
    const counter = new Counter({ name, help: 'x' });
    try {
      expect(register.getSingleMetric(name)).to.equal(counter);
      expect(await new Registry(new Pipeline()).metrics()).to.equal('');
    } finally {
      register.removeSingleMetric(name);
    }
  });
});
