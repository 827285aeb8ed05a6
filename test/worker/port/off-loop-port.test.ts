import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Counter, type Logger } from '@offloop/core';
import { createMetrics, type Metrics, type MetricsOptions } from '@offloop/express';
import { expect } from 'chai';
import { publishedSchema, strictCheck } from '../../support/published-schema.js';
import { useTemporaryFolders } from '../../support/temporary-folder.js';
import { useThreadList } from '../pool-threads.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Asks for health once it is told to, whatever main does meanwhile. */
const ASKER = `
const { workerData: { port, status } } = require('node:worker_threads');
Atomics.wait(status, 0, 0);
require('node:http').get({ port, path: '/health' }, async (response) => {
  let body = '';
  for await (const chunk of response) body += chunk;
  const [check] = JSON.parse(body).checks;
  Atomics.store(status, 1, check === undefined ? 1 : check.state === 'failing' ? 503 : 2);
  Atomics.notify(status, 1);
});
`;

for (const engine of ['pool', 'inline'] as const) {
  describe(`the off-loop port with the engine ${engine}`, function () {
    this.timeout(60_000);
    const made: Metrics[] = [];
    const sockets: Socket[] = [];
    afterEach(async () => {
      for (const socket of sockets.splice(0)) socket.destroy();
      await Promise.all(made.splice(0).map((metrics) => metrics.close()));
    });

    async function serve(portOptions: MetricsOptions['portOptions'] = {}) {
      const metrics = createMetrics({ engine, port: 0, portOptions });
      made.push(metrics);
      const counter = new Counter({ name: 'x_total', help: 'h', registers: [metrics.register] });
      counter.inc(3);
      const port = (await metrics.portAddress())?.port as number;
      return {
        metrics,
        port,
        counter,
        ask: (path: string, of?: RequestOptions) => ask(port, path, of),
      };
    }

    it('shows what was recorded before, what collect() sets, and only what is asked for', async () => {
      const { ask, counter } = await serve();
      counter.collect = () => counter.inc(1);
      const page = await ask('/metrics?name[]=x_total');
      expect(page.status).to.equal(200);
      expect(page.body).to.equal('# HELP x_total h\n# TYPE x_total counter\nx_total 4\n');
      const wanted = { headers: { accept: 'application/openmetrics-text;version=1.0.0' } };
      expect((await ask('/metrics?name[]=x_total', wanted)).body).to.match(
        /x_total 5(?:\.0)?\n[\s\S]*# EOF\n$/,
      );
      const packed = await ask('/metrics', { headers: { 'accept-encoding': 'gzip' } });
      expect(packed.headers['content-encoding']).to.equal('gzip');
    });

    it('counts its pages among the scrapes', async () => {
      const { ask, metrics } = await serve();
      await ask('/metrics');
      await ask('/metrics');
      await delay(50);
      expect(metrics.getSnapshot().pipeline.scrapes).to.equal(2);
    });

    it('shows metrics that came later, and default labels', async () => {
      const { ask, metrics } = await serve();
      new Counter({ name: 'later_total', help: 'h', registers: [metrics.register] }).inc();
      metrics.register.setDefaultLabels({ app: 'shop' });
      expect((await ask('/metrics')).body).to.include('later_total{app="shop"} 1\n');
    });

    it('answers health and diagnostics as their schemas say', async () => {
      const { ask } = await serve();
      const health = await ask('/health');
      expect(strictCheck(publishedSchema('health'))(JSON.parse(health.body))).to.equal('');
      const diagnostics = await ask('/diagnostics/metrics');
      expect(strictCheck(publishedSchema('snapshot'))(JSON.parse(diagnostics.body))).to.equal('');
      const extended = JSON.parse((await ask('/health/extended')).body);
      expect(strictCheck(publishedSchema('health'), 'extended')(extended)).to.equal('');
      expect(strictCheck(publishedSchema('snapshot'))(extended.snapshot)).to.equal('');
      for (const path of ['/health/live', '/health/ready']) {
        expect(JSON.parse((await ask(path)).body).status).to.equal('ok');
      }
    });

    it('answers nothing but reads of its paths', async () => {
      const { ask } = await serve();
      expect((await ask('/nothing')).status).to.equal(404);
      const posted = await ask('/metrics', { method: 'POST' });
      expect(posted.status).to.equal(405);
      expect(posted.headers.allow).to.equal('GET, HEAD');
      const head = await ask('/health', { method: 'HEAD' });
      expect([head.status, head.body]).to.deep.equal([200, '']);
    });

    it('takes whole URLs, and refuses to be a tunnel', async () => {
      const { ask, port } = await serve();
      expect((await ask('http://localhost/health?x')).status).to.equal(200);
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.write('CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n');
      let received = '';
      for await (const chunk of socket) received += chunk;
      expect(received).to.match(/^HTTP\/1\.1 405 .*\r\nAllow: GET, HEAD\r\n/);
    });

    it('is no scrape endpoint where there are none', async () => {
      const { ask, metrics } = await serve();
      metrics.updateConfig({ prometheus: { enabled: false } });
      await ask('/diagnostics/metrics');
      expect((await ask('/metrics')).status).to.equal(404);
    });

    it('asks for its credentials where they are given, and not on the paths of health', async () => {
      const { ask } = await serve({ token: 's3cret', basic: 'user:pass:word' });
      const of = (authorization: string) => ask('/metrics', { headers: { authorization } });
      const without = await ask('/metrics');
      expect(without.status).to.equal(401);
      expect(without.headers['www-authenticate']).to.match(/^Bearer .*, Basic /);
      expect((await ask('/diagnostics/metrics')).status).to.equal(401);
      expect((await ask('/health/extended')).status).to.equal(401);
      expect((await ask('/health/live')).status).to.equal(200);
      expect((await of('Bearer s3cret')).status).to.equal(200);
      expect((await of('bearer  s3cret')).status).to.equal(200);
      expect(
        (await of(`Basic ${Buffer.from('user:pass:word').toString('base64')}`)).status,
      ).to.equal(200);
      for (const wrong of [
        'Bearer s3cre',
        'Bearer s3cret2',
        'Bearer',
        'Basic s3cret',
        's3cret',
        `Basic ${Buffer.from('user:s3cret').toString('base64')}`,
      ]) {
        expect((await of(wrong)).status, wrong).to.equal(401);
      }
    });

    it('takes names of its own only, so that no web page rebinds one', async () => {
      const { ask } = await serve({ allowedHosts: ['Metrics.internal'] });
      for (const [host, status] of [
        ['evil.example', 403],
        ['localhost.evil.example', 403],
        ['localhost:9464', 200],
        ['metrics.INTERNAL:1', 200],
        ['[::1]:80', 200],
        ['10.1.2.3', 200],
      ] as const) {
        expect((await ask('/health', { headers: { host } })).status, host).to.equal(status);
      }
    });

    it('goes on answering while clients are hostile', async () => {
      const { ask, port, metrics } = await serve({ maxConnections: 64 });
      const open = async () => {
        const socket = connect(port, '127.0.0.1').on('error', () => {});
        sockets.push(socket);
        await once(socket, 'connect').catch(() => {});
        return socket;
      };
      const idle = await Promise.all(Array.from({ length: 1_000 }, open));
      for (const [index, socket] of idle.entries()) {
        if (index % 2 === 0) socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
      }
      for (let round = 0; round < 20; round++) {
        expect((await ask('/metrics')).status).to.equal(200);
        for (const socket of idle) if (!socket.destroyed) socket.write('a');
      }
      for (const [bytes, first] of [
        ['GARBAGE\r\n\r\n', /^HTTP\/1\.1 400 /],
        ['BREW /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1\.1 400 /],
        ['PROPFIND /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1\.1 405 /],
        ['GET /metrics HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
        [
          `GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
          /^HTTP\/1\.1 431 /,
        ],
        ['CONNECT x:1 HTTP/1.1\r\nHost: localhost\r\n\r\n', /^$|^HTTP\/1\.1 4/],
        [
          'GET /health HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
          /^HTTP\/1\.1 200 /,
        ],
        ['GET //[ HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1\.1 404 /],
        ['GET /metrics?name[]=%E0%A4%A HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1\.1 200 /],
      ] as const) {
        const socket = await open();
        socket.write(bytes);
        const [data] = await Promise.race([once(socket, 'data'), once(socket, 'close')]);
        expect(String(Buffer.isBuffer(data) ? data : ''), bytes.slice(0, 60)).to.match(first);
        socket.destroy();
      }
      expect((await ask('/metrics')).status).to.equal(200);
      expect(metrics.getSnapshot().pipeline.threadRestarts).to.equal(0);
    });

    it('is not listened on any more once it is closed', async () => {
      const { ask, metrics } = await serve();
      await metrics.close();
      expect(await ask('/health').catch(({ code }) => code)).to.equal('ECONNREFUSED');
      expect(await metrics.portAddress().catch(({ code }) => code)).to.equal('OFFLOOP_ERR_PORT');
    });

    it('says that it has no port, and takes it when it is free', async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as { port: number };
      const warned = once(process, 'warning');
      const metrics = createMetrics({ engine, port });
      made.push(metrics);
      const refusal = await metrics.portAddress().catch((error) => error);
      expect(refusal).to.include({ code: 'OFFLOOP_ERR_PORT' });
      expect(refusal.message).to.match(/127\.0\.0\.1:\d+.*EADDRINUSE/);
      expect((await warned)[0]).to.include({ code: 'OFFLOOP_ERR_PORT' });
      await metrics.flush();
      other.close();
      for (
        let tries = 0;
        (await metrics.portAddress().catch(() => undefined)) === undefined;
        tries++
      ) {
        expect(tries).to.be.lessThan(200);
        await delay(50);
      }
      expect((await ask(port, '/health')).status).to.equal(200);
    });

    it('refuses a certificate that is none, or is without its key', () => {
      const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
      for (const portOptions of [
        { tlsCert: pem },
        { tlsKey: pem },
        { tlsCert: pem, tlsKey: pem },
      ]) {
        expect(() => createMetrics({ engine, port: 0, portOptions }))
          .to.throw(/portOptions\.tlsCert and portOptions\.tlsKey/)
          .and.include({ code: 'OFFLOOP_ERR_OPTION_RANGE' });
      }
    });
  });
}

describe('the off-loop port', function () {
  this.timeout(60_000);
  const temporaryFolder = useTemporaryFolders();
  const threads = useThreadList();

  it('speaks HTTPS with a certificate', async () => {
    const folder = temporaryFolder();
    const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '1',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost',
        '-keyout',
        keyFile,
        '-out',
        certFile,
      ],
      { stdio: 'ignore' },
    );
    const tlsCert = readFileSync(certFile, 'utf8');
    const tlsKey = readFileSync(keyFile, 'utf8');
    const metrics = createMetrics({
      engine: 'pool',
      port: 0,
      portOptions: { tlsCert, tlsKey, maxConnections: 8 },
    });
    const port = (await metrics.portAddress())?.port as number;
    const silent = Array.from({ length: 50 }, () =>
      connect(port, '127.0.0.1').on('error', () => {}),
    );
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    const answer = await send(
      secureRequest({
        host: '127.0.0.1',
        servername: 'localhost',
        port,
        path: '/health',
        ca: tlsCert,
        agent: false,
      }),
    );
    expect(answer.status).to.equal(200);
    for (const socket of silent) socket.destroy();
    await metrics.close();
  });

  it('judges by a check that failed just before main was blocked', async () => {
    const metrics = createMetrics({ engine: 'pool', port: 0 });
    try {
      const port = (await metrics.portAddress())?.port as number;
      const status = new Int32Array(new SharedArrayBuffer(8));
      const asker = new Worker(ASKER, { eval: true, workerData: { port, status } });
      await once(asker, 'online');
      metrics.addHealthCheck('db', () => Promise.reject(new Error('down')));
      // It has failed, and the port hears of it, within some turns.
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
      Atomics.store(status, 0, 1);
      Atomics.notify(status, 0);
      Atomics.wait(status, 1, 0, 10_000);
      await asker.terminate();
      expect(status[1]).to.equal(503);
    } finally {
      await metrics.close();
    }
  });

  it('comes back on the same number whenever its thread is lost', async () => {
    const metrics = createMetrics({ engine: 'pool', port: 0 });
    const first = await metrics.portAddress();
    for (let kills = 0; kills < 5; kills++) {
      await threads().at(-1)?.terminate();
      for (let tries = 0; ; tries++) {
        const answer = await ask(first?.port as number, '/metrics').catch(() => undefined);
        if (answer?.status === 200) break;
        expect(tries).to.be.lessThan(400);
        await delay(25);
      }
      expect(await metrics.portAddress()).to.deep.equal(first);
    }
    expect(metrics.getSnapshot().pipeline.threadRestarts).to.equal(5);
    await metrics.close();
  });

  it('tells the logger that is chosen by then, also of lost threads', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const codes = (told: string[]): Logger => {
      const tell = (details: object) => void told.push((details as { code: string }).code);
      return { warn: tell, error: tell };
    };
    const first: string[] = [];
    const second: string[] = [];
    const metrics = createMetrics({ engine: 'pool', port, logger: codes(first) });
    await metrics.portAddress().catch(() => {});
    expect(first).to.deep.equal(['OFFLOOP_ERR_PORT']);
    metrics.updateConfig({ logger: codes(second) });
    await threads().at(-1)?.terminate();
    while (second.length === 0) await delay(10);
    expect([first.length, second[0]]).to.deep.equal([1, 'OFFLOOP_ERR_THREAD_LOST']);
    await metrics.close();
    taken.close();
  });
});

function ask(port: number, path: string, of: RequestOptions = {}): Promise<Answer> {
  return send(request({ host: '127.0.0.1', port, path, agent: false, ...of }));
}

function send(sent: ReturnType<typeof request>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    sent.on('error', reject).on('response', (response) => {
      let body = '';
      response
        .setEncoding('utf8')
        .on('data', (text: string) => {
          body += text;
        })
        .on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        )
        .on('error', reject);
    });
    sent.end();
  });
}
