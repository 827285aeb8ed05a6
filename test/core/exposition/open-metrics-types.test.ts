import { Info, StateSet } from '@offloop/core';
import { seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import { writeLiveValue } from '@offloop/core/internal/record/live-value.js';
import { expect } from 'chai';
import {
  familiesOf,
  needOpenMetricsParser,
  type OpenMetricsParser,
} from '../../support/open-metrics-parser.js';
import { PipelineRig } from '../pipeline-rig.js';

describe('OpenMetrics types of its own', function () {
  this.timeout(30_000);
  let parse: OpenMetricsParser;

  before(function () {
    parse = needOpenMetricsParser(this);
  });

  /** Families of the OpenMetrics page, whose samples are checked to be those of the text format. */
  async function read(rig: PipelineRig) {
    const text = (await rig.families()).map(({ type, samples }) => {
      expect(type).to.equal('gauge');
      return samples.map(({ name, labels, value }) => JSON.stringify([name, [...labels], value]));
    });
    rig.registry.setContentType('application/openmetrics-text; version=1.0.0; charset=utf-8');
    const families = familiesOf(parse, await rig.registry.metrics());
    const shown = families.map(({ samples }) =>
      samples.map(({ name, labels, value }) =>
        JSON.stringify([name, Object.entries(labels), value]),
      ),
    );
    expect(shown.map((lines) => [...lines].sort())).to.deep.equal(
      text.map((lines) => [...lines].sort()),
    );
    return families;
  }

  function stateSet(rig: PipelineRig, labelNames: readonly string[] = []) {
    return new StateSet({
      name: 'breaker',
      help: 'b',
      states: ['closed', 'open'],
      labelNames,
      registers: [rig.registry],
    });
  }

  it('has state sets', async () => {
    const rig = new PipelineRig();
    stateSet(rig).set('open');
    const [family] = await read(rig);
    expect(family).to.deep.include({ name: 'breaker', type: 'stateset' });
    expect(family?.samples).to.deep.equal([
      { name: 'breaker', labels: { breaker: 'closed' }, value: 0 },
      { name: 'breaker', labels: { breaker: 'open' }, value: 1 },
    ]);
  });

  it('has the states of one set side by side, in whatever order they came', async () => {
    const rig = new PipelineRig();
    const breakers = stateSet(rig, ['host']);
    breakers.toggle({ host: 'x' }, 'closed', true);
    breakers.set({ host: 'y' }, 'open');
    breakers.remove('x', 'open');
    breakers.toggle({ host: 'x' }, 'open', true);
    const [family] = await read(rig);
    expect(family?.type).to.equal('stateset');
    expect(family?.samples.map(({ labels }) => labels['host'])).to.deep.equal(['x', 'x', 'y', 'y']);
  });

  it('has state sets beyond their limit, whose rest is one set', async () => {
    const rig = new PipelineRig({ maxSeriesPerMetric: 3 });
    const breakers = stateSet(rig, ['host']);
    for (const host of ['x', 'y', 'z']) breakers.set({ host }, 'open');
    expect((await read(rig))[0]?.type).to.equal('stateset');
  });

  it('has infos, where the name ends in _info', async () => {
    const rig = new PipelineRig();
    const registers = [rig.registry];
    new Info({ name: 'build_info', help: 'b', labels: { revision: 'abc' }, registers });
    new Info({ name: 'plain', help: 'b', labels: { a: 'x' }, registers });
    const families = await read(rig);
    expect(families.map(({ name, type }) => [name, type])).to.deep.equal([
      ['build', 'info'],
      ['plain', 'gauge'],
    ]);
    expect(families[0]?.samples).to.deep.equal([
      { name: 'build_info', labels: { revision: 'abc' }, value: 1 },
    ]);
  });

  it('has a gauge where a value is none that the type allows', async () => {
    const rig = new PipelineRig();
    const set = stateSet(rig);
    set.set('open');
    const { segment } = rig.pipeline.producer;
    const id = set.family.seriesByObject({ breaker: 'open' });
    writeLiveValue(segment, seriesBlock(segment, id), 0.5);
    expect((await read(rig))[0]?.type).to.equal('gauge');
  });
});
