import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { LargePage, TestReader } from '../worker/large-page.js';

const CAPACITY_RECORDS = 1_024;
/** Ring-fulls that a single page has to let pass. */
const RINGS_A_PAGE = 5;
const PAGES_MAX = 200;

describe('a page that is rendered in the middle of traffic', function () {
  this.timeout(120_000);

  it('lets the thread drain several rings full meanwhile, so that none is dropped', async () => {
    const page = await new LargePage({
      seriesCount: 20_000,
      capacityRecords: CAPACITY_RECORDS,
    }).start();
    const { recorder } = page.pipeline.producer;
    const child = page.histogram.labels({ n: 7 });
    let recorded = 0;
    let most = 0;
    try {
      for (let count = 0; count < PAGES_MAX && most < RINGS_A_PAGE * CAPACITY_RECORDS; count++) {
        const reader = new TestReader();
        page.pipeline.stream(page.request, reader);
        let isOver = false;
        void reader.whole.then(() => {
          isOver = true;
        });
        // From here on the values are captured, and being written.
        while (reader.chunkCount === 0) await turn();
        const before = recorded;
        while (!isOver) {
          // As fast as the ring takes them: a thread that only renders would leave it full.
          for (let room = CAPACITY_RECORDS - recorder.backlog(); room > 0; room--) {
            child.observe(1);
            recorded++;
          }
          await turn();
        }
        most = Math.max(most, recorded - before);
        expect(page.seriesOf(reader.text)).to.equal(page.seriesCount);
      }
      await page.pipeline.flush();
      const totals = page.pipeline.totals();
      expect(totals.droppedRecords).to.equal(0);
      expect(totals.aggregatedRecords).to.equal(recorded);
      expect(most, 'records during one page').to.be.at.least(RINGS_A_PAGE * CAPACITY_RECORDS);
    } finally {
      await page.pipeline.close();
    }
  });
});
