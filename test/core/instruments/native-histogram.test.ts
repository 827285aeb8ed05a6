import { Histogram } from '@offloop/core';
import { HttpMetrics } from '@offloop/core/adapter';
import { WIDE_SHAPE } from '@offloop/core/internal/aggregate/sketch-shape.js';
import { capture } from '@offloop/core/internal/exposition/capture.js';
import { capturedQuantile } from '@offloop/core/internal/exposition/captured-sketches.js';
import { expect } from 'chai';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

describe('a native histogram', () => {
  it('has classic buckets like any other, and the wide sketch beside them', async () => {
    const rig = new PipelineRig();
    const values = [-7, 0, 0.3, 1.5, 1.5, 9, 1e12];
    const native = rig.histogram({ name: 'native', buckets: [1, 2], native: true });
    const plain = rig.histogram({ name: 'plain', buckets: [1, 2] });
    for (const value of values) for (const one of [native, plain]) one.observe(value);
    const page = await rig.registry.metrics();
    const [first, second] = page.split('\n\n') as [string, string];
    expect(first.replaceAll('native', 'plain')).to.equal(second.trimEnd());

    const { segment } = rig.pipeline.producer;
    const needs = { sketches: true };
    const { families } = capture(segment, rig.registry.familyIds(), needs);
    const [{ family, sketches } = expect.fail('no family'), other] = families;
    expect(family.isNative).to.equal(true);
    expect(other?.family.isNative).to.equal(false);
    expect(other?.sketches).to.equal(undefined);
    if (sketches === undefined) throw new Error('no sketches');
    expect(sketches.shape).to.equal(WIDE_SHAPE);
    expect([...sketches.counts]).to.include(2);
    for (const [share, exact] of [
      [0.1, -7],
      [0.25, 0],
      [0.4, 0.3],
      [0.6, 1.5],
      [0.8, 9],
      [0.99, 1e12],
    ] as const)
      expect(capturedQuantile(sketches, 0, share)).to.be.closeTo(exact, Math.abs(exact) * 0.022);
  });

  it('may have no classic bucket but the one of everything', async () => {
    const rig = new PipelineRig();
    rig.histogram({ name: 'h', help: 'H.', buckets: [], native: true }).observe(3);
    expect(await rig.registry.metrics()).to.equal(
      '# HELP h H.\n# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_sum 3\nh_count 1\n',
    );
  });

  it('is the histogram of request durations, too, by its own sketch', () => {
    const rig = new PipelineRig();
    const http = new HttpMetrics(rig.pipeline, rig.registry);
    http.record(http.seriesIdOf('GET', '/', '200'), 0.25);
    const { segment } = rig.pipeline.producer;
    const { families } = capture(segment, rig.registry.familyIds(), { sketches: true });
    expect(families.map(({ family }) => [family.name, family.isNative])).to.deep.equal([
      ['http_requests_total', false],
      ['http_request_duration_seconds', true],
      ['http_requests_in_flight', false],
    ]);
  });

  it('is another metric than one that is not native, to getOrCreate()', () => {
    const rig = new PipelineRig();
    const config = { name: 'h', help: 'h', registers: [rig.registry] };
    const first = Histogram.getOrCreate({ ...config, native: true });
    expect(Histogram.getOrCreate({ ...config, native: true })).to.equal(first);
    expect(
      refusalOf('OFFLOOP_ERR_DUPLICATE_METRIC', () => Histogram.getOrCreate(config)),
    ).to.include('another native: true, got false');
  });

  it('refuses a native that is no boolean', () => {
    const native = 'yes' as unknown as boolean;
    expect(
      refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () => new PipelineRig().histogram({ native })),
    ).to.equal('native must be true or false, got "yes"');
  });

  it('folds into its overflow series when the memory has no room for another sketch', async () => {
    const rig = new PipelineRig({ memory: { aggregateBytes: 4 * 5_140 * 8 } });
    const native = rig.histogram({ labelNames: ['n'], buckets: [], native: true });
    for (let n = 0; n < 10; n++) native.observe({ n }, n);
    const samples = (await rig.samples()).filter(({ name }) => name.endsWith('_count'));
    expect(samples.map(({ labels, value }) => [labels.get('n'), value])).to.deep.equal([
      ['0', 1],
      ['1', 1],
      ['2', 1],
      ['__overflow__', 7],
    ]);
  });
});
