import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { Counter, createMetrics, type Metrics, type PageReader } from '@offloop/express';
import { expect } from 'chai';
import { parseExposition } from '../../support/exposition-parser.js';
import { decodeFamilies } from '../../support/protobuf-decoder.js';
import { chunkOf } from '../../worker/http/page-chunks.js';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const PROTOBUF =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const ACCEPT_PROTOBUF = {
  accept:
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,*/*;q=0.1',
};
const ACCEPT_OPEN_METRICS = { accept: 'application/openmetrics-text;version=1.0.0,*/*;q=0.1' };

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

for (const engine of ['inline', 'pool'] as const) {
  describe(`a scrape with the engine ${engine}`, function () {
    this.timeout(20_000);
    let metrics: Metrics;
    let server: Server;
    let port: number;
    /** Runs before the middleware. */
    let before: (response: { setHeader(name: string, value: string): unknown }) => void;

    beforeEach(async () => {
      metrics = createMetrics({ engine });
      before = () => {};
      const registers = [metrics.register];
      const jobs = new Counter({ name: 'jobs_total', help: 'Jobs.', labelNames: ['n'], registers });
      for (let n = 0; n < 100; n++) jobs.inc({ n });
      const middleware = metrics.middleware();
      server = createServer((incoming, response) => {
        before(response);
        middleware(incoming, response, () => response.end('app'));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      if (typeof address !== 'object' || address === null) throw new TypeError('not listening');
      port = address.port;
    });

    afterEach(async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await metrics.close();
    });

    async function scrape(
      headers: Readonly<Record<string, string>> = {},
      { path = '/metrics', method = 'GET' } = {},
    ): Promise<Answer> {
      const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }).end();
      const [response] = await once(sent, 'response');
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part as Buffer);
      return {
        status: response.statusCode,
        headers: response.headers,
        bytes: Buffer.concat(parts),
      };
    }

    /** Family names of a page in the text format. */
    function namesOf({ bytes }: Answer): string[] {
      return parseExposition(bytes.toString()).map(({ name }) => name);
    }

    function textOf(bytes: Uint8Array): string {
      return Buffer.from(bytes).toString();
    }

    async function renderedPages(): Promise<number> {
      const { bytes } = await metrics.renderPage({ names: ['offloop_scrapes_total'] });
      return Number(/^offloop_scrapes_total (\d+)$/m.exec(textOf(bytes))?.[1]);
    }

    it('answers text to who asks for nothing, and says what the answer depends on', async () => {
      const { status, headers, bytes } = await scrape();
      expect(status).to.equal(200);
      expect(headers['content-type']).to.equal(TEXT);
      expect(headers.vary).to.equal('Accept, Accept-Encoding');
      expect(headers['content-encoding']).to.equal(undefined);
      expect(headers['content-length']).to.equal(String(bytes.length));
      expect(bytes.toString()).to.include('# TYPE jobs_total counter\n');
    });

    it('answers OpenMetrics to who asks for it', async () => {
      const { headers, bytes } = await scrape(ACCEPT_OPEN_METRICS);
      expect(headers['content-type']).to.equal(OPEN_METRICS);
      expect(bytes.toString()).to.include(
        '# TYPE jobs counter\n# HELP jobs Jobs.\njobs_total{n="0"} 1\n',
      );
      expect(bytes.toString()).to.match(/\n# EOF\n$/);
      const text = await scrape();
      expect(text.bytes.toString(), 'nothing was renamed').to.include(
        '# TYPE jobs_total counter\n',
      );
    });

    it('answers protobuf to who asks for it, a part of the page too', async () => {
      const { headers, bytes } = await scrape(ACCEPT_PROTOBUF);
      expect(headers['content-type']).to.equal(PROTOBUF);
      expect(headers['content-length']).to.equal(String(bytes.length));
      const families = decodeFamilies(bytes);
      expect(families.map(({ name }) => name)).to.include.members(['jobs_total', 'offloop_series']);
      expect(families.find(({ name }) => name === 'jobs_total')?.metric).to.have.length(100);
      const part = await scrape(ACCEPT_PROTOBUF, { path: '/metrics?name[]=offloop_series' });
      expect(decodeFamilies(part.bytes).map(({ name }) => name)).to.deep.equal(['offloop_series']);
      const none = await scrape(ACCEPT_PROTOBUF, { path: '/metrics?name[]=nothing' });
      expect(none.status).to.equal(200);
      expect(none.bytes).to.have.length(0);
    });

    it('answers with names in UTF-8 to who takes them, and escaped to everybody else', async () => {
      const registers = [metrics.register];
      new Counter({ name: 'my.jobs', help: 'Jobs.', utf8Names: true, registers }).inc(7);
      const path = '/metrics?name[]=my.jobs';
      const accept = 'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5';
      const asked = await scrape({ accept }, { path });
      expect(asked.headers['content-type']).to.equal(
        'text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8',
      );
      expect(asked.bytes.toString()).to.include('\n{"my.jobs"} 7\n');
      const { headers, bytes } = await scrape({}, { path });
      expect(headers['content-type']).to.equal(TEXT);
      expect(bytes.toString()).to.include('\nmy_jobs 7\n');
    });

    it('packs a page with gzip, and its length is the packed one, for HEAD too', async () => {
      for (const format of [{}, ACCEPT_OPEN_METRICS, ACCEPT_PROTOBUF]) {
        const path = '/metrics?name[]=jobs_total';
        const plain = await scrape(format, { path });
        const packed = await scrape({ ...format, 'accept-encoding': 'gzip, br' }, { path });
        expect(packed.headers['content-encoding']).to.equal('gzip');
        expect(packed.headers['content-type']).to.equal(plain.headers['content-type']);
        expect(packed.headers['content-length']).to.equal(String(packed.bytes.length));
        expect(packed.bytes.length).to.be.lessThan(plain.bytes.length / 2);
        expect(gunzipSync(packed.bytes).equals(plain.bytes)).to.equal(true);
        const head = await scrape(
          { ...format, 'accept-encoding': 'gzip' },
          { path, method: 'HEAD' },
        );
        expect(head.bytes).to.have.length(0);
        expect(head.headers['content-encoding']).to.equal('gzip');
        expect(head.headers['content-length']).to.equal(String(packed.bytes.length));
      }
    });

    it('does not pack what is small, or what the client does not want packed', async () => {
      const small = await scrape(
        { 'accept-encoding': 'gzip' },
        { path: '/metrics?name[]=offloop_series' },
      );
      expect(small.headers['content-encoding']).to.equal(undefined);
      expect(namesOf(small)).to.deep.equal(['offloop_series']);
      const unwanted = await scrape({ 'accept-encoding': 'gzip;q=0, identity' });
      expect(unwanted.headers['content-encoding']).to.equal(undefined);
    });

    it('adds to a Vary that stands there', async () => {
      before = (response) => response.setHeader('Vary', 'Origin');
      const { headers } = await scrape();
      expect(headers.vary).to.equal('Origin, Accept, Accept-Encoding');
    });

    for (const [query, names] of [
      ['name[]=jobs_total', ['jobs_total']],
      ['name%5B%5D=jobs_total', ['jobs_total']],
      [
        'name[]=offloop_series&x=1&name[]=http_request_duration_seconds_sum&name[]=jobs_total',
        ['http_request_duration_seconds', 'jobs_total', 'offloop_series'],
      ],
      ['name[]=nothing', []],
      ['name[]=', []],
      ['name[]=%E0%A4%A', []],
    ] as const) {
      it(`answers ?${query} with that part of the page`, async () => {
        const path = `/metrics?${query}`;
        const answer = await scrape({}, { path });
        expect(answer.status).to.equal(200);
        expect(namesOf(answer)).to.have.members([...names]);
        const openMetrics = await scrape(ACCEPT_OPEN_METRICS, { path });
        if (names.length === 0) expect(openMetrics.bytes.toString()).to.equal('# EOF\n');
        else expect(openMetrics.bytes.toString()).to.match(/\n# EOF\n$/);
      });
    }

    it('answers everything where a query chooses nothing', async () => {
      expect(namesOf(await scrape({}, { path: '/metrics?name=jobs_total&&=' }))).to.include.members(
        ['jobs_total', 'offloop_series'],
      );
    });

    it('renders once for all who ask at once, and answers each', async () => {
      const pages = await Promise.all(Array.from({ length: 20 }, () => metrics.renderPage({})));
      for (const page of pages) expect(page).to.equal(pages[0]);
      expect(await renderedPages()).to.equal(1);
      const answers = await Promise.all(Array.from({ length: 20 }, () => scrape()));
      for (const { status, bytes } of answers) {
        expect(status).to.equal(200);
        expect(bytes.toString()).to.include('jobs_total{n="99"} 1\n');
      }
    });

    it('shows whoever asks what was recorded before, also while a page is being rendered', async () => {
      const registers = [metrics.register];
      const counter = new Counter({ name: 'asked_total', help: 'Asked.', registers });
      const names = ['asked_total'];
      const seen: Promise<number>[] = [];
      for (let count = 1; count <= 100; count++) {
        counter.inc();
        const page = metrics.renderPage({ names });
        seen.push(page.then(({ bytes }) => Number(/_total (\d+)\n$/.exec(textOf(bytes))?.[1])));
        if (count % 3 === 0) await delay(1);
      }
      for (const [index, value] of (await Promise.all(seen)).entries()) {
        expect(value).to.be.at.least(index + 1);
      }
    });

    /** Puts something in the place of the page that the endpoint asks for. */
    function stream(page: (...asked: Parameters<Metrics['streamPage']>) => void): {
      readonly left: () => boolean;
    } {
      let hasLeft = false;
      metrics.streamPage = (...asked) => {
        page(...asked);
        return () => {
          hasLeft = true;
        };
      };
      return { left: () => hasLeft };
    }

    it('answers 503 while the scraper listens, when the page has not begun, and wants it no more', async () => {
      const { left } = stream(() => {});
      const startedMs = performance.now();
      const answer = await scrape({ 'X-Prometheus-Scrape-Timeout-Seconds': '0.3' });
      expect(performance.now() - startedMs).to.be.at.least(260);
      expect(answer.status).to.equal(503);
      expect(answer.headers['content-type']).to.equal('text/plain; charset=utf-8');
      expect(answer.bytes.toString()).to.include('not ready after 270 ms');
      expect(left()).to.equal(true);
    });

    it('answers with the page when it is in time, and once', async () => {
      const whole = metrics.streamPage.bind(metrics);
      stream((asked, reader) => setTimeout(() => whole(asked, reader), 50));
      for (const timeout of ['10.000000', '1', 'soon', '-1', '']) {
        const { status } = await scrape({ 'X-Prometheus-Scrape-Timeout-Seconds': timeout });
        expect(status, timeout).to.equal(200);
      }
    });

    it('answers 503 with the reason when there is no page', async () => {
      stream((_asked, reader) => setImmediate(() => reader.fail(new Error('no thread'))));
      const { status, headers, bytes } = await scrape();
      expect(status).to.equal(503);
      expect(bytes.toString()).to.include('no thread');
      expect(headers['content-encoding']).to.equal(undefined);
    });

    it('writes nothing after the client has left, whatever comes then, and holds no memory', async () => {
      for (const end of ['a page', 'an error', 'a timeout']) {
        let reader: PageReader | undefined;
        const { left } = stream((_asked, asking) => {
          reader = asking;
        });
        const writes: string[] = [];
        let arrive = (): void => {};
        const arrived = new Promise<void>((resolve) => {
          arrive = resolve;
        });
        const gone = new Promise<void>((resolve) => {
          server.once('request', (_incoming, response) => {
            arrive();
            response.once('close', resolve);
            for (const method of ['end', 'write', 'writeHead', 'setHeader'] as const) {
              Reflect.set(response, method, () => void writes.push(method));
            }
          });
        });
        // Longer than a busy machine takes to notice that the client has left.
        const timeout = { 'X-Prometheus-Scrape-Timeout-Seconds': '1.5' };
        const headers = end === 'a timeout' ? timeout : {};
        const sent = request({ host: '127.0.0.1', port, path: '/metrics', headers, agent: false });
        sent.on('error', () => {}).end();
        await arrived;
        sent.destroy();
        await gone;
        expect(left(), end).to.equal(true);
        if (end === 'an error') reader?.fail(new Error('no page'));
        if (end === 'a page') {
          let isReleased = false;
          reader?.write(chunkOf('x', { isLast: true, release: () => (isReleased = true) }));
          expect(isReleased).to.equal(true);
        }
        await delay(end === 'a timeout' ? 1_600 : 50);
        expect(writes, end).to.deep.equal([]);
      }
    });
  });
}
