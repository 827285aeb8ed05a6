import { once } from 'node:events';
import http, {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { Counter, Gauge, isOffloopError, Pipeline, Registry } from '@offloop/core';
import { createEngine, Pushgateway, type PushgatewayOptions } from '@offloop/worker';
import { expect } from 'chai';
import prom from 'prom-client';
import { freePort } from '../../support/free-port.js';
import { useProcesses } from '../../support/processes.js';
import { needTool } from '../../support/tools.js';

interface Pushed {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A registry with one counter at 3, and more where the page is to be long. */
function usedRegistry({ series = 0 } = {}): Registry {
  const registry = new Registry(new Pipeline());
  new Counter({ name: 'jobs_total', help: 'h', registers: [registry] }).inc(3);
  const gauge = new Gauge({ name: 'level', help: 'h', labelNames: ['n'], registers: [registry] });
  for (let n = 0; n < series; n++) gauge.set({ n }, n);
  return registry;
}

async function rejectionOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not reject');
}

describe('Pushgateway', function () {
  this.timeout(60_000);
  const startProcess = useProcesses();
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  async function listen(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** A gateway that takes everything, and what it was given. */
  async function recording(): Promise<{ url: string; pushes: Pushed[] }> {
    const pushes: Pushed[] = [];
    const url = await listen((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method, url, headers } = request;
        pushes.push({ method, url, headers, body: Buffer.concat(chunks) });
        response.end('taken');
      });
    });
    return { url, pushes };
  }

  for (const [method, verb] of [
    ['pushAdd', 'POST'],
    ['push', 'PUT'],
    ['delete', 'DELETE'],
  ] as const) {
    it(`sends what prom-client sends, and resolves with the same: ${method}`, async () => {
      const { url, pushes } = await recording();
      const theirs = new prom.Registry();
      new prom.Counter({ name: 'jobs_total', help: 'h', registers: [theirs] }).inc(3);
      new prom.Gauge({ name: 'level', help: 'h', labelNames: ['n'], registers: [theirs] });
      for (const gateway of [
        new Pushgateway(`${url}/base`, { headers: { 'X-Own': 'x' } }, usedRegistry()),
        new prom.Pushgateway(`${url}/base`, { headers: { 'X-Own': 'x' } }, theirs),
      ]) {
        const { resp, body } = await gateway[method]({
          jobName: 'a b',
          groupings: { instance: '1?' },
        });
        expect(body).to.equal('taken');
        expect((resp as { statusCode: number }).statusCode).to.equal(200);
      }
      const [ours, promClients] = pushes as [Pushed, Pushed];
      expect(ours.method).to.equal(verb).and.equal(promClients.method);
      expect(ours.url).to.equal('/base/metrics/job/a%20b/instance/1%3F');
      expect(ours.url).to.equal(promClients.url);
      expect(String(ours.body)).to.equal(String(promClients.body));
      expect(ours.headers['x-own']).to.equal('x');
    });
  }

  it('calls `http.request` as it stands then, with one object first, so that tests can put theirs in', async () => {
    const { url, pushes } = await recording();
    const { request } = http;
    const calls: http.RequestOptions[] = [];
    http.request = ((options: http.RequestOptions, listener: () => void) => {
      calls.push(options);
      return request(options, listener);
    }) as typeof http.request;
    try {
      // prom-client's own tests have an array in the place of the options.
      const gateway = new Pushgateway(url.replace('//', '//user:word@'), [], usedRegistry());
      await gateway.pushAdd({ jobName: 'j' });
    } finally {
      http.request = request;
    }
    expect(calls).to.have.length(1);
    expect(calls[0]).to.deep.include({
      method: 'POST',
      hostname: '127.0.0.1',
      path: '/metrics/job/j',
      auth: 'user:word',
    });
    expect(pushes[0]?.headers.authorization).to.equal(`Basic ${btoa('user:word')}`);
  });

  it('takes the registry in place of the options too, and prom-client’s', async () => {
    const { url, pushes } = await recording();
    const theirs = new prom.Registry();
    new prom.Counter({ name: 'theirs_total', help: 'h', registers: [theirs] });
    await new Pushgateway(url, usedRegistry()).push({ jobName: 'j' });
    await new Pushgateway(url, theirs).push({ jobName: 'j' });
    await new Pushgateway(url, null, theirs).push({ jobName: 'j' });
    expect(pushes.map(({ body }) => /^# HELP (\S+)/.exec(String(body))?.[1])).to.deep.equal([
      'jobs_total',
      'theirs_total',
      'theirs_total',
    ]);
  });

  it('throws at once where the job has no name, in prom-client’s words, unless that is allowed', async () => {
    const { url, pushes } = await recording();
    const gateway = new Pushgateway(url, {}, usedRegistry());
    const theirs = new prom.Pushgateway(url, {}, new prom.Registry());
    for (const method of ['pushAdd', 'push', 'delete'] as const) {
      for (const params of [undefined, {}, { jobName: '' }] as never[]) {
        expect(() => gateway[method](params)).to.throw(Error, 'Missing jobName parameter');
        expect(() => theirs[method](params)).to.throw(Error, 'Missing jobName parameter');
      }
    }
    await new Pushgateway(url, { requireJobName: false }, usedRegistry()).push({} as never);
    expect(pushes.map((push) => push.url)).to.deep.equal(['/metrics']);
  });

  for (const series of [0, 1_000]) {
    for (const engine of ['inline', 'pool'] as const) {
      it(`packs ${series + 1} series where the headers say so, with the engine ${engine}`, async () => {
        const { url, pushes } = await recording();
        const registry = usedRegistry({ series });
        const { pipeline } = registry;
        pipeline.configure({}, (parts) => createEngine({ ...parts, mode: engine }));
        const headers = { 'Content-Encoding': 'gzip' };
        const options: PushgatewayOptions = { headers };
        const gateway = new Pushgateway(url, options, registry);
        await gateway.push({ jobName: 'j' });
        await gateway.delete({ jobName: 'j' });
        await gateway.pushAdd({ jobName: 'j' });
        const page = await registry.metrics();
        await pipeline.close();
        const [put, deleted, post] = pushes as [Pushed, Pushed, Pushed];
        for (const { headers, body } of [put, post]) {
          expect(headers['content-encoding']).to.equal('gzip');
          expect(headers['content-length']).to.equal(String(body.byteLength));
          expect(String(gunzipSync(body))).to.equal(page);
        }
        expect(deleted.headers).to.not.have.property('content-encoding');
        // prom-client takes the header out of the caller's own object, and packs no push after a delete.
        expect(headers).to.deep.equal({ 'Content-Encoding': 'gzip' });
      });
    }
  }

  it('rejects in prom-client’s words when the gateway refuses', async () => {
    const url = await listen((_request, response) => {
      response.statusCode = 400;
      response.end('bad name');
    });
    const gateway = new Pushgateway(url, usedRegistry());
    const ours = await rejectionOf(gateway.push({ jobName: 'j' }));
    const theirs = new prom.Pushgateway(url, {}, new prom.Registry());
    expect(ours.message).to.equal('push failed with status 400, bad name');
    expect(ours.message).to.equal((await rejectionOf(theirs.push({ jobName: 'j' }))).message);
    expect(isOffloopError(ours, 'OFFLOOP_ERR_PUSH')).to.equal(true);
  });

  it('rejects when the gateway says nothing in time, ends in mid-answer, or is not there', async () => {
    const silent = await listen(() => {});
    const late = new Pushgateway(silent, { timeout: 50 }, usedRegistry());
    const timedOut = await rejectionOf(late.push({ jobName: 'j' }));
    expect(timedOut.message).to.equal('Pushgateway request timed out');
    expect(timedOut.code).to.equal('OFFLOOP_ERR_PUSH');
    const torn = await listen((_request, response) => {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('half', () => response.destroy());
    });
    const cut = await rejectionOf(new Pushgateway(torn, usedRegistry()).push({ jobName: 'j' }));
    expect(cut.code).to.equal('ECONNRESET');
    const nobody = new Pushgateway(`http://127.0.0.1:${await freePort()}`, usedRegistry());
    expect((await rejectionOf(nobody.push({ jobName: 'j' }))).code).to.equal('ECONNREFUSED');
  });

  it('rejects with what a collect() throws, and with a URL that is none', async () => {
    const registry = usedRegistry();
    const broken = () => {
      throw new RangeError('no level');
    };
    new Gauge({ name: 'broken', help: 'h', registers: [registry], collect: broken });
    const { url, pushes } = await recording();
    const gateway = new Pushgateway(url, registry);
    expect(await rejectionOf(gateway.push({ jobName: 'j' }))).to.be.instanceOf(RangeError);
    expect(pushes).to.deep.equal([]);
    for (const bad of ['127.0.0.1:9091', 'localhost:9091', 'ftp://x', '']) {
      const reason = await rejectionOf(new Pushgateway(bad, usedRegistry()).push({ jobName: 'j' }));
      expect(isOffloopError(reason, 'OFFLOOP_ERR_ARGUMENT'), bad).to.equal(true);
    }
  });

  it('uses the agent that it is given', async () => {
    const { url, pushes } = await recording();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const gateway = new Pushgateway(url, { agent }, usedRegistry());
    await gateway.push({ jobName: 'j' });
    await gateway.push({ jobName: 'j' });
    expect(pushes).to.have.length(2);
    expect(Object.values(agent.freeSockets).flat()).to.have.length(1);
    agent.destroy();
  });

  describe('of Prometheus', () => {
    let url: string;

    before(async function () {
      const program = needTool(this, 'prometheus-pushgateway');
      const port = await freePort();
      url = `http://127.0.0.1:${port}`;
      const gateway = startProcess(program, [`--web.listen-address=127.0.0.1:${port}`]);
      await gateway.waitForOutput(/listen/i);
      for (let tries = 0; !(await isReady()); tries++) {
        if (tries === 200) throw new Error('the gateway was not ready after 10 s');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });

    const isReady = () =>
      fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );

    /** Samples of one name with their group, as the gateway says it keeps them; `undefined` where it keeps none. */
    async function shown(name: string) {
      const { data } = (await (await fetch(`${url}/api/v1/metrics`)).json()) as {
        data: readonly Record<string, { metrics: readonly { labels: object; value: string }[] }>[];
      };
      const samples = data.flatMap((group) => group[name]?.metrics ?? []);
      const flat = samples.map(({ labels, value }) => ({ ...labels, value: Number(value) }));
      return flat.length === 0 ? undefined : flat;
    }

    it('takes a page, adds to it, replaces it and forgets it', async () => {
      const registry = new Registry(new Pipeline());
      const gateway = new Pushgateway(url, registry);
      const group = { jobName: 'nightly', groupings: { instance: 'a' } };
      new Counter({ name: 'one_total', help: 'h "x" \\', registers: [registry] }).inc(1);
      await gateway.pushAdd(group);
      registry.clear();
      new Counter({ name: 'two_total', help: 'h', registers: [registry] }).inc(2);
      await gateway.pushAdd(group);
      const seen = { instance: 'a', job: 'nightly' };
      expect(await shown('one_total')).to.deep.equal([{ ...seen, value: 1 }]);
      expect(await shown('two_total')).to.deep.equal([{ ...seen, value: 2 }]);
      await gateway.push(group);
      expect(await shown('one_total')).to.equal(undefined);
      expect(await shown('two_total')).to.deep.equal([{ ...seen, value: 2 }]);
      await gateway.delete(group);
      expect(await shown('two_total')).to.equal(undefined);
    });

    for (const value of ['a/b', '', '.', '..', 'a b+c%2F', 'ü🚀', '"\\']) {
      it(`keeps a group under ${JSON.stringify(value)}`, async () => {
        const gateway = new Pushgateway(url, usedRegistry());
        const group = { jobName: 'odd', groupings: { group: value } };
        await gateway.push(group);
        expect(await shown('jobs_total')).to.deep.equal([
          { instance: '', group: value, job: 'odd', value: 3 },
        ]);
        await gateway.delete(group);
        expect(await shown('jobs_total')).to.equal(undefined);
      });
    }

    it('keeps a job whose name has a slash', async () => {
      const gateway = new Pushgateway(url, usedRegistry());
      await gateway.push({ jobName: 'team/job' });
      expect(await shown('jobs_total')).to.deep.equal([
        { instance: '', job: 'team/job', value: 3 },
      ]);
      await gateway.delete({ jobName: 'team/job' });
    });

    it('takes a packed page', async () => {
      const headers = { 'Content-Encoding': 'gzip' };
      const gateway = new Pushgateway(url, { headers }, usedRegistry({ series: 500 }));
      await gateway.push({ jobName: 'packed' });
      expect(await shown('level')).to.have.length(500);
      await gateway.delete({ jobName: 'packed' });
    });

    it('says what it refuses', async () => {
      const gateway = new Pushgateway(url, usedRegistry());
      const push = gateway.push({ jobName: 'j', groupings: { 'a b': 'x' } });
      expect((await rejectionOf(push)).message).to.match(/^push failed with status 400, .+/);
    });

    it('is done before the process ends, which then ends by itself', async () => {
      const program = fileURLToPath(new URL('../programs/pushes.js', import.meta.url));
      const running = startProcess(process.execPath, [
        '--conditions=offloop-internal',
        program,
        url,
      ]);
      const end = await running.waitForEnd(30_000);
      expect(end.stderr).to.equal('');
      expect(end.stdout).to.equal('pushing\npushed\n');
      expect(await shown('pushed_total')).to.deep.equal([
        { instance: '', job: 'pushes', value: 1 },
      ]);
    });
  });
});
