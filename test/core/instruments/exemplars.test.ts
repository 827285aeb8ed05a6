import { Counter, isOffloopError, type MetricObjectWithValues, Registry } from '@offloop/core';
import { CATALOG_END } from '@offloop/core/internal/layout/control-block.js';
import { expect } from 'chai';
import * as prom from 'prom-client';
import {
  familiesOf,
  needOpenMetricsParser,
  type OpenMetricsParser,
} from '../../support/open-metrics-parser.js';
import { atTime } from '../at-time.js';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

const TRACE = { trace_id: 'abc', span_id: 'def' };

async function pageOf(rig: PipelineRig, format: 'text' | 'openMetrics'): Promise<string> {
  const families = rig.registry.familyIds();
  const { bytes } = await rig.pipeline.render({ families, includePipeline: false, format });
  return Buffer.from(bytes).toString();
}

/** Exemplars in JSON, by `le` or `total`. */
function exemplarsIn({ values }: MetricObjectWithValues): Record<string, unknown> {
  return Object.fromEntries(
    values.flatMap(({ exemplar, labels }) =>
      exemplar ? [[labels['le'] ?? 'total', exemplar]] : [],
    ),
  );
}

describe('exemplars', function () {
  this.timeout(30_000);

  describe('on a page', () => {
    let parse: OpenMetricsParser;

    before(function () {
      parse = needOpenMetricsParser(this);
    });

    it('stand on the lines of buckets and counters in OpenMetrics, and nowhere in the text format', async () => {
      const rig = new PipelineRig();
      const jobs = rig.counter({
        name: 'jobs_total',
        labelNames: ['queue'],
        enableExemplars: true,
      });
      const seconds = rig.histogram({ name: 'job', buckets: [0.25, 1], enableExemplars: true });
      atTime(1_700_000_000_125, () => {
        jobs.inc({ labels: { queue: 'mail' }, value: 3, exemplarLabels: TRACE });
        jobs.inc({ labels: { queue: 'disk' }, value: 4 });
        seconds.observe({ value: 0.5, exemplarLabels: { trace_id: 'a"b\\c\nd' } });
        seconds.observe({ value: 7, exemplarLabels: { n: 1 } });
      });
      const page = await pageOf(rig, 'openMetrics');
      expect(page).to.include(
        'jobs_total{queue="mail"} 3 # {trace_id="abc",span_id="def"} 3 1700000000.125\n',
      );
      expect(page).to.include('jobs_total{queue="disk"} 4\n');
      expect(page).to.include('job_bucket{le="0.25"} 0\n');
      expect(page).to.include(
        'job_bucket{le="1.0"} 1 # {trace_id="a\\"b\\\\c\\nd"} 0.5 1700000000.125\n',
      );
      expect(page).to.include('job_bucket{le="+Inf"} 2 # {n="1"} 7 1700000000.125\n');
      const samples = familiesOf(parse, page).flatMap((family) => family.samples);
      expect(samples.flatMap(({ exemplar }) => (exemplar ? [exemplar] : []))).to.deep.equal([
        { labels: TRACE, value: 3, timestamp: 1_700_000_000.125 },
        { labels: { trace_id: 'a"b\\c\nd' }, value: 0.5, timestamp: 1_700_000_000.125 },
        { labels: { n: '1' }, value: 7, timestamp: 1_700_000_000.125 },
      ]);
      expect(await pageOf(rig, 'text')).to.not.include(' # ');
    });

    it('stand with no counter that has to be of type unknown', async () => {
      const rig = new PipelineRig();
      rig.counter({ name: 'plain', enableExemplars: true }).inc({ exemplarLabels: TRACE });
      const page = await pageOf(rig, 'openMetrics');
      expect(page).to.include('\nplain 1\n');
      familiesOf(parse, page);
    });

    it('of the greatest length are read', async () => {
      const rig = new PipelineRig();
      const counter = rig.counter({ name: 'c_total', enableExemplars: true });
      for (const value of ['x'.repeat(127), 'é'.repeat(100), '"'.repeat(127)]) {
        counter.inc({ exemplarLabels: { n: value } });
        const [family] = familiesOf(parse, await pageOf(rig, 'openMetrics'));
        expect(family?.samples[0]?.exemplar?.labels).to.deep.equal({ n: value });
      }
    });
  });

  it('have prom-client 15’s shape in JSON', async () => {
    const rig = new PipelineRig();
    const registry = new prom.Registry();
    registry.setContentType(prom.Registry.OPENMETRICS_CONTENT_TYPE as never);
    const registers = [registry];
    const histogram = { name: 'h', help: 'h', buckets: [1, 2], enableExemplars: true };
    const counter = { name: 'c', help: 'c', labelNames: ['a'], enableExemplars: true };
    const fill = (h: prom.Histogram, c: prom.Counter): void => {
      h.observe({ value: 1, exemplarLabels: TRACE });
      h.observe({ value: 0.5, exemplarLabels: TRACE });
      h.observe({ value: 0.25 });
      h.observe({ value: 3, exemplarLabels: TRACE, labels: {} });
      c.inc({ labels: { a: 'x' }, value: 2, exemplarLabels: TRACE });
      c.inc({ labels: { a: 'x' }, exemplarLabels: TRACE });
      c.inc({ labels: { a: 'y' } });
    };
    const theirs = [
      new prom.Histogram({ ...histogram, registers }),
      new prom.Counter({ ...counter, registers }),
    ] as const;
    const ours = [
      rig.histogram(histogram as never),
      rig.counter(counter as never),
    ] as unknown as typeof theirs;
    for (const [h, c] of [theirs, ours]) atTime(1_700_000_000_125, () => fill(h, c));
    for (const index of [0, 1] as const) {
      const expected: unknown = JSON.parse(JSON.stringify(await theirs[index].get()));
      expect(JSON.parse(JSON.stringify(await ours[index].get()))).to.deep.equal(expected);
    }
  });

  it('come with timers, of both label sets', async () => {
    const rig = new PipelineRig();
    const histogram = rig.histogram({
      labelNames: ['a', 'b'],
      buckets: [60],
      enableExemplars: true,
    });
    const end = histogram.startTimer({ a: 'x' }, { trace_id: 'abc' });
    const seconds = end({ b: 'y' }, { span_id: 'def' });
    const [value] = (await histogram.get()).values;
    expect(value?.labels).to.deep.equal({ le: 60, a: 'x', b: 'y' });
    expect(value?.exemplar).to.deep.include({ labelSet: TRACE, value: seconds });
    const child = histogram.labels('x', 'z');
    child.startTimer({ trace_id: 'child' })({ span_id: 's' });
    expect((await histogram.get()).values.at(-4)?.exemplar).to.deep.include({
      labelSet: { trace_id: 'child', span_id: 's' },
    });
  });

  it('come from children, which prom-client’s do not bring', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a'], enableExemplars: true });
    const child = counter.labels('x');
    child.inc();
    child.inc(2);
    child.inc({ value: 3, exemplarLabels: TRACE });
    child.inc({ exemplarLabels: { trace_id: 'last' } });
    const [value] = (await counter.get()).values;
    expect(value).to.deep.include({ value: 7 });
    expect(value?.exemplar).to.deep.include({ labelSet: { trace_id: 'last' }, value: 1 });
    const histogram = rig.histogram({ labelNames: ['a'], buckets: [1], enableExemplars: true });
    histogram.labels('x').observe(0.5);
    histogram.labels({ a: 'x' }).observe({ value: 0.75, exemplarLabels: TRACE });
    expect(exemplarsIn(await histogram.get())).to.have.keys('1');
  });

  it('leave plain calls as they are', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a'], enableExemplars: true });
    counter.inc({ a: 'x' });
    counter.inc({ a: 'x' }, 2);
    counter.inc({}, 5);
    counter.inc(6);
    expect((await counter.get()).values.map(({ value }) => value)).to.deep.equal([3, 11]);
    const histogram = rig.histogram({ labelNames: ['a'], enableExemplars: true });
    histogram.observe({ a: 'x' }, 1);
    histogram.observe(2);
    expect(
      (await histogram.get()).values.filter(({ metricName }) => metricName?.endsWith('_sum')),
    ).to.have.length(2);
    refusalOf('OFFLOOP_ERR_VALUE', () => counter.inc(-1));
    refusalOf('OFFLOOP_ERR_VALUE', () => counter.inc({ value: Number.NaN, exemplarLabels: TRACE }));
    refusalOf('OFFLOOP_ERR_VALUE', () => histogram.observe({ exemplarLabels: TRACE }));
    refusalOf('OFFLOOP_ERR_LABELS', () =>
      counter.inc({ labels: { b: 'x' }, exemplarLabels: TRACE } as never),
    );
  });

  it('are no part of a metric that has not enabled them', async () => {
    const rig = new PipelineRig();
    refusalOf('OFFLOOP_ERR_LABELS', () => rig.counter().inc({ exemplarLabels: TRACE } as never));
    refusalOf('OFFLOOP_ERR_VALUE', () => rig.histogram().labels().observe({ value: 1 }));
    refusalOf('OFFLOOP_ERR_DUPLICATE_METRIC', () =>
      Counter.getOrCreate({
        name: 'test_total',
        help: 'A counter.',
        registers: [rig.registry],
        enableExemplars: true,
      }),
    );
  });

  it('need no OpenMetrics registry: a scraper asks for the format it wants', async () => {
    const rig = new PipelineRig();
    const histogram = rig.histogram({ buckets: [1], enableExemplars: true });
    histogram.observe({ value: 0.5, exemplarLabels: { trace_id: 'abc' } });
    expect(rig.registry.contentType).to.equal(Registry.PROMETHEUS_CONTENT_TYPE);
    expect(await pageOf(rig, 'openMetrics')).to.match(
      /_bucket\{le="1.0"\} 1 # \{trace_id="abc"\} 0.5 /,
    );
    expect(await rig.registry.metrics()).to.not.include('abc');
  });

  it('with a NUL in a value are refused, as Prometheus would lose the page', () => {
    const counter = new PipelineRig().counter({ enableExemplars: true });
    const message = refusalOf('OFFLOOP_ERR_EXEMPLAR', () =>
      counter.inc({ exemplarLabels: { trace_id: 'a\0b' } }),
    );
    expect(message).to.equal('exemplarLabels.trace_id must have no NUL in it, got "a\\u0000b"');
  });

  it('of more than 128 characters are refused with prom-client’s error, and the observation is counted', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ enableExemplars: true });
    counter.inc({ exemplarLabels: { n: '🦊'.repeat(50) } });
    for (const labels of [
      { n: 'x'.repeat(128) },
      { n: '🦊'.repeat(128) },
      { n: 'x'.repeat(1e6) },
    ]) {
      try {
        counter.inc({ exemplarLabels: labels });
        expect.fail('was to be refused');
      } catch (error) {
        expect(error).to.be.instanceOf(RangeError);
        expect(isOffloopError(error, 'OFFLOOP_ERR_EXEMPLAR')).to.equal(true);
        expect((error as Error).message).to.equal(
          'Label set size must be smaller than 128 UTF-8 chars',
        );
      }
    }
    expect(
      refusalOf('OFFLOOP_ERR_EXEMPLAR', () => counter.inc({ exemplarLabels: { 'trace-id': 'x' } })),
    ).to.include('"trace-id"');
    const metric = await counter.get();
    expect(metric.values[0]?.value).to.equal(5);
    expect(metric.values[0]?.exemplar).to.deep.include({ labelSet: { n: '🦊'.repeat(50) } });
  });

  it('without labels leave the one from before', async () => {
    const counter = new PipelineRig().counter({ enableExemplars: true });
    counter.inc({ exemplarLabels: TRACE });
    for (const exemplarLabels of [undefined, {}, { trace_id: undefined }]) {
      counter.inc({ value: 5, exemplarLabels });
    }
    const [value] = (await counter.get()).values;
    expect(value?.exemplar).to.deep.include({ labelSet: TRACE, value: 1 });
  });

  it('beyond their room in UTF-8 are left out, and the observation is not', async () => {
    const counter = new PipelineRig().counter({ enableExemplars: true });
    counter.inc({ exemplarLabels: TRACE });
    counter.inc({ exemplarLabels: { n: '日'.repeat(100) } });
    const [value] = (await counter.get()).values;
    expect(value).to.deep.include({ value: 2 });
    expect(value?.exemplar).to.deep.include({ labelSet: TRACE });
  });

  it('leave their room to names and labels: they end where half of the catalog is used, and observations go on', async () => {
    const rig = new PipelineRig({ memory: { catalogBytes: 65_536 } });
    const histogram = rig.histogram({ labelNames: ['a'], enableExemplars: true });
    const buckets = [0.001, 0.02, 0.3, 4, 50];
    for (let index = 0; index < 200; index++) {
      for (const value of buckets) {
        histogram.observe({ labels: { a: index }, value, exemplarLabels: { n: `${index}` } });
      }
    }
    const metric = await histogram.get();
    const shown = metric.values.filter(({ exemplar }) => exemplar).length;
    expect(shown).to.be.within(50, 65_536 / 2 / 256);
    const counts = metric.values.filter(({ metricName }) => metricName?.endsWith('_count'));
    expect(counts.map(({ value }) => value)).to.deep.equal(Array(200).fill(5));
    for (const { exemplar, labels } of metric.values) {
      if (exemplar) expect(exemplar.labelSet['n']).to.equal(labels['a']);
    }
    expect(rig.pipeline.totals().seriesRefused).to.equal(0);
  });

  it('go with their series, and no other series shows them', async () => {
    const rig = new PipelineRig();
    const histogram = rig.histogram({ labelNames: ['a'], buckets: [1], enableExemplars: true });
    const plain = rig.histogram({ name: 'plain', labelNames: ['a'], buckets: [1] });
    const end = () => rig.pipeline.producer.segment.control[CATALOG_END] as number;
    let used = 0;
    for (let round = 0; round < 6; round++) {
      for (let index = 0; index < 100; index++) {
        const labels = { a: `${round}.${index}` };
        histogram.observe({ labels, value: 0.5, exemplarLabels: { n: labels.a } });
        plain.observe(labels, 0.5);
      }
      const found = (await histogram.get()).values.filter(({ exemplar }) => exemplar);
      expect(found).to.have.length(100);
      for (const { exemplar, labels } of found) {
        expect(exemplar?.labelSet['n']).to.equal(labels['a']);
      }
      expect(exemplarsIn(await plain.get())).to.deep.equal({});
      histogram.reset();
      plain.reset();
      expect((await histogram.get()).values).to.deep.equal([]);
      if (round === 2) used = end();
    }
    expect(end()).to.be.at.most(used + 4_096);
  });

  it('of a dropped observation are none', async () => {
    const rig = new PipelineRig({ ring: { capacityRecords: 256 } });
    const counter = rig.counter({ enableExemplars: true });
    rig.pipeline.producer.recorder.relieveWith(null);
    for (let index = 0; index < 300; index++) counter.inc({ exemplarLabels: { n: index } });
    const [value] = (await counter.get()).values;
    expect(value?.exemplar).to.deep.include({ labelSet: { n: '255' } });
  });
});
