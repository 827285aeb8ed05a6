import { collectDefaultMetrics, Pipeline, Registry } from '@offloop/core';
import { CACHE_FAMILIES } from '@offloop/core/internal/hooks/cache/cache-series.js';
import { WEBSOCKET_FAMILIES } from '@offloop/core/internal/hooks/websocket/endpoint-series.js';
import { createMetrics, type Metrics } from '@offloop/express';
import { expect } from 'chai';
import { skip } from '../support/skip.js';
import { readDocument, tableUnder } from './tables.js';

describe('docs/metrics.md', () => {
  const document = readDocument('docs/metrics.md');
  let metrics: Metrics;
  let page: string;

  before(async () => {
    metrics = createMetrics({ engine: 'inline' });
    page = Buffer.from(await metrics.render()).toString('utf8');
  });
  after(() => metrics.close());

  it('has a row for each family of a page, with its type and help', () => {
    const documented = [
      ...tableUnder(document, '## HTTP').map(([name, type, , help]) => [name, type, help]),
      ...tableUnder(document, '## The pipeline itself'),
      ...tableUnder(document, '## The event loop').map(([name, type, , help]) => [
        name,
        type,
        help,
      ]),
    ];
    const exposed = [...page.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)$/gm)].map(
      ([, name, help, type]) => ({ name, help, type }),
    );
    expect(exposed.map(({ name }) => name)).to.deep.equal(documented.map(([name]) => name));
    for (const [index, [name, type, meaning]] of documented.entries()) {
      expect(exposed[index]?.type, name).to.equal(type);
      expect(meaning?.startsWith(exposed[index]?.help as string), name).to.equal(true);
    }
  });

  it('names the labels of the HTTP families', async () => {
    for (const [name, , labels] of tableUnder(document, '## HTTP')) {
      const names = labels === '' ? [] : labels?.split(', ');
      expect(
        metrics.register.getSingleMetric(name as string)?.family.entry.labelNames,
        name,
      ).to.deep.equal(names);
    }
  });

  it('has a row for each metric of hooks, with its type, labels and help', () => {
    for (const [heading, families] of [
      ['## Caches', CACHE_FAMILIES],
      ['## WebSockets', WEBSOCKET_FAMILIES],
    ] as const) {
      const documented = tableUnder(document, heading);
      const defined = Object.values(families);
      expect(documented.map(([name]) => name)).to.deep.equal(defined.map(({ name }) => name));
      for (const [index, { type, help, labelNames }] of defined.entries()) {
        const [name, ofType, labels, meaning] = documented[index] as string[];
        expect([ofType, labels], name).to.deep.equal([type, labelNames.join(', ')]);
        expect(meaning?.startsWith(help), name).to.equal(true);
      }
    }
  });

  it('has a row for each default process metric, with its type, labels and help', function () {
    if (process.platform !== 'linux')
      skip(this, 'several of these metrics are read from /proc, which only Linux has');
    const register = new Registry(new Pipeline());
    const handle = collectDefaultMetrics({ register });
    const exposed = register.getMetricsAsArray();
    handle.stop();
    const documented = tableUnder(document, '## Default process metrics');
    expect(documented.map(([name]) => name)).to.deep.equal(exposed.map(({ name }) => name));
    for (const [index, [name, type, labels = '', meaning]] of documented.entries()) {
      const metric = exposed[index] as (typeof exposed)[number] & { type: string; help: string };
      expect(type, name).to.equal(metric.type);
      expect(labels === '' ? [] : labels.split(', '), name).to.deep.equal(
        metric.family.entry.labelNames,
      );
      expect(meaning?.startsWith(metric.help), name).to.equal(true);
    }
  });

  it('has a row for each field of a snapshot', () => {
    const snapshot = metrics.getSnapshot();
    const cells = tableUnder(document, '## The snapshot');
    const fields = cells.flatMap(([names]) => names?.split(', ') ?? []);
    expect([...fields].sort()).to.deep.equal(Object.keys(snapshot).sort());
    const pipeline = cells.find(([name]) => name === 'pipeline')?.[2] ?? '';
    expect(
      pipeline
        .replace(/^.*?: /, '')
        .split(', ')
        .sort(),
    ).to.deep.equal(Object.keys(snapshot.pipeline).sort());
  });
});
