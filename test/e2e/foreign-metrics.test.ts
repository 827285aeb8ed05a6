import { spawnSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import express from 'express5';
import prom from 'prom-client';
import { familiesOf, needOpenMetricsParser } from '../support/open-metrics-parser.js';
import { needTool } from '../support/tools.js';
import { ask } from './http-client.js';
import { useMetrics, useServers } from './served-app.js';

/** prom-client's counter, and a hundred series of its histogram and its summary. */
function promMetrics() {
  const registers: prom.Registry[] = [];
  const labelNames = ['job'] as const;
  const counter = new prom.Counter({ name: 'prom_total', help: 'C.', registers });
  const histogram = new prom.Histogram({
    name: 'prom_wait_seconds',
    help: 'H.',
    labelNames,
    registers,
  });
  const summary = new prom.Summary({
    name: 'prom_work_seconds',
    help: 'S.',
    labelNames,
    registers,
  });
  for (let job = 0; job < 100; job++) {
    histogram.observe({ job: `"${job}"\\\n` }, job / 10);
    summary.observe({ job }, job);
  }
  return [counter, histogram, summary] as const;
}

describe('prom-client’s metrics on the page of an app', function () {
  this.timeout(30_000);
  const serve = useServers();
  const makeMetrics = useMetrics();

  for (const engine of ['inline', 'pool'] as const) {
    it(`are as of the scrape, chosen by name[], and read by promtool, with the engine ${engine}`, async function () {
      const promtool = needTool(this, 'promtool');
      const metrics = makeMetrics({ engine });
      const [counter, ...others] = promMetrics();
      for (const metric of [counter, ...others]) metrics.register.registerMetric(metric);
      const app = express();
      app.use(metrics.middleware());
      const port = await serve(app);
      for (const count of [1, 2]) {
        counter.inc();
        const { body } = await ask({ port, path: '/metrics' });
        expect(body).to.include(`\nprom_total ${count}\n`);
        expect(body).to.include('prom_work_seconds_count{job="99"} 1\n');
        const { status, stdout } = spawnSync(promtool, ['check', 'metrics'], { input: body });
        expect([status, String(stdout)]).to.deep.equal([0, '']);
      }
      const part = await ask({ port, path: '/metrics?name[]=prom_total&name[]=offloop_series' });
      expect(part.body.match(/^# TYPE \S+/gm)).to.deep.equal([
        '# TYPE prom_total',
        '# TYPE offloop_series',
      ]);
    });

    it(`are packed, and read as OpenMetrics, with the engine ${engine}`, async function () {
      const parse = needOpenMetricsParser(this);
      const metrics = makeMetrics({ engine });
      for (const metric of promMetrics()) metrics.register.registerMetric(metric);
      const page = await metrics.renderPage({ format: 'openMetrics', encoding: 'gzip' });
      expect(page.encoding).to.equal('gzip');
      const families = familiesOf(parse, gunzipSync(page.bytes));
      const samplesOf = (name: string) =>
        families.find((family) => family.name === name)?.samples.length;
      expect(samplesOf('prom')).to.equal(1);
      expect(samplesOf('prom_wait_seconds')).to.equal(100 * 14);
      expect(samplesOf('prom_work_seconds')).to.equal(100 * 9);
    });
  }
});
