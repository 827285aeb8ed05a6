import { SharedRenders } from '@offloop/core/internal/engine/shared-renders.js';
import type { ExpositionRequest, Page } from '@offloop/core/internal/exposition/render.js';
import { expect } from 'chai';

const REQUEST: ExpositionRequest = { families: [1, 2], includePipeline: true };

class Rig {
  readonly begun: ExpositionRequest[] = [];
  readonly #settle: ((end: Page | Error) => void)[] = [];
  readonly renders = new SharedRenders((request) => {
    this.begun.push(request);
    return new Promise((resolve, reject) => {
      this.#settle.push((end) => (end instanceof Error ? reject(end) : resolve(end)));
    });
  });

  async finish(index: number, end: Page | Error = pageOf(index)): Promise<void> {
    this.#settle[index]?.(end);
    await turns();
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
    expect(rig.begun).to.deep.equal(requests);
    for (const index of requests.keys()) await rig.finish(index);
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
});
