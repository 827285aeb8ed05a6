import { Counter, Histogram, type Metrics, Summary } from '@offloop/express';
import { expect } from 'chai';
import express from 'express5';
import { useProcesses } from '../support/processes.js';
import { Random } from '../support/random.js';
import { useTemporaryFolders } from '../support/temporary-folder.js';
import { needTool } from '../support/tools.js';
import { Counts } from './counts.js';
import { eventually, eventuallyEqual } from './eventually.js';
import { HOSTILE_VALUES, recordHostileLabels } from './hostile-labels.js';
import { ask } from './http-client.js';
import { PrometheusServer } from './prometheus-server.js';
import { useMetrics, useServers } from './served-app.js';

const PROTOBUF =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

/** Requests of one round, and their labels. */
const REQUESTS: readonly (readonly [request: string, labels: string])[] = [
  ['GET /teams/7', 'GET /teams/:teamId 200'],
  ['GET /teams/8', 'GET /teams/:teamId 200'],
  ['POST /teams/8', 'POST /teams/:teamId 201'],
  ['GET /broken', 'GET /broken 500'],
  ['GET /nowhere', 'GET __unmatched__ 404'],
];

/** Fixed, so that all of the observations lie in fewer buckets than are cut off. */
const SEED = 20_240_611;
const OBSERVATIONS = 5_000;
/** Around 40 ms, within four octaves and a half. */
const observations = Array.from(
  { length: OBSERVATIONS },
  (
    (random) => () =>
      0.04 * Math.exp(0.4 * random.normal())
  )(new Random(SEED)),
);
/** One bucket of schema 5. */
const BUCKET_RATIO = 2 ** (1 / 32);

describe('a real Prometheus and native histograms', function () {
  this.timeout(60_000);
  const startProcess = useProcesses();
  const temporaryFolder = useTemporaryFolders();
  const serve = useServers();
  const makeMetrics = useMetrics();

  /** An app with its routes, and a Prometheus that scrapes it over protobuf. */
  async function start(program: string, metrics: Metrics) {
    const scrapes: { accept: string | undefined; type: unknown; packed: unknown }[] = [];
    const app = express();
    app.use((request, response, next) => {
      response.once('finish', () => {
        if (request.path !== '/metrics') return;
        scrapes.push({
          accept: request.headers.accept,
          type: response.getHeader('Content-Type'),
          packed: response.getHeader('Content-Encoding'),
        });
      });
      next();
    });
    app.use(metrics.middleware());
    app.get('/teams/:teamId', (_, response) => {
      response.send('team');
    });
    app.post('/teams/:teamId', (_, response) => {
      response.status(201).send('team');
    });
    app.get('/broken', (_, response) => {
      response.status(500).send('broken');
    });
    const port = await serve(app);
    const prometheus = await PrometheusServer.start({
      program,
      startProcess,
      folder: temporaryFolder(),
      scrapedPort: port,
      flags: ['--enable-feature=native-histograms'],
    });
    const queryOne = async (query: string) => (await prometheus.query(query))[0]?.value;
    return { port, scrapes, prometheus, queryOne };
  }

  it('asks for protobuf, has it packed, and counts what the client sent', async function () {
    const program = needTool(this, 'prometheus');
    const metrics = makeMetrics();
    const { port, scrapes, prometheus, queryOne } = await start(program, metrics);
    const sent = new Counts();
    for (let round = 0; round < 5; round++) {
      for (const [request, labels] of REQUESTS) {
        const [method = '', path = ''] = request.split(' ');
        await ask({ port, method, path });
        sent.add(labels);
      }
    }
    const countsOf = async (query: string) => {
      const counts = new Counts();
      for (const { labels, value } of await prometheus.query(query)) {
        counts.add(`${labels['method']} ${labels['route']} ${labels['status_code']}`, value);
      }
      return counts.toObject();
    };
    for (const query of ['http_requests_total', 'histogram_count(http_request_duration_seconds)']) {
      await eventuallyEqual(() => countsOf(query), sent.toObject(), { what: query });
    }
    expect(await prometheus.query('up')).to.deep.equal([{ labels: {}, value: 1 }]);
    expect(await prometheus.target()).to.include({ health: 'up', lastError: '' });
    expect(scrapes[0]?.accept).to.match(/^application\/vnd\.google\.protobuf;/);
    expect(scrapes[0]).to.include({ type: PROTOBUF, packed: 'gzip' });
    expect(await queryOne('offloop_records_dropped_total')).to.equal(0);
    expect(
      await queryOne('histogram_quantile(0.5, sum(http_request_duration_seconds))'),
    ).to.be.within(2 ** -20, 10);
    expect(await queryOne('min_over_time(up[10m])')).to.equal(1);
    await prometheus.stop();
  });

  it('ingests everything else over protobuf as well: counters, classic histograms, summaries and hostile labels', async function () {
    const program = needTool(this, 'prometheus');
    const metrics = makeMetrics();
    const registers = [metrics.register];
    new Counter({ name: 'jobs_total', help: 'Jobs.', registers }).inc(3);
    const buckets = [0.5, 1, 10];
    new Histogram({ name: 'job_seconds', help: 'Time.', buckets, registers }).observe(0.7);
    const percentiles = [0.5];
    new Summary({ name: 'job_bytes', help: 'Size.', percentiles, registers }).observe(-4);
    recordHostileLabels(metrics, HOSTILE_VALUES);
    const { prometheus, queryOne } = await start(program, metrics);
    await eventually(() => queryOne('jobs_total'), { what: 'a scrape' });
    expect(await prometheus.target()).to.include({ health: 'up', lastError: '' });
    expect(await queryOne('jobs_total')).to.equal(3);
    expect(await queryOne('job_seconds_bucket{le="0.5"}')).to.equal(0);
    expect(await queryOne('job_seconds_bucket{le="1.0"}')).to.equal(1);
    expect(await queryOne('job_seconds_bucket{le="+Inf"}')).to.equal(1);
    expect(await queryOne('job_seconds_sum')).to.equal(0.7);
    expect(await queryOne('job_seconds_count')).to.equal(1);
    expect(await queryOne('job_bytes_sum')).to.equal(-4);
    expect(await queryOne('job_bytes{quantile="0.5"} / -4')).to.be.within(
      1 / BUCKET_RATIO,
      BUCKET_RATIO,
    );
    const found = await prometheus.query('hostile_total');
    // For Prometheus an empty label is one that is not there.
    const expected = HOSTILE_VALUES.flatMap((value, index) => [
      [value === '' ? {} : { one: value }, index + 1],
      [value === '' ? { one: 'x' } : { one: 'x', other: value }, index + 1],
    ]);
    const byText = (samples: readonly unknown[]) =>
      samples.map((one) => JSON.stringify(one)).sort();
    expect(byText(found.map(({ labels, value }) => [labels, value]))).to.deep.equal(
      byText(expected),
    );
    await prometheus.stop();
  });

  it('finds quantiles within one bucket of the exact ones', async function () {
    const program = needTool(this, 'prometheus');
    const metrics = makeMetrics();
    const registers = [metrics.register];
    const histogram = new Histogram({
      name: 'job_seconds',
      help: 'Time.',
      native: true,
      registers,
    });
    for (const seconds of observations) histogram.observe(seconds);
    const { prometheus, queryOne } = await start(program, metrics);
    await eventuallyEqual(() => queryOne('histogram_count(job_seconds)'), OBSERVATIONS, {
      what: 'the count of the observations',
    });
    expect(await queryOne('histogram_sum(job_seconds)')).to.be.closeTo(
      observations.reduce((sum, seconds) => sum + seconds),
      1e-6,
    );
    const ascending = [...observations].sort((one, other) => one - other);
    for (const share of [0.5, 0.9, 0.99]) {
      const exact = ascending[Math.ceil(share * OBSERVATIONS) - 1] as number;
      const found = (await queryOne(`histogram_quantile(${share}, job_seconds)`)) as number;
      expect(found / exact, `${share}`).to.be.within(1 / BUCKET_RATIO, BUCKET_RATIO);
    }
    await prometheus.stop();
  });

  it('knows an empty native histogram for one, so that its first observations are no gap', async function () {
    const program = needTool(this, 'prometheus');
    const metrics = makeMetrics();
    const registers = [metrics.register];
    const histogram = new Histogram({
      name: 'job_seconds',
      help: 'Time.',
      native: true,
      registers,
    });
    const { prometheus, queryOne } = await start(program, metrics);
    await eventuallyEqual(() => queryOne('histogram_count(job_seconds)'), 0, { what: 'a scrape' });
    histogram.observe(-3);
    histogram.observe(0);
    histogram.observe(2);
    await eventuallyEqual(() => queryOne('histogram_count(job_seconds)'), 3, {
      what: 'the observations',
    });
    expect(await queryOne('histogram_fraction(-4, -2, job_seconds) * 3')).to.be.closeTo(1, 1e-9);
    expect(await prometheus.query('job_seconds_count')).to.deep.equal([]);
    await prometheus.stop();
  });
});
