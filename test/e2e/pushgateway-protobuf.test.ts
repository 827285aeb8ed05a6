import { gzipSync } from 'node:zlib';
import { PROTOBUF_CONTENT_TYPE } from '@offloop/core';
import type { Metrics } from '@offloop/express';
import { expect } from 'chai';
import express from 'express5';
import { freePort } from '../support/free-port.js';
import { useProcesses } from '../support/processes.js';
import {
  type DecodedFamily,
  type DecodedMetric,
  decodeFamilies,
  encodeFamilies,
} from '../support/protobuf-decoder.js';
import { needTool } from '../support/tools.js';
import { eventually } from './eventually.js';
import { HOSTILE_VALUES, LONE_SURROGATES, recordHostileLabels } from './hostile-labels.js';
import { ask } from './http-client.js';
import { useMetrics, useServers } from './served-app.js';

describe('a real Pushgateway and protobuf', function () {
  this.timeout(60_000);
  const startProcess = useProcesses();
  const serve = useServers();
  const makeMetrics = useMetrics();

  async function startGateway(program: string) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const gateway = startProcess(program, [`--web.listen-address=127.0.0.1:${port}`]);
    await eventually(async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined), {
      what: 'a Pushgateway that is ready',
    });
    const push = (body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
      fetch(`${url}/metrics/job/test`, {
        method: 'POST',
        headers: { 'Content-Type': PROTOBUF_CONTENT_TYPE, ...headers },
        body,
      });
    /** What it has, by name, as it encodes that itself. */
    const families = async () => {
      const response = await fetch(`${url}/metrics`, {
        headers: { Accept: PROTOBUF_CONTENT_TYPE },
      });
      const decoded = decodeFamilies(new Uint8Array(await response.arrayBuffer()));
      return new Map(decoded.map((family) => [family.name, family]));
    };
    return { gateway, push, families };
  }

  async function usedPage(metrics: Metrics) {
    recordHostileLabels(metrics, [...HOSTILE_VALUES, ...LONE_SURROGATES]);
    const app = express();
    app.use(metrics.middleware());
    const port = await serve(app);
    for (let count = 0; count < 10; count++) await ask({ port, path: '/nowhere' });
    return metrics.renderPage({ format: 'protobuf' });
  }

  it('takes a page, packed or not, and has all of it', async function () {
    const program = needTool(this, 'prometheus-pushgateway');
    const { gateway, push, families } = await startGateway(program);
    const { bytes } = await usedPage(makeMetrics());
    const pushed = decodeFamilies(bytes);
    expect(pushed.map(({ name }) => name)).to.include.members([
      'http_request_duration_seconds',
      'hostile_total',
      'hostile_seconds',
      'offloop_series',
    ]);
    for (const [body, headers] of [
      [bytes, {}],
      [new Uint8Array(gzipSync(bytes)), { 'Content-Encoding': 'gzip' }],
    ] as const) {
      const response = await push(body, headers);
      expect(response.status, await response.text()).to.equal(200);
      const taken = await families();
      for (const family of pushed) {
        const { name = '' } = family;
        expect(comparable(taken.get(name) ?? {}), name).to.deep.equal(comparable(family));
      }
    }
    await gateway.stop();
  });

  it('refuses a series that is there twice, which it would not have seen in ours', async function () {
    const program = needTool(this, 'prometheus-pushgateway');
    const { gateway, push } = await startGateway(program);
    const { bytes } = await usedPage(makeMetrics());
    const twice = decodeFamilies(bytes).map((family) => ({
      ...family,
      metric: [...(family.metric ?? []), ...(family.metric?.slice(0, 1) ?? [])],
    }));
    const response = await push(new Uint8Array(encodeFamilies(twice)));
    expect(response.status).to.equal(400);
    expect(await response.text()).to.include(
      'was collected before with the same name and label values',
    );
    await gateway.stop();
  });
});

/** A family without what a gateway adds, and in an order of its own. */
function comparable({ name, help, type, metric = [] }: DecodedFamily): object {
  const metrics = metric.map((one) => ({ ...one, label: labelsOf(one) }));
  const keyed = metrics.map((one): [string, object] => [JSON.stringify(one.label), one]);
  return { name, help, type, metrics: new Map(keyed) };
}

/** For it, an empty label is one that is not there. */
function labelsOf({ label = [] }: DecodedMetric): object[] {
  return label
    .filter(({ name, value }) => value !== '' && name !== 'job' && name !== 'instance')
    .sort((one, other) => ((one.name ?? '') < (other.name ?? '') ? -1 : 1));
}
