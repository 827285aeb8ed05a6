import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { capture, labelsText } from '@offloop/core/internal/exposition/capture.js';
import { Segment } from '@offloop/core/internal/layout/segment.js';
import { expect } from 'chai';

const EXEMPLARS_WANTED = 100_000;
const GENERATIONS_WANTED = 5;

describe('a reader of exemplars that another thread writes at full speed', function () {
  this.timeout(120_000);
  let thread: Worker | undefined;

  afterEach(async () => {
    await thread?.terminate();
  });

  it('sees each one whole, and at the series that it belongs to', async () => {
    thread = new Worker(new URL('./exemplars-at-full-speed.js', import.meta.url));
    const [{ buffer, family }] = (await once(thread, 'message')) as [
      { buffer: SharedArrayBuffer; family: number },
    ];
    const segment = Segment.attach(buffer);
    const generations = new Set<string>();
    let seen = 0;
    while (seen < EXEMPLARS_WANTED || generations.size < GENERATIONS_WANTED) {
      const [captured] = capture(segment, [family], { exemplars: true }).families;
      if (captured === undefined) throw new Error('no family');
      for (let series = 0; series < captured.seriesIds.length; series++) {
        const labels = labelsText(captured, series);
        for (let bucket = 0; bucket < 3; bucket++) {
          const exemplar = captured.exemplars?.(series, bucket);
          if (exemplar === undefined) continue;
          const [[, owner = ''] = [], [, text = ''] = []] = exemplar.labels;
          expect(`n="${owner}"`).to.equal(labels);
          expect(exemplar.timestampMs).to.equal(exemplar.value * 2 + text.length);
          expect(text).to.equal(
            `${owner} `.padEnd(text.length, `${exemplar.value} `).slice(0, text.length),
          );
          generations.add(owner.split('.')[0] as string);
          seen++;
        }
      }
    }
    console.log(`      ${seen} exemplars of ${generations.size} generations of series`);
  });
});
