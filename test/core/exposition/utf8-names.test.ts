import { Info, StateSet } from '@offloop/core';
import {
  ESCAPING_SCHEMES,
  type EscapingScheme,
} from '@offloop/core/internal/exposition/name-escaping.js';
import { expect } from 'chai';
import { parseExposition } from '../../support/exposition-parser.js';
import { familiesOf, needOpenMetricsParser } from '../../support/open-metrics-parser.js';
import { atTime } from '../at-time.js';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

async function pageOf(
  rig: PipelineRig,
  form: {
    escaping?: EscapingScheme;
    format?: 'text' | 'openMetrics';
    includePipeline?: boolean;
  } = {},
): Promise<string> {
  const { bytes } = await rig.pipeline.render({
    families: rig.registry.familyIds(),
    includePipeline: false,
    defaultLabels: rig.registry.defaultLabels,
    ...form,
  });
  return Buffer.from(bytes).toString();
}

function filledRig(): PipelineRig {
  const rig = new PipelineRig();
  atTime(1_700_000_000_000, () => {
    rig
      .counter({ name: 'my.jobs_total', labelNames: ['queue.name', 'plain'], utf8Names: true })
      .inc({ 'queue.name': 'a"b', plain: 'x' });
    rig.counter({ name: 'größe "1"', utf8Names: true }).inc();
    rig
      .histogram({ name: 'my.seconds', buckets: [1], labelNames: ['a b'], utf8Names: true })
      .observe({ 'a b': 'y' }, 0.5);
    rig.histogram({ name: 'bare.seconds', buckets: [], utf8Names: true });
    rig.counter({ name: 'plain_total', labelNames: ['l.n'], utf8Names: true }).inc({ 'l.n': 'z' });
  });
  return rig;
}

describe('UTF-8 names', () => {
  it('are refused unless the metric allows them, in today’s words', () => {
    const rig = new PipelineRig();
    expect(refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () => rig.counter({ name: 'a.b' }))).to.equal(
      'Invalid metric name: a.b',
    );
    expect(
      refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () => rig.counter({ labelNames: ['a.b', 'c'] })),
    ).to.equal('At least one label name is invalid: a.b');
    for (const config of [
      { name: '\ud800' },
      { name: '' },
      { labelNames: ['\ud800'] },
      { labelNames: [''] },
      { labelNames: ['le.', 'le.'] },
    ]) {
      refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () => rig.counter({ ...config, utf8Names: true }));
    }
    refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () =>
      rig.histogram({ labelNames: ['le'], utf8Names: true }),
    );
  });

  it('stand in quotes where the scraper takes them', async () => {
    const page = await pageOf(filledRig(), { escaping: 'allow-utf-8' });
    expect(page).to.equal(
      [
        '# HELP "my.jobs_total" A counter.',
        '# TYPE "my.jobs_total" counter',
        '{"my.jobs_total","queue.name"="a\\"b",plain="x"} 1',
        '',
        '# HELP "größe \\"1\\"" A counter.',
        '# TYPE "größe \\"1\\"" counter',
        '{"größe \\"1\\""} 1',
        '',
        '# HELP "my.seconds" A histogram.',
        '# TYPE "my.seconds" histogram',
        '{"my.seconds_bucket",le="1","a b"="y"} 1',
        '{"my.seconds_bucket",le="+Inf","a b"="y"} 1',
        '{"my.seconds_sum","a b"="y"} 0.5',
        '{"my.seconds_count","a b"="y"} 1',
        '',
        '# HELP "bare.seconds" A histogram.',
        '# TYPE "bare.seconds" histogram',
        '{"bare.seconds_bucket",le="+Inf"} 0',
        '{"bare.seconds_sum"} 0',
        '{"bare.seconds_count"} 0',
        '',
        '# HELP plain_total A counter.',
        '# TYPE plain_total counter',
        'plain_total{"l.n"="z"} 1',
        '',
      ].join('\n'),
    );
    parseExposition(page);
  });

  it('stand in OpenMetrics likewise', async () => {
    const page = await pageOf(filledRig(), { escaping: 'allow-utf-8', format: 'openMetrics' });
    expect(page).to.include(
      [
        '# TYPE "my.jobs" counter',
        '# HELP "my.jobs" A counter.',
        '{"my.jobs_total","queue.name"="a\\"b",plain="x"} 1',
        '{"my.jobs_created","queue.name"="a\\"b",plain="x"} 1700000000',
        '# TYPE "größe \\"1\\"" unknown',
      ].join('\n'),
    );
    expect(page).to.include('{"bare.seconds_count"} 0\n{"bare.seconds_created"} 1700000000\n');
  });

  it('are escaped by underscores for everybody else', async () => {
    const families = parseExposition(await pageOf(filledRig()));
    expect(families.map(({ name }) => name)).to.deep.equal([
      'my_jobs_total',
      'gr__e__1_',
      'my_seconds',
      'bare_seconds',
      'plain_total',
    ]);
    const labels = families.map(({ samples }) => [...(samples[0]?.labels ?? [])]);
    expect(labels).to.deep.equal([
      [
        ['queue_name', 'a"b'],
        ['plain', 'x'],
      ],
      [],
      [
        ['le', '1'],
        ['a_b', 'y'],
      ],
      [['le', '+Inf']],
      [['l_n', 'z']],
    ]);
    expect(await filledRig().registry.metrics()).to.equal(await pageOf(filledRig()));
  });

  it('are escaped as a scraper asks', async () => {
    const namesIn = async (escaping: EscapingScheme) =>
      parseExposition(await pageOf(filledRig(), { escaping })).map(({ name }) => name);
    expect(await namesIn('dots')).to.deep.equal([
      'my_dot_jobs__total',
      'gr____e____1__',
      'my_dot_seconds',
      'bare_dot_seconds',
      'plain_total',
    ]);
    expect(await namesIn('values')).to.deep.equal([
      'U__my_2e_jobs__total',
      'U__gr_f6__df_e_20__22_1_22_',
      'U__my_2e_seconds',
      'U__bare_2e_seconds',
      'plain_total',
    ]);
  });

  it('are as they are in JSON', async () => {
    const metrics = await filledRig().registry.getMetricsAsJSON();
    expect(metrics.map(({ name }) => name)).to.deep.equal([
      'my.jobs_total',
      'größe "1"',
      'my.seconds',
      'bare.seconds',
      'plain_total',
    ]);
    expect(metrics[0]?.values[0]?.labels).to.deep.equal({ 'queue.name': 'a"b', plain: 'x' });
    expect(metrics[2]?.values[0]).to.deep.include({
      metricName: 'my.seconds_bucket',
      labels: { le: 1, 'a b': 'y' },
    });
  });

  it('that become one when they are escaped are kept apart, and legacy names stay', async () => {
    const rig = new PipelineRig();
    for (const name of ['a.b', 'a b', 'a_b', 'offloop.series', 'h.sum']) {
      rig.counter({ name, utf8Names: true }).inc();
    }
    rig.histogram({ name: 'h', buckets: [] });
    rig.histogram({ name: 'g.x', buckets: [], utf8Names: true });
    rig.counter({ name: 'g x_count', utf8Names: true });
    const families = parseExposition(await pageOf(rig, { includePipeline: true }));
    expect(families.slice(0, 8).map(({ name }) => name)).to.deep.equal([
      'U__a_2e_b',
      'U__a_20_b',
      'a_b',
      'U__offloop_2e_series',
      'U__h_2e_sum',
      'h',
      'g_x',
      'U__g_20_x__count',
    ]);
    for (const escaping of ESCAPING_SCHEMES) {
      for (const format of ['text', 'openMetrics'] as const) {
        const page = await pageOf(rig, { escaping, format, includePipeline: true });
        const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
        expect(new Set(lines.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).to.equal(
          lines.length,
        );
      }
    }
  });

  it('are kept apart from a name that is spelled like an escaped one', async () => {
    const rig = new PipelineRig();
    for (const name of ['U__a_2e_b', 'a_b', 'a.b']) rig.counter({ name, utf8Names: true });
    const families = parseExposition(await pageOf(rig));
    expect(families.map(({ name }) => name)).to.deep.equal(['U__a_2e_b', 'a_b', 'U__a_2e_b_']);
  });

  it('of labels that become one are kept apart, default labels included', async () => {
    const rig = new PipelineRig();
    rig.registry.setDefaultLabels({ a_c: 'default', d: 'x' });
    rig
      .counter({ labelNames: ['a.b', 'a_b', 'a b', 'a.c'], utf8Names: true })
      .inc({ 'a.b': 1, a_b: 2, 'a b': 3, 'a.c': 4 });
    const [family] = parseExposition(await pageOf(rig));
    expect(Object.fromEntries(family?.samples[0]?.labels ?? [])).to.deep.equal({
      U__a_2e_b: '1',
      a_b: '2',
      U__a_20_b: '3',
      a_c: '4',
      d: 'x',
    });
  });

  it('find their series again, and limits hold', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a"b', '\n'], maxSeries: 2, utf8Names: true });
    for (const value of ['x', 'y', 'z', 'x']) counter.inc({ 'a"b': value, '\n': value });
    counter.labels('y', 'y').inc(5);
    counter.remove('x', 'x');
    counter.inc({ 'a"b': 'x', '\n': 'x' });
    const values = (await counter.get()).values.map(({ labels, value }) => [labels['a"b'], value]);
    expect(values).to.deep.equal([
      ['y', 6],
      ['__overflow__', 1],
      ['x', 1],
    ]);
  });

  it('of state sets and infos keep their types', async function () {
    const parse = needOpenMetricsParser(this);
    const rig = new PipelineRig();
    const config = { help: 'h', utf8Names: true, registers: [rig.registry] };
    new StateSet({ ...config, name: 'my.state', states: ['on', 'off'] }).set('on');
    new Info({ ...config, name: 'my.build_info', labels: { 'a.b': 'x' } });
    refusalOf(
      'OFFLOOP_ERR_METRIC_CONFIG',
      () => new StateSet({ ...config, name: 'my:state', states: ['on'] }),
    );
    await rig.registry.metrics();
    for (const escaping of ['underscores', 'dots', 'values'] as const) {
      const page = await pageOf(rig, { escaping, format: 'openMetrics' });
      expect(familiesOf(parse, page).map(({ type }) => type)).to.deep.equal(['stateset', 'info']);
    }
  });
});
