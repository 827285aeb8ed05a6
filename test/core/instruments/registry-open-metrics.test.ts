import { Registry } from '@offloop/core';
import { expect } from 'chai';
import {
  familiesOf,
  needOpenMetricsParser,
  type OpenMetricsParser,
} from '../../support/open-metrics-parser.js';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

const { OPENMETRICS_CONTENT_TYPE, PROMETHEUS_CONTENT_TYPE } = Registry;

describe('an OpenMetrics registry', function () {
  this.timeout(30_000);
  let parse: OpenMetricsParser;

  before(function () {
    parse = needOpenMetricsParser(this);
  });

  function openRig(): PipelineRig {
    const rig = new PipelineRig();
    rig.registry.setContentType(OPENMETRICS_CONTENT_TYPE);
    return rig;
  }

  it('is made with prom-client’s constant, and changes its type as often as it is told to', async () => {
    expect(OPENMETRICS_CONTENT_TYPE).to.equal(
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    );
    const registry = new Registry(OPENMETRICS_CONTENT_TYPE);
    expect(registry.contentType).to.equal(OPENMETRICS_CONTENT_TYPE);
    expect(await registry.metrics()).to.equal('# EOF\n');
    registry.setContentType(PROMETHEUS_CONTENT_TYPE);
    expect(registry.contentType).to.equal(PROMETHEUS_CONTENT_TYPE);
    expect(await registry.metrics()).to.equal('');
    refusalOf('OFFLOOP_ERR_ARGUMENT', () =>
      registry.setContentType('application/openmetrics-text' as never),
    );
    expect(registry.contentType).to.equal(PROMETHEUS_CONTENT_TYPE);
  });

  it('writes its page and each metric in OpenMetrics, default labels and exemplars included', async () => {
    const rig = openRig();
    rig.registry.setDefaultLabels({ app: 'z' });
    rig.counter({ name: 'a_total', enableExemplars: true }).inc({ exemplarLabels: { n: 'x' } });
    rig.histogram({ name: 'b', buckets: [1] }).observe(2);
    const page = await rig.registry.metrics();
    const families = familiesOf(parse, page);
    expect(families.map(({ name }) => name)).to.deep.equal(['a', 'b']);
    expect(families[0]?.samples[0]).to.deep.include({ labels: { app: 'z' }, value: 1 });
    expect(families[0]?.samples[0]?.exemplar?.labels).to.deep.equal({ n: 'x' });
    const single = await rig.registry.getSingleMetricAsString('a_total');
    expect(single).to.match(/^# TYPE a counter\n/);
    expect(page.startsWith(`${single}\n# TYPE b histogram\n`)).to.equal(true);
  });

  it('shows metrics of several pipelines in one page that ends once', async () => {
    const rig = openRig();
    rig.counter({ name: 'a_total' }).inc();
    rig.registry.registerMetric(new PipelineRig().counter({ name: 'b_total' }));
    const families = familiesOf(parse, await rig.registry.metrics());
    expect(families.map(({ name }) => name)).to.deep.equal(['a', 'b']);
  });

  it('is merged with its like only', async () => {
    const rigs = [openRig(), openRig()];
    rigs[0]?.counter({ name: 'a_total' }).inc();
    rigs[1]?.counter({ name: 'b_total' }).inc();
    const merged = Registry.merge(rigs.map(({ registry }) => registry));
    expect(merged.contentType).to.equal(OPENMETRICS_CONTENT_TYPE);
    expect(familiesOf(parse, await merged.metrics())).to.have.length(2);
    expect(
      refusalOf('OFFLOOP_ERR_ARGUMENT', () =>
        Registry.merge([openRig().registry, new PipelineRig().registry]),
      ),
    ).to.equal('Registers can only be merged if they have the same content type');
  });
});
