import type { PageChunk, PageReader, PageSink } from '@offloop/core/internal/engine/page-chunk.js';
import { SharedRenders } from '@offloop/core/internal/engine/shared-renders.js';
import type { ExpositionRequest, Page } from '@offloop/core/internal/exposition/render.js';
import { expect } from 'chai';

const REQUEST: ExpositionRequest = { families: [1, 2], includePipeline: true };

interface Rendering {
  readonly request: ExpositionRequest;
  readonly sink: PageSink;
  readonly signal: AbortSignal;
  readonly settle: (error?: Error) => void;
}

/** Renders by hand. */
class Rig {
  readonly renderings: Rendering[] = [];
  /** Chunks by number that were released, and abandoned. */
  readonly released: number[] = [];
  readonly abandoned: number[] = [];
  readonly renders = new SharedRenders((request, sink, signal) => {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) => (error === undefined ? resolve() : reject(error));
      this.renderings.push({ request, sink, signal, settle });
    });
  });

  get begun(): ExpositionRequest[] {
    return this.renderings.map(({ request }) => request);
  }

  /** Ends a rendering with a page of one chunk that bears its number, or with an error. */
  async finish(index: number, error?: Error): Promise<void> {
    if (error === undefined) this.write(index, index, true);
    this.renderings[index]?.settle(error);
    await turns();
  }

  write(index: number, byte: number, isLast: boolean): void {
    this.renderings[index]?.sink.write({
      bytes: Uint8Array.of(byte),
      isLast,
      encoding: 'identity',
      renderMs: index,
      release: () => this.released.push(byte),
      abandon: () => this.abandoned.push(byte),
    });
  }
}

/** Keeps what comes. */
class Reader implements PageReader {
  readonly chunks: PageChunk[] = [];
  readonly errors: unknown[] = [];
  canRestart = true;
  restarts = 0;

  get text(): string {
    return this.chunks.map(({ bytes }) => bytes.join()).join();
  }

  write(chunk: PageChunk): void {
    this.chunks.push(chunk);
  }

  restart(): boolean {
    this.restarts++;
    return this.canRestart;
  }

  fail(error: unknown): void {
    this.errors.push(error);
  }
}

function pageOf(index: number): Page {
  return { bytes: Uint8Array.of(index), encoding: 'identity', renderMs: index };
}

async function turns(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('shared renders', () => {
  it('renders once for all who ask before it begins', async () => {
    const rig = new Rig();
    const asked = Array.from({ length: 10 }, () => rig.renders.render({ ...REQUEST }));
    await turns();
    expect(rig.begun).to.have.length(1);
    await rig.finish(0);
    for (const page of await Promise.all(asked)) expect(page).to.deep.equal(pageOf(0));
  });

  it('lets those who ask later share the next one, which begins when the first is done', async () => {
    const rig = new Rig();
    const first = rig.renders.render(REQUEST);
    await turns();
    const later: Promise<Page>[] = [];
    for (let count = 0; count < 10; count++) {
      later.push(rig.renders.render(REQUEST));
      await turns();
    }
    expect(rig.begun).to.have.length(1);
    await rig.finish(0);
    expect(rig.begun).to.have.length(2);
    await rig.finish(1);
    expect(await first).to.deep.equal(pageOf(0));
    for (const page of await Promise.all(later)) expect(page).to.deep.equal(pageOf(1));
    expect(rig.begun).to.have.length(2);
  });

  it('renders anew for who asks when all are done', async () => {
    const rig = new Rig();
    for (let count = 0; count < 3; count++) {
      const page = rig.renders.render(REQUEST);
      await turns();
      await rig.finish(count);
      expect(await page).to.deep.equal(pageOf(count));
    }
  });

  it('keeps apart what differs in anything', async () => {
    const rig = new Rig();
    const requests: ExpositionRequest[] = [
      REQUEST,
      { ...REQUEST, families: [1] },
      { ...REQUEST, families: [12] },
      { ...REQUEST, includePipeline: false },
      { ...REQUEST, includePipeline: ['a'] },
      { ...REQUEST, format: 'openMetrics' },
      { ...REQUEST, encoding: 'gzip' },
      { ...REQUEST, defaultLabels: [['a', 'b']] },
    ];
    const pages = requests.map((request) => rig.renders.render(request));
    await turns();
    expect(rig.begun, 'at a time').to.deep.equal(requests.slice(0, 4));
    for (const index of requests.keys()) await rig.finish(index);
    expect(rig.begun).to.deep.equal(requests);
    expect((await Promise.all(pages)).map(({ renderMs }) => renderMs)).to.deep.equal([
      ...requests.keys(),
    ]);
  });

  it('fails for all who share it, and not for those after them', async () => {
    const rig = new Rig();
    const refused = [rig.renders.render(REQUEST), rig.renders.render(REQUEST)];
    await turns();
    const next = rig.renders.render(REQUEST);
    const ends = Promise.allSettled(refused);
    await rig.finish(0, new Error('no page'));
    expect((await ends).map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    await rig.finish(1);
    expect(await next).to.deep.equal(pageOf(1));
  });

  it('gives every reader each chunk, and its memory back when all have released it', async () => {
    const rig = new Rig();
    const [first, second] = [new Reader(), new Reader()];
    const whole = rig.renders.render(REQUEST);
    for (const reader of [first, second]) rig.renders.stream(REQUEST, reader);
    await turns();
    rig.write(0, 7, false);
    rig.write(0, 8, true);
    expect([first.text, second.text]).to.deep.equal(['7,8', '7,8']);
    expect([...(await whole).bytes]).to.deep.equal([7, 8]);
    first.chunks[1]?.release();
    first.chunks[1]?.release();
    first.chunks[0]?.release();
    expect(rig.released).to.deep.equal([]);
    second.chunks[0]?.release();
    expect(rig.released).to.deep.equal([7]);
    second.chunks[1]?.release();
    expect(rig.released).to.deep.equal([7, 8]);
    rig.renderings[0]?.settle();
  });

  it('stops a rendering when its last reader has left, and not before', async () => {
    const rig = new Rig();
    const leave = [0, 1].map(() => rig.renders.stream(REQUEST, new Reader()));
    await turns();
    const signal = rig.renderings[0]?.signal;
    leave[0]?.();
    leave[0]?.();
    expect(signal?.aborted).to.equal(false);
    const next = rig.renders.render(REQUEST);
    leave[1]?.();
    expect(signal?.aborted).to.equal(true);
    rig.write(0, 9, false);
    expect(rig.released, 'a chunk that nobody wants').to.deep.equal([9]);
    rig.renderings[0]?.settle();
    await turns();
    await rig.finish(1);
    expect(await next).to.deep.equal(pageOf(1));
  });

  it('does not begin what nobody wants any more, unless somebody comes again', async () => {
    const rig = new Rig();
    void rig.renders.render(REQUEST);
    await turns();
    rig.renders.stream(REQUEST, new Reader())();
    await rig.finish(0);
    expect(rig.begun).to.have.length(1);
    void rig.renders.render(REQUEST);
    await turns();
    rig.renders.stream(REQUEST, new Reader())();
    const reader = new Reader();
    rig.renders.stream(REQUEST, reader);
    await rig.finish(1);
    await rig.finish(2);
    expect(reader.text).to.equal('2');
    expect(reader.errors).to.deep.equal([]);
  });

  it('begins again for those who can, and ends when nobody can', async () => {
    const rig = new Rig();
    const [first, second] = [new Reader(), new Reader()];
    for (const reader of [first, second]) rig.renders.stream(REQUEST, reader);
    await turns();
    rig.write(0, 1, false);
    first.canRestart = false;
    expect(rig.renderings[0]?.sink.restart()).to.equal(true);
    rig.write(0, 2, false);
    expect([first.text, second.text]).to.deep.equal(['1', '1,2']);
    second.canRestart = false;
    expect(rig.renderings[0]?.sink.restart()).to.equal(false);
    expect([first.restarts, second.restarts]).to.deep.equal([1, 2]);
    rig.renderings[0]?.settle();
  });

  it('does not let one that reads slowly hold up the others for longer than two seconds', async function () {
    this.timeout(10_000);
    const rig = new Rig();
    const [quick, slow] = [new Reader(), new Reader()];
    for (const reader of [quick, slow]) rig.renders.stream(REQUEST, reader);
    await turns();
    for (const byte of [1, 2]) rig.write(0, byte, false);
    for (const chunk of quick.chunks) chunk.release();
    slow.chunks[0]?.release();
    expect(rig.released).to.deep.equal([1]);
    while (rig.abandoned.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(rig.abandoned).to.deep.equal([2]);
    rig.write(0, 3, false);
    expect(rig.released, 'copied at once').to.deep.equal([1, 3]);
    rig.write(0, 4, true);
    expect([quick.text, slow.text]).to.deep.equal(['1,2,3,4', '1,2,3,4']);
    rig.renderings[0]?.settle();
  });
});
