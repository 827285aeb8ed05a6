import { renderPage } from '@offloop/core/internal/exposition/render.js';
import { expect } from 'chai';
import { decodeFamilies } from '../../support/protobuf-decoder.js';
import { atTime } from '../at-time.js';
import { PipelineRig } from '../pipeline-rig.js';

const label = (name: string, value: string) => ({ name, value });
const timestamp = { seconds: 1_700_000_000, nanos: 125_000_000 };

describe('exemplars in protobuf', () => {
  for (const native of [false, true]) {
    it(`stand in counters and ${native ? 'native' : 'classic'} histograms`, async () => {
      const rig = new PipelineRig();
      const counter = rig.counter({ enableExemplars: true });
      const histogram = rig.histogram({ buckets: [1, 2], native, enableExemplars: true });
      const long = 'é'.repeat(90);
      atTime(1_700_000_000_125, () => {
        counter.inc({ value: 3, exemplarLabels: { trace_id: 'abc', n: 1 } });
        histogram.observe({ value: 1.5, exemplarLabels: { n: long } });
        histogram.observe({ value: 7, exemplarLabels: { n: 'last' } });
      });
      await rig.pipeline.flush();
      const { bytes } = renderPage(rig.pipeline.producer.segment, {
        families: rig.registry.familyIds(),
        includePipeline: false,
        format: 'protobuf',
      });
      const [total, seconds] = decodeFamilies(bytes);
      expect(total?.metric?.[0]?.counter?.exemplar).to.deep.equal({
        label: [label('trace_id', 'abc'), label('n', '1')],
        value: 3,
        timestamp,
      });
      const content = seconds?.metric?.[0]?.histogram;
      expect(content?.sample_count).to.equal(2);
      expect(content?.schema === undefined).to.equal(!native);
      expect(content?.bucket).to.deep.equal([
        { cumulative_count: 0, upper_bound: 1 },
        {
          cumulative_count: 1,
          upper_bound: 2,
          exemplar: { label: [label('n', long)], value: 1.5, timestamp },
        },
        {
          cumulative_count: 2,
          upper_bound: Number.POSITIVE_INFINITY,
          exemplar: { label: [label('n', 'last')], value: 7, timestamp },
        },
      ]);
    });
  }

  it('come under names in UTF-8 or escaped, as everything does', async () => {
    const rig = new PipelineRig();
    rig.counter({ name: 'my.jobs', labelNames: ['a.b'], utf8Names: true }).inc({ 'a.b': 'x' });
    await rig.pipeline.flush();
    const shown = (['allow-utf-8', 'values'] as const).map((escaping) => {
      const { bytes } = renderPage(rig.pipeline.producer.segment, {
        families: rig.registry.familyIds(),
        includePipeline: false,
        format: 'protobuf',
        escaping,
      });
      const [family] = decodeFamilies(bytes);
      return [family?.name, family?.metric?.[0]?.label];
    });
    expect(shown).to.deep.equal([
      ['my.jobs', [label('a.b', 'x')]],
      ['U__my_2e_jobs', [label('U__a_2e_b', 'x')]],
    ]);
  });
});
