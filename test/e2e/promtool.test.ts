import { spawnSync } from 'node:child_process';
import { Counter, Histogram, type Metrics, Summary } from '@offloop/express';
import { expect } from 'chai';
import express from 'express5';
import { parseExposition } from '../support/exposition-parser.js';
import { needTool } from '../support/tools.js';
import { HOSTILE_VALUES, LONE_SURROGATES, recordHostileLabels } from './hostile-labels.js';
import { ask } from './http-client.js';
import { useMetrics, useServers } from './served-app.js';

const SILENT = { exitCode: 0, stdout: '', stderr: '' };

describe('promtool check metrics', function () {
  this.timeout(30_000);
  const serve = useServers();
  const makeMetrics = useMetrics();
  let promtool: string;

  before(function () {
    promtool = needTool(this, 'promtool');
  });

  it('would complain', () => {
    expect(check('# TYPE a counter\na{b="c} 1\n')).to.not.deep.equal(SILENT);
    const unfit = '# HELP requests Requests.\n# TYPE requests counter\nrequests 1\n';
    expect(check(unfit)).to.not.deep.equal(SILENT);
  });

  for (const engine of ['inline', 'pool'] as const) {
    describe(`with the engine ${engine}`, () => {
      it('is silent on a page before the first request', async () => {
        expect(check(await pageOf(makeMetrics({ engine })))).to.deep.equal(SILENT);
      });

      it('is silent on the page of a used app', async () => {
        const metrics = makeMetrics({ engine });
        const app = express();
        app.use(metrics.middleware());
        app.get('/users/:id', (_request, response) => void response.send('ok'));
        app.get(/^\/files\/"(.*)"\\$/, (_request, response) => void response.send('ok'));
        const port = await serve(app);
        for (const path of ['/users/1', '/users/2', '/nowhere', '/files/%22x%22%5C', '/%E0%A4%A']) {
          await ask({ port, path });
        }
        const { body } = await ask({ port, path: '/metrics' });
        expect(body).to.include('http_requests_total{method="GET",route="/users/:id"');
        expect(check(body)).to.deep.equal(SILENT);
      });

      it('is silent on summaries, one of them without observations, and on native histograms', async () => {
        const metrics = makeMetrics({ engine });
        const registers = [metrics.register];
        new Summary({ name: 'empty_seconds', help: 'Nothing yet.', registers });
        const delay = new Summary({ name: 'delay_seconds', help: 'Delay.', registers });
        const drift = new Histogram({
          name: 'drift_seconds',
          help: 'Drift.',
          buckets: [],
          native: true,
          registers,
        });
        for (const value of [-1, 0, 0.5, 3]) for (const one of [delay, drift]) one.observe(value);
        const page = await pageOf(metrics);
        expect(check(page)).to.deep.equal(SILENT);
        expect(page).to.include('delay_seconds_count 4\n').and.include('drift_seconds_count 4\n');
      });

      it('is silent on hostile label values and help texts', async () => {
        const metrics = makeMetrics({ engine });
        recordHostileLabels(metrics, [...HOSTILE_VALUES, ...LONE_SURROGATES]);
        const page = await pageOf(metrics);
        expect(check(page)).to.deep.equal(SILENT);
        expect(seriesCountOf(page, 'hostile_total')).to.equal(
          2 * (HOSTILE_VALUES.length + LONE_SURROGATES.length),
        );
      });

      it('is silent on a page with an overflow series, which holds all that found no room', async () => {
        const metrics = makeMetrics({ engine });
        const counter = new Counter({
          name: 'crowded_total',
          help: 'More label sets than room.',
          labelNames: ['user', 'kind'],
          registers: [metrics.register],
          maxSeries: 3,
        });
        for (let user = 0; user < 10; user++) counter.inc({ user, kind: 'a"b\\c\nd' });
        const page = await pageOf(metrics);
        expect(check(page)).to.deep.equal(SILENT);
        expect(page).to.include('crowded_total{user="__overflow__",kind="__overflow__"} 7\n');
        expect(page).to.include('\noffloop_series_refused_total 7\n');
        expect(seriesCountOf(page, 'crowded_total')).to.equal(4);
      });
    });
  }

  function check(page: string) {
    const { status, stdout, stderr, error } = spawnSync(promtool, ['check', 'metrics'], {
      input: page,
      encoding: 'utf8',
    });
    if (error !== undefined) throw error;
    return { exitCode: status, stdout, stderr };
  }
});

async function pageOf(metrics: Metrics): Promise<string> {
  return Buffer.from(await metrics.render()).toString('utf8');
}

function seriesCountOf(page: string, family: string): number | undefined {
  return parseExposition(page).find(({ name }) => name === family)?.samples.length;
}
