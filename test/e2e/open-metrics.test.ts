import { gunzipSync } from 'node:zlib';
import { Counter, Histogram, Summary } from '@offloop/express';
import { expect } from 'chai';
import express from 'express5';
import {
  familiesOf,
  needOpenMetricsParser,
  type OpenMetricsParser,
} from '../support/open-metrics-parser.js';
import { useProcesses } from '../support/processes.js';
import { useTemporaryFolders } from '../support/temporary-folder.js';
import { needTool } from '../support/tools.js';
import { eventually } from './eventually.js';
import { HOSTILE_VALUES, LONE_SURROGATES, recordHostileLabels } from './hostile-labels.js';
import { PrometheusServer } from './prometheus-server.js';
import { useMetrics, useServers } from './served-app.js';

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

describe('a real Prometheus and OpenMetrics', function () {
  this.timeout(60_000);
  const startProcess = useProcesses();
  const temporaryFolder = useTemporaryFolders();
  const serve = useServers();
  const makeMetrics = useMetrics();

  it('asks for it, has it packed, and ingests all of it', async function () {
    const program = needTool(this, 'prometheus');
    const metrics = makeMetrics();
    const registers = [metrics.register];
    new Counter({ name: 'jobs_total', help: 'With its suffix.', registers }).inc(3);
    new Counter({ name: 'legacy_jobs', help: 'Without "it".', registers }).inc(4);
    const buckets = [0.5, 1, 10];
    new Histogram({ name: 'job_seconds', help: 'Time.', buckets, registers }).observe(0.7);
    const delay = new Summary({
      name: 'delay_seconds',
      help: 'D.',
      percentiles: [0.5, 1],
      registers,
    });
    for (const value of [-1, 1, 4]) delay.observe(value);
    const scrapes: {
      accept: string | undefined;
      status: number;
      type: unknown;
      packed: unknown;
    }[] = [];
    const app = express();
    app.use((request, response, next) => {
      response.once('finish', () => {
        scrapes.push({
          accept: request.headers.accept,
          status: response.statusCode,
          type: response.getHeader('Content-Type'),
          packed: response.getHeader('Content-Encoding'),
        });
      });
      next();
    });
    app.use(metrics.middleware());
    const prometheus = await PrometheusServer.start({
      program,
      startProcess,
      folder: temporaryFolder(),
      scrapedPort: await serve(app),
    });
    const up = await eventually(
      async () => {
        const [sample] = await prometheus.query('up');
        return sample;
      },
      { what: 'a scrape' },
    );
    expect(up.value).to.equal(1);
    expect(await prometheus.target()).to.include({ health: 'up', lastError: '' });
    const [first] = scrapes;
    expect(first?.accept).to.include('application/openmetrics-text');
    expect(first).to.include({ status: 200, type: OPEN_METRICS, packed: 'gzip' });

    const numberOf = async (query: string) => (await prometheus.query(query))[0]?.value;
    expect(await numberOf('scrape_samples_scraped')).to.be.greaterThan(20);
    expect(await numberOf('jobs_total')).to.equal(3);
    expect(await numberOf('legacy_jobs')).to.equal(4);
    expect(await numberOf('job_seconds_bucket{le="0.5"}')).to.equal(0);
    expect(await numberOf('job_seconds_bucket{le="1.0"}')).to.equal(1);
    expect(await numberOf('job_seconds_sum')).to.equal(0.7);
    expect(await numberOf('delay_seconds{quantile="0.5"}')).to.be.within(0.97, 1.03);
    expect(await numberOf('delay_seconds{quantile="1.0"}')).to.be.within(3.9, 4.1);
    expect(await numberOf('delay_seconds_sum')).to.equal(4);
    expect(await numberOf('delay_seconds_count')).to.equal(3);
    expect(await numberOf('offloop_records_dropped_total')).to.equal(0);
    await prometheus.stop();
  });
});

describe('the OpenMetrics page of an app', function () {
  this.timeout(30_000);
  const makeMetrics = useMetrics();
  let parse: OpenMetricsParser;

  before(function () {
    parse = needOpenMetricsParser(this);
  });

  for (const engine of ['inline', 'pool'] as const) {
    it(`is read by the parser with hostile labels and the engine ${engine}`, async () => {
      const metrics = makeMetrics({ engine });
      const values = [...HOSTILE_VALUES, ...LONE_SURROGATES];
      recordHostileLabels(metrics, values);
      const { bytes } = await metrics.renderPage({ format: 'openMetrics' });
      const families = familiesOf(parse, bytes);
      const hostile = families.find(({ name }) => name === 'hostile');
      const totals = hostile?.samples.filter(({ name }) => name === 'hostile_total');
      expect(
        totals?.map(({ labels, value }) => [labels['one'], labels['other'], value]),
      ).to.deep.equal(
        values.flatMap((value, index) => [
          [value.toWellFormed(), '', index + 1],
          ['x', value.toWellFormed(), index + 1],
        ]),
      );
      const packed = await metrics.renderPage({ format: 'openMetrics', encoding: 'gzip' });
      expect(packed.encoding).to.equal('gzip');
      expect(familiesOf(parse, gunzipSync(packed.bytes)).map(({ name }) => name)).to.deep.equal(
        families.map(({ name }) => name),
      );
    });
  }
});
