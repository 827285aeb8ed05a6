import { TEXT_CONTENT_TYPE } from '@offloop/core';
import { PIPELINE_FAMILIES } from '@offloop/core/internal/exposition/pipeline-families.js';
import { renderPage } from '@offloop/core/internal/exposition/render.js';
import { FamilyKind } from '@offloop/core/internal/layout/catalog.js';
import { seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import { Segment } from '@offloop/core/internal/layout/segment.js';
import { writeLiveValue } from '@offloop/core/internal/record/live-value.js';
import { expect } from 'chai';
import { parseExposition } from '../../support/exposition-parser.js';
import { PipelineRig } from '../pipeline-rig.js';
import { SegmentRig } from '../segment-rig.js';

async function pageOf(rig: PipelineRig): Promise<string> {
  const families = rig.registry.familyIds();
  const { bytes } = await rig.pipeline.render({ families, includePipeline: true });
  return Buffer.from(bytes).toString();
}

describe('text format', () => {
  it('has the content type of 0.0.4', () => {
    expect(TEXT_CONTENT_TYPE).to.equal('text/plain; version=0.0.4; charset=utf-8');
  });

  it('of an empty registry holds the pipeline’s own families, and nothing where those are not wanted', async () => {
    const rig = new PipelineRig();
    const families = parseExposition(await pageOf(rig));
    expect(families.map(({ name }) => name)).to.deep.equal(
      PIPELINE_FAMILIES.map(({ name }) => name),
    );
    const { bytes } = await rig.pipeline.render({ families: [], includePipeline: false });
    expect(bytes).to.have.length(0);
  });

  it('gives every family of the pipeline its help, its type and one sample, or one a cause', async () => {
    const families = parseExposition(await pageOf(new PipelineRig()));
    for (const [index, { name, type, help, label }] of PIPELINE_FAMILIES.entries()) {
      expect(families[index]).to.include({ name, type, help });
      const samples = families[index]?.samples ?? [];
      expect(samples.map(({ labels }) => [...labels.values()].join())).to.deep.equal(
        label?.values ?? [''],
      );
      expect(name.endsWith('_total')).to.equal(type === 'counter');
      expect(name).to.match(/^offloop_[a-z0-9_]+$/);
    }
  });

  it('shows books that balance', async () => {
    const rig = new PipelineRig({ ring: { capacityRecords: 256 } });
    const counter = rig.counter();
    rig.pipeline.producer.recorder.relieveWith(null);
    for (let index = 0; index < 300; index++) counter.inc();
    const value = new Map(
      parseExposition(await pageOf(rig)).map(({ name, samples }) => [name, samples[0]?.value]),
    );
    expect(value.get('offloop_records_offered_total')).to.equal(300);
    expect(value.get('offloop_records_recorded_total')).to.equal(256);
    expect(value.get('offloop_records_dropped_total')).to.equal(44);
    expect(value.get('offloop_records_aggregated_total')).to.equal(256);
    expect(value.get('offloop_backlog_records')).to.equal(0);
    expect(value.get('offloop_ring_capacity_records')).to.equal(256);
    expect(value.get('test_total')).to.equal(256);
  });

  it('separates families by a blank line and ends with one line feed', async () => {
    const rig = new PipelineRig();
    rig.counter();
    rig.histogram({ buckets: [1] });
    const page = await pageOf(rig);
    expect(page.endsWith('\n')).to.equal(true);
    expect(page.endsWith('\n\n')).to.equal(false);
    for (const block of page.split('\n\n')) expect(block).to.match(/^# HELP (\S+) .*\n# TYPE \1 /);
  });

  it('leaves out families that the catalog does not have', () => {
    const rig = new SegmentRig();
    rig.addSeries(rig.addFamily({ name: 'known' }));
    const { bytes } = renderPage(rig.segment, {
      families: [-1, 0, 1, 15, 16, 1e9],
      includePipeline: false,
    });
    expect(parseExposition(Buffer.from(bytes).toString()).map(({ name }) => name)).to.deep.equal([
      'known',
    ]);
  });

  it('shows a live value as it is', () => {
    const rig = new SegmentRig();
    const family = rig.addFamily({ kind: FamilyKind.liveGauge, name: 'live' });
    const block = seriesBlock(rig.segment, rig.addSeries(family));
    for (const [value, text] of [
      [1, '1'],
      [-1.5, '-1.5'],
      [2 ** 40, '1099511627776'],
      [Number.NaN, 'NaN'],
      [Number.POSITIVE_INFINITY, '+Inf'],
    ] as const) {
      writeLiveValue(rig.segment, block, value);
      const { bytes } = renderPage(rig.segment, { families: [family], includePipeline: false });
      expect(Buffer.from(bytes).toString()).to.include(`\nlive ${text}\n`);
    }
  });

  it('renders the same page from another thread’s view of the segment', async () => {
    const rig = new PipelineRig();
    const histogram = rig.histogram({ labelNames: ['a'] });
    for (const a of ['x', 'y"\\\n']) histogram.observe({ a }, 0.3);
    rig.counter({ help: 'line\nbreak \\' }).inc(1.5);
    const here = await rig.registry.metrics();
    const { bytes } = renderPage(Segment.attach(rig.pipeline.producer.segment.buffer), {
      families: rig.registry.familyIds(),
      includePipeline: false,
    });
    expect(Buffer.from(bytes).toString()).to.equal(here);
  });

  it('gives help texts back as they went in', async () => {
    const rig = new PipelineRig();
    const help = 'a \\ b \n c \\n d " e \r f \0 g 🚀';
    rig.counter({ help });
    const [family] = await rig.families();
    expect(family?.help).to.equal(help);
  });

  it('grows with its series beyond every buffer', async () => {
    const rig = new PipelineRig();
    const histogram = rig.histogram({ labelNames: ['a'] });
    for (let index = 0; index < 1000; index++) histogram.observe({ a: `${index}` }, index);
    const samples = await rig.samples();
    expect(samples).to.have.length(1000 * 14);
    expect(samples.at(-1)).to.deep.include({ name: 'test_seconds_count', value: 1 });
  });

  it('makes a sum that has overflowed +Inf', async () => {
    const rig = new PipelineRig();
    const histogram = rig.histogram({ buckets: [1] });
    histogram.observe(1.7e308);
    histogram.observe(1.7e308);
    expect(await rig.registry.metrics()).to.include('test_seconds_sum +Inf\n');
  });
});
