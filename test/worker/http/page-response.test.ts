import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import * as http2 from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { PageResponse } from '@offloop/worker/internal/http/page-response.js';
import { expect } from 'chai';
import { chunkOf } from './page-chunks.js';

/** More than the system takes of an answer whose client does not read. */
const LARGE_BYTES = 16 * 2 ** 20;

describe('PageResponse', function () {
  this.timeout(20_000);
  const closers: (() => unknown)[] = [];
  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });

  interface Served {
    readonly page: PageResponse;
    readonly response: ServerResponse;
    readonly hasLeft: () => boolean;
  }

  /** Serves pages that the test writes by hand, one a request. */
  async function serve(before: (response: ServerResponse) => void = () => {}) {
    const requests: ((served: Served) => void)[] = [];
    const answer = (incoming: IncomingMessage, response: ServerResponse): void => {
      before(response);
      let hasLeft = false;
      const leave = () => {
        hasLeft = true;
      };
      const page = new PageResponse(incoming, { response, contentType: 'text/plain', leave });
      requests.shift()?.({ page, response, hasLeft: () => hasLeft });
    };
    const server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(
      () => server.close(),
      () => server.closeAllConnections(),
    );
    const { port } = server.address() as AddressInfo;
    const nextRequest = () => new Promise<Served>((resolve) => requests.push(resolve));
    return { port, answer, nextRequest };
  }

  async function ask(port: number, method = 'GET') {
    const sent = request({ host: '127.0.0.1', port, method, agent: false }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  }

  async function bodyOf(response: IncomingMessage): Promise<string> {
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    return Buffer.concat(parts).toString();
  }

  /** Everything that a bare connection gets until its end. */
  function talk(port: number, text: string): { socket: Socket; answer: Promise<string> } {
    const socket = connect(port, '127.0.0.1');
    socket.write(text);
    let answer = '';
    socket.on('data', (part) => {
      answer += String(part);
    });
    closers.push(() => socket.destroy());
    return { socket, answer: once(socket, 'close').then(() => answer) };
  }

  it('sends a page of one chunk with its length', async () => {
    const { port, nextRequest } = await serve();
    const served = nextRequest();
    const asked = ask(port);
    const { page, hasLeft } = await served;
    let isReleased = false;
    page.write(chunkOf('all', { isLast: true, release: () => (isReleased = true) }));
    const response = await asked;
    expect(response.headers).to.include({ 'content-length': '3', 'cache-control': 'no-store' });
    expect(await bodyOf(response)).to.equal('all');
    expect([isReleased, hasLeft()]).to.deep.equal([true, true]);
  });

  it('sends a longer page in chunks, and gives each chunk’s memory back', async () => {
    const { port, nextRequest } = await serve();
    const served = nextRequest();
    const asked = ask(port);
    const { page, hasLeft } = await served;
    const released: number[] = [];
    const texts = ['x'.repeat(300_000), 'y'.repeat(300_000), ''];
    page.write(chunkOf(texts[0] as string, { encoding: 'gzip', release: () => released.push(0) }));
    const response = await asked;
    expect(response.headers['content-length']).to.equal(undefined);
    expect(response.headers).to.include({
      'content-type': 'text/plain',
      'content-encoding': 'gzip',
    });
    expect(response.headers.vary).to.equal('Accept, Accept-Encoding');
    expect(hasLeft()).to.equal(false);
    page.write(chunkOf(texts[1] as string, { release: () => released.push(1) }));
    page.write(chunkOf('', { isLast: true, release: () => released.push(2) }));
    expect(await bodyOf(response)).to.equal(texts.join(''));
    expect(released).to.have.members([0, 1, 2]);
  });

  it('keeps the memory of what a slow client has not taken, until it has or has left', async () => {
    for (const end of ['reads', 'leaves']) {
      const { port, nextRequest } = await serve();
      const served = nextRequest();
      const asked = ask(port);
      const { page, response: serverResponse, hasLeft } = await served;
      let isReleased = false;
      const bytes = Buffer.alloc(LARGE_BYTES, 'x');
      page.write({ ...chunkOf(''), bytes, release: () => (isReleased = true) });
      const response = await asked;
      await delay(50);
      expect(isReleased, 'while nobody reads').to.equal(false);
      if (end === 'leaves') response.destroy();
      else {
        response.resume();
        await once(serverResponse, 'drain');
        page.write(chunkOf('', { isLast: true }));
      }
      await once(serverResponse, 'close');
      expect([isReleased, hasLeft()], end).to.deep.equal([true, true]);
    }
  });

  it('needs no callback of write(), which middleware may lose', async () => {
    const { port, nextRequest } = await serve((response) => {
      const write = response.write.bind(response);
      response.write = (bytes: Uint8Array) => write(bytes);
    });
    const served = nextRequest();
    const asked = ask(port);
    const { page, response } = await served;
    let isReleased = false;
    page.write(chunkOf('x'.repeat(300_000), { release: () => (isReleased = true) }));
    (await asked).resume();
    if (!isReleased) await once(response, 'drain');
    expect(isReleased).to.equal(true);
  });

  it('answers HEAD with the length of a page of one chunk, and of a longer one without, and reads no further', async () => {
    const { port, nextRequest } = await serve();
    for (const isLast of [true, false]) {
      const served = nextRequest();
      const asked = ask(port, 'HEAD');
      const { page, response: serverResponse, hasLeft } = await served;
      let isReleased = false;
      page.write(chunkOf('all', { isLast, release: () => (isReleased = true) }));
      const response = await asked;
      expect(response.statusCode).to.equal(200);
      expect(response.headers['content-length']).to.equal(isLast ? '3' : undefined);
      expect(await bodyOf(response)).to.equal('');
      if (!serverResponse.writableFinished) await once(serverResponse, 'finish');
      expect([isReleased, hasLeft()]).to.deep.equal([true, true]);
    }
  });

  it('puts a page together for HTTP/1.0, which could not tell it from the beginning of one', async () => {
    const { port, nextRequest } = await serve();
    const served = nextRequest();
    const { answer } = talk(port, 'GET / HTTP/1.0\r\n\r\n');
    const { page } = await served;
    const released: number[] = [];
    page.write(chunkOf('lost', { release: () => released.push(0) }));
    expect(page.restart(), 'nothing has gone out').to.equal(true);
    for (const n of [1, 2, 3]) {
      page.write(chunkOf(`${n},`, { isLast: n === 3, release: () => released.push(n) }));
    }
    expect(await answer).to.match(/\r\nContent-Length: 6\r\n(.+\r\n)*\r\n1,2,3,$/);
    expect(released).to.have.members([0, 1, 2, 3]);
  });

  it('breaks the connection off when a page fails in its middle, and answers 503 before', async () => {
    for (const end of ['fails', 'begins again']) {
      const { port, nextRequest } = await serve();
      const served = nextRequest();
      const { answer } = talk(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      const { page, hasLeft } = await served;
      page.write(chunkOf('begun'));
      if (end === 'fails') page.fail(new Error('no rest'));
      else expect(page.restart()).to.equal(false);
      const text = await answer;
      expect(text).not.to.match(/\r\n0\r\n\r\n$/, 'the mark of the end');
      expect(hasLeft()).to.equal(true);
    }
    const { port, nextRequest } = await serve();
    const served = nextRequest();
    const asked = ask(port);
    const { page } = await served;
    page.fail(new Error('no page'));
    expect((await asked).statusCode).to.equal(503);
  });

  it('breaks off where somebody who wraps the response throws, and keeps quiet', async () => {
    const { port, nextRequest } = await serve((response) => {
      response.write = () => {
        throw new Error('from a wrapper');
      };
    });
    const served = nextRequest();
    const { answer } = talk(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const { page, hasLeft } = await served;
    page.write(chunkOf('begun'));
    expect(await answer).to.equal('');
    expect(hasLeft()).to.equal(true);
  });

  it('leaves a response alone that somebody else has answered', async () => {
    const { port, nextRequest } = await serve((response) => void response.end('theirs'));
    const served = nextRequest();
    const asked = ask(port);
    const { page, hasLeft } = await served;
    let isReleased = false;
    page.write(chunkOf('ours', { isLast: true, release: () => (isReleased = true) }));
    expect(await bodyOf(await asked)).to.equal('theirs');
    expect([isReleased, hasLeft()]).to.deep.equal([true, true]);
  });

  it('sends pages over HTTP/2, and breaks only its own stream off', async () => {
    const { answer, nextRequest } = await serve();
    const server = http2.createServer((incoming, response) =>
      answer(incoming as unknown as IncomingMessage, response as unknown as ServerResponse),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    closers.push(
      () => session.destroy(),
      () => server.close(),
    );
    for (const end of ['whole', 'broken', 'whole']) {
      const served = nextRequest();
      const stream = session.request({ ':path': '/' });
      let body = '';
      stream.on('data', (part: Buffer) => {
        body += String(part);
      });
      const { page } = await served;
      const released: number[] = [];
      page.write(chunkOf('x'.repeat(300_000), { release: () => released.push(0) }));
      if (end === 'broken') page.fail(new Error('no rest'));
      else page.write(chunkOf('y', { isLast: true, release: () => released.push(1) }));
      await once(stream, 'close');
      expect(stream.rstCode, end).to.equal(end === 'whole' ? 0 : http2.constants.NGHTTP2_CANCEL);
      if (end === 'whole') expect(body).to.equal(`${'x'.repeat(300_000)}y`);
      expect(released).to.have.members(end === 'whole' ? [0, 1] : [0]);
    }
  });
});
