import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Counter } from '@offloop/express';
import { expect } from 'chai';
import { ask } from './http-client.js';
import { useMetrics, useServers } from './served-app.js';

const SERIES = 6_000;
/** With it the page has 24 MB: more than the system takes for a client that does not read. */
const LABEL_BYTES = 4_000;
const PAGE_BYTES_MIN = SERIES * LABEL_BYTES;

for (const engine of ['pool', 'inline'] as const) {
  describe(`clients that leave in the middle of a page (${engine})`, function () {
    this.timeout(60_000);
    const serve = useServers();
    const makeMetrics = useMetrics();

    it('stop its rendering, are not counted, and the next client gets a whole page', async () => {
      const metrics = makeMetrics({
        engine,
        maxSeriesPerMetric: SERIES,
        memory: { catalogBytes: 2 * PAGE_BYTES_MIN },
      });
      const wide = new Counter({
        name: 'wide_total',
        help: 'Wide.',
        labelNames: ['n'],
        registers: [metrics.register],
      });
      for (let n = 0; n < SERIES; n++) wide.inc({ n: String(n).padStart(LABEL_BYTES, '_') });
      let sentBytes = 0;
      const stream = metrics.streamPage.bind(metrics);
      metrics.streamPage = (asked, reader) =>
        stream(asked, {
          restart: () => reader.restart(),
          fail: (error) => reader.fail(error),
          write: (chunk) => {
            sentBytes += chunk.bytes.length;
            reader.write(chunk);
          },
        });
      const middleware = metrics.middleware();
      const port = await serve((request, response) =>
        middleware(request, response, () => response.end()),
      );
      const scrapes = () => metrics.getSnapshot().pipeline.scrapes;
      for (let client = 0; client < 3; client++) {
        sentBytes = 0;
        const socket = connect(port, '127.0.0.1').pause();
        socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
        while (sentBytes === 0) await delay(5);
        socket.destroy();
        await once(socket, 'close');
        // Whoever asks for the same page waits for the one at work.
        const { body } = await ask({ port, path: '/metrics?name[]=offloop_series' });
        expect(body).to.include('offloop_series ');
      }
      const before = scrapes();
      expect(before, 'small pages').to.equal(3);
      sentBytes = 0;
      const { status, body } = await ask({ port, path: '/metrics' });
      expect(status).to.equal(200);
      expect(body.match(/^wide_total\{/gm)).to.have.length(SERIES);
      expect(sentBytes).to.equal(body.length);
      await metrics.flush();
      expect(scrapes()).to.equal(4);
    });
  });
}
