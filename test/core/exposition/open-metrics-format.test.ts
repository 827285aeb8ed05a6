import { OPEN_METRICS_CONTENT_TYPE } from '@offloop/core';
import { formatCanonical } from '@offloop/core/internal/exposition/open-metrics-format.js';
import { PIPELINE_FAMILIES } from '@offloop/core/internal/exposition/pipeline-families.js';
import { renderPage } from '@offloop/core/internal/exposition/render.js';
import { FamilyKind } from '@offloop/core/internal/layout/catalog.js';
import { seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import { Segment } from '@offloop/core/internal/layout/segment.js';
import { writeLiveValue } from '@offloop/core/internal/record/live-value.js';
import { expect } from 'chai';
import {
  familiesOf,
  needOpenMetricsParser,
  type OpenMetricsParser,
} from '../../support/open-metrics-parser.js';
import { atTime } from '../at-time.js';
import { PipelineRig } from '../pipeline-rig.js';
import { SegmentRig } from '../segment-rig.js';

async function pageOf(rig: PipelineRig, includePipeline = false): Promise<string> {
  const families = rig.registry.familyIds();
  const { bytes } = await rig.pipeline.render({ families, includePipeline, format: 'openMetrics' });
  return Buffer.from(bytes).toString();
}

describe('OpenMetrics', function () {
  this.timeout(30_000);
  let parse: OpenMetricsParser;

  before(function () {
    parse = needOpenMetricsParser(this);
  });

  it('has a judge that refuses bad pages', () => {
    for (const page of [
      '',
      '# TYPE a counter\na 1\n# EOF',
      '\n# EOF\n',
      '# TYPE a counter\na_total 1\n',
      '# TYPE a counter\na_total -1\n# EOF\n',
      '# TYPE a counter\na_total 1\n# TYPE a gauge\na 1\n# EOF\n',
      '# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_sum -1\nh_count 1\n# EOF\n',
    ]) {
      expect(parse([page])[0], page).to.have.property('error');
    }
  });

  it('has the content type of 1.0.0', () => {
    expect(OPEN_METRICS_CONTENT_TYPE).to.equal(
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    );
  });

  it('of nothing is a valid page', async () => {
    const page = await pageOf(new PipelineRig());
    expect(page).to.equal('# EOF\n');
    expect(familiesOf(parse, page)).to.deep.equal([]);
  });

  it('writes counters, histograms and their metadata as the specification shows them', async () => {
    const rig = new PipelineRig();
    atTime(1_700_000_000_250, () => {
      rig.counter({ name: 'jobs_total', help: 'Jobs "done".', labelNames: ['queue'] }).inc({
        queue: 'a"b\\c\nd',
      });
    });
    atTime(1_700_000_001_000, () => {
      rig
        .histogram({ name: 'job_seconds', help: 'Time\nof \\ a job.', buckets: [0.25, 1, 1e6] })
        .observe(0.5);
    });
    expect(await pageOf(rig)).to.equal(
      [
        '# TYPE jobs counter',
        '# HELP jobs Jobs \\"done\\".',
        'jobs_total{queue="a\\"b\\\\c\\nd"} 1',
        'jobs_created{queue="a\\"b\\\\c\\nd"} 1700000000.25',
        '# TYPE job_seconds histogram',
        '# UNIT job_seconds seconds',
        '# HELP job_seconds Time\\nof \\\\ a job.',
        'job_seconds_bucket{le="0.25"} 0',
        'job_seconds_bucket{le="1.0"} 1',
        'job_seconds_bucket{le="1e+06"} 1',
        'job_seconds_bucket{le="+Inf"} 1',
        'job_seconds_sum 0.5',
        'job_seconds_count 1',
        'job_seconds_created 1700000001',
        '# EOF',
        '',
      ].join('\n'),
    );
    const [jobs, seconds] = familiesOf(parse, await pageOf(rig));
    expect(jobs).to.include({ name: 'jobs', type: 'counter', unit: '', help: 'Jobs "done".' });
    expect(seconds).to.include({ type: 'histogram', unit: 'seconds', help: 'Time\nof \\ a job.' });
  });

  it('shows every family of the pipeline, its samples under the names of the text format', async () => {
    const families = familiesOf(parse, await pageOf(new PipelineRig(), true));
    expect(families.map(({ type, samples }) => [samples[0]?.name, type])).to.deep.equal(
      PIPELINE_FAMILIES.map(({ name, type }) => [name, type]),
    );
    const inSeconds = (part: string) => [`offloop_event_loop_${part}_seconds`, 'seconds'];
    const units = families.filter(({ unit }) => unit !== '').map(({ name, unit }) => [name, unit]);
    expect(units).to.deep.equal([
      ['offloop_drain_seconds', 'seconds'],
      ['offloop_render_seconds', 'seconds'],
      ['offloop_segment_bytes', 'bytes'],
      ...['lag_avg', 'lag_p95', 'lag_p99', 'lag_max'].map(inSeconds),
      ['offloop_event_loop_utilization_ratio', 'ratio'],
      ...['blocked', 'longest_stall', 'stall'].map(inSeconds),
    ]);
  });

  it('renames no sample, whatever a counter is called, and nothing that lives', async () => {
    const rig = new PipelineRig();
    const names = ['plain', 'jobs', 'jobs_total', 'free_total', '_total', 'x_created', 'x_total'];
    for (const name of names) rig.counter({ name }).inc();
    const families = familiesOf(parse, await pageOf(rig));
    const shown = families.flatMap(({ samples }) => samples.map(({ name }) => name));
    expect(shown.filter((name) => name !== 'free_created')).to.deep.equal(names);
    expect(families.filter(({ type }) => type === 'counter').map(({ name }) => name)).to.deep.equal(
      ['free'],
    );
    expect((await rig.families()).map(({ name, type }) => [name, type])).to.deep.equal(
      names.map((name) => [name, 'counter']),
    );
    expect((await rig.registry.getMetricsAsJSON()).map(({ name }) => name)).to.deep.equal(names);
  });

  it('writes summaries with canonical quantiles, and NaN for one without observations', async () => {
    const rig = new PipelineRig();
    const percentiles = [0, 0.00001, 0.5, 0.999, 1];
    atTime(1_500, () => {
      rig.summary({ name: 'empty_seconds', percentiles });
      const summary = rig.summary({ name: 'delay_seconds', percentiles: [1], labelNames: ['a'] });
      summary.observe({ a: 'x' }, 0);
    });
    const page = await pageOf(rig);
    expect(page).to.equal(
      [
        '# TYPE empty_seconds summary',
        '# UNIT empty_seconds seconds',
        '# HELP empty_seconds A summary.',
        ...['0.0', '1e-05', '0.5', '0.999', '1.0'].map(
          (share) => `empty_seconds{quantile="${share}"} NaN`,
        ),
        'empty_seconds_sum 0',
        'empty_seconds_count 0',
        'empty_seconds_created 1.5',
        '# TYPE delay_seconds summary',
        '# UNIT delay_seconds seconds',
        '# HELP delay_seconds A summary.',
        'delay_seconds{quantile="1.0",a="x"} 0',
        'delay_seconds_sum{a="x"} 0',
        'delay_seconds_count{a="x"} 1',
        'delay_seconds_created{a="x"} 1.5',
        '# EOF',
        '',
      ].join('\n'),
    );
    expect(familiesOf(parse, page).map(({ type }) => type)).to.deep.equal(['summary', 'summary']);
  });

  it('leaves out of a summary what may not be negative: quantiles and the sum', async () => {
    const rig = new PipelineRig();
    const summary = rig.summary({ name: 'drift', percentiles: [0.1, 0.9] });
    for (const value of [-5, -5, 1]) summary.observe(value);
    const [drift] = familiesOf(parse, await pageOf(rig));
    expect(drift?.samples.map(({ name, labels }) => [name, labels['quantile']])).to.deep.equal([
      ['drift', '0.9'],
      ['drift_count', undefined],
      ['drift_created', undefined],
    ]);
  });

  it('says when each series began, and again when one begins anew', async () => {
    const rig = new PipelineRig();
    const jobs = rig.counter({ name: 'jobs_total', labelNames: ['queue'] });
    const seconds = rig.histogram({ name: 'job_seconds', buckets: [1] });
    atTime(1_000, () => {
      jobs.inc({ queue: 'mail' });
      jobs.inc({ queue: 'disk' });
      // Lays its series at the metric's first use; begun again here, as all of these are.
      seconds.reset();
    });
    const createdOf = async () => {
      const samples = familiesOf(parse, await pageOf(rig)).flatMap(({ samples }) => samples);
      const created = samples.filter(({ name }) => name.endsWith('_created'));
      return created.map(({ name, labels, value }) => [name, labels['queue'], value]);
    };
    expect(await createdOf()).to.deep.equal([
      ['jobs_created', 'mail', 1],
      ['jobs_created', 'disk', 1],
      ['job_seconds_created', undefined, 1],
    ]);
    atTime(2_500, () => {
      jobs.remove('mail');
      seconds.reset();
    });
    atTime(3_125, () => jobs.inc({ queue: 'mail' }));
    expect(await createdOf()).to.deep.equal([
      ['jobs_created', 'disk', 1],
      ['jobs_created', 'mail', 3.125],
      ['job_seconds_created', undefined, 2.5],
    ]);
  });

  it('says when a histogram without a sum began, and not where another metric has that name', async () => {
    const rig = new PipelineRig();
    rig.histogram({ name: 'signed', buckets: [-1, 1] }).observe(0.5);
    expect(await pageOf(rig)).to.match(
      /\nsigned_bucket{le="\+Inf"} 1\nsigned_created \d+\.?\d*\n#/,
    );
    familiesOf(parse, await pageOf(rig));
    rig.counter({ name: 'signed_created' });
    expect((await pageOf(rig)).match(/^signed_created .*/gm)).to.deep.equal(['signed_created 0']);
  });

  it('leaves the sum and the count out where the sum is no counter', async () => {
    const rig = new PipelineRig();
    rig.histogram({ name: 'signed', buckets: [-1, 1] }).observe(0.5);
    const fallen = rig.histogram({ name: 'fallen', buckets: [1], labelNames: ['a'] });
    fallen.observe({ a: 'down' }, -2);
    fallen.observe({ a: 'up' }, 2);
    const torn = rig.histogram({ name: 'torn', buckets: [1], labelNames: ['a'] });
    for (const value of [1.7e308, 1.7e308, -1.7e308, -1.7e308]) torn.observe({ a: 'inf' }, value);
    const page = await pageOf(rig);
    expect(page).to.not.match(/signed_(sum|count)|a="down"} -2/);
    expect(page).to.include('fallen_sum{a="up"} 2\nfallen_count{a="up"} 1\n');
    expect(page).to.match(
      /fallen_bucket{le="\+Inf",a="down"} 1\nfallen_created{a="down"} .*\nfallen_bucket{le="1.0",a="up"} 0/,
    );
    familiesOf(parse, page);
  });

  it('shows a gauge of any value', () => {
    const rig = new SegmentRig();
    const family = rig.addFamily({ kind: FamilyKind.liveGauge, name: 'live_total' });
    const block = seriesBlock(rig.segment, rig.addSeries(family));
    const values = [1, -1.5, 2 ** 60, 5e-324, 1e21, -0, Number.NaN, Number.NEGATIVE_INFINITY];
    const pages = values.map((value) => {
      writeLiveValue(rig.segment, block, value);
      const { bytes } = renderPage(rig.segment, {
        families: [family],
        includePipeline: false,
        format: 'openMetrics',
      });
      return Buffer.from(bytes).toString();
    });
    const read = parse(pages).map((page) =>
      'error' in page ? page.error : page.families[0]?.samples[0]?.value,
    );
    // Python has no whole number -0.
    expect(read).to.deep.equal(values.map((value) => (value === 0 ? 0 : value)));
    expect(pages[values.findIndex((value) => Object.is(value, -0))]).to.include(
      '\nlive_total -0\n',
    );
  });

  it('renders the same page from another thread’s view of the segment', async () => {
    const rig = new PipelineRig();
    rig.histogram({ labelNames: ['a'] }).observe({ a: 'x' }, 0.3);
    rig.counter().inc(1.5);
    const here = await pageOf(rig);
    const { bytes } = renderPage(Segment.attach(rig.pipeline.producer.segment.buffer), {
      families: rig.registry.familyIds(),
      includePipeline: false,
      format: 'openMetrics',
    });
    expect(Buffer.from(bytes).toString()).to.equal(here);
  });

  it('puts default labels on every sample of the registry', async () => {
    const rig = new PipelineRig();
    rig.counter({ labelNames: ['a'] }).inc({ a: 'x' });
    rig.histogram({ buckets: [1] }).observe(2);
    rig.registry.setDefaultLabels({ app: 'y"\\\nz' });
    const { bytes } = await rig.pipeline.render({
      families: rig.registry.familyIds(),
      includePipeline: false,
      format: 'openMetrics',
      defaultLabels: rig.registry.defaultLabels,
    });
    const samples = familiesOf(parse, bytes).flatMap((family) => family.samples);
    expect(samples).to.have.length(7);
    for (const { labels } of samples) expect(labels['app']).to.equal('y"\\\nz');
  });

  it('is read as it stands with the default buckets, labels and an overflow series', async () => {
    const rig = new PipelineRig();
    const histogram = rig.histogram({ labelNames: ['a', 'b'], maxSeries: 3 });
    for (let index = 0; index < 10; index++) histogram.observe({ a: index, b: 'x # y' }, index);
    const [family] = familiesOf(parse, await pageOf(rig));
    expect(family?.samples).to.have.length(4 * 15);
    const bounds = family?.samples.slice(0, 12).map(({ labels }) => labels['le']);
    expect(bounds?.join(' ')).to.equal('0.005 0.01 0.025 0.05 0.1 0.25 0.5 1.0 2.5 5.0 10.0 +Inf');
  });
});

describe('formatCanonical', () => {
  const numbers: [number, string][] = [
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [10, '10.0'],
    [0.001, '0.001'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1e-10, '1e-10'],
    [123_456, '123456.0'],
    [999_999.5, '999999.5'],
    [1e6, '1e+06'],
    [1_234_567.5, '1.2345675e+06'],
    [1e10, '1e+10'],
    [1e100, '1e+100'],
    [-2.5e-7, '-2.5e-07'],
    [-100, '-100.0'],
    [5e-324, '5e-324'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
  ];
  for (const [value, text] of numbers) {
    it(`writes ${text}`, () => {
      expect(formatCanonical(value)).to.equal(text);
      if (Number.isFinite(value)) expect(Number(text)).to.equal(value);
    });
  }
});
