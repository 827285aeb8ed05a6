// What rendering a page takes, on whichever thread; bench/scrape has what the main thread sees of it.
import { PageMemory, renderPage } from '@offloop/core/engine';
import { PageWriting } from '@offloop/core/internal/exposition/page-writing.js';
import { alternatingSuite, MILLISECONDS } from '../../harness/alternating-suite.js';
import { bench, type Subject } from '../../harness/bench.js';
import { formatFigure } from '../../harness/statistics.js';
import type { Mode } from '../../harness/suite.js';
import { expectSamePage, offloopPage, promPage } from './page.js';

function openOffloop(seriesCount: number): Subject {
  const { pipeline, registry } = offloopPage(seriesCount);
  const { segment } = pipeline.producer;
  const request = { families: registry.familyIds(), includePipeline: false };
  const memory = new PageMemory();
  const room = memory.takeChunk();
  const captured = memory.takeCapture();
  return {
    check: async () => {
      const page = Buffer.from(renderPage(segment, request).bytes).toString('utf8');
      expectSamePage(page, await promPage(seriesCount).metrics());
    },
    run: (count) => {
      for (let page = 0; page < count; page++) {
        // Chunk by chunk in the same memory, as a thread does.
        const writing = new PageWriting(segment, request, captured);
        do {
          writing.beginChunk(room);
          while (!writing.writeOn());
        } while (!writing.chunk.isLast);
      }
    },
  };
}

function openProm(seriesCount: number): Subject {
  const registry = promPage(seriesCount);
  return {
    check: () => {},
    run: async (count) => {
      for (let page = 0; page < count; page++) await registry.metrics();
    },
  };
}

/** Each page is a run. */
const PAGES = { operationsPerRun: 1 };
/** Enough to see that the pages are right. */
const SMOKE_SERIES = 100;

function rows(seriesCount: number, pages: { readonly offloop: number; readonly prom: number }) {
  const title = `${formatFigure(seriesCount)} series`;
  const seriesIn = (mode: Mode): number => (mode === 'full' ? seriesCount : SMOKE_SERIES);
  return [
    bench(
      `${title} / offloop`,
      { smoke: 1, full: pages.offloop },
      (mode) => openOffloop(seriesIn(mode)),
      PAGES,
    ),
    bench(
      `${title} / prom-client`,
      { smoke: 1, full: pages.prom },
      (mode) => openProm(seriesIn(mode)),
      PAGES,
    ),
  ];
}

/** For the processes of the suite. */
export const benches = [
  ...rows(1_000, { offloop: 20, prom: 4 }),
  ...rows(10_000, { offloop: 3, prom: 1 }),
];

export const render = alternatingSuite({
  name: 'core/exposition/render',
  title: 'Rendering: milliseconds a page',
  note: 'Histograms of 12 buckets and 3 labels in the Prometheus text format; the pages are compared line by line first. Offloop renders on a thread, prom-client on the main thread.',
  isForReadme: true,
  moduleUrl: import.meta.url,
  benches,
  unit: MILLISECONDS,
  comparedWith: 'as fast as prom-client',
  comparisons: [
    { row: '1 000 series / offloop', versus: '1 000 series / prom-client' },
    { row: '10 000 series / offloop', versus: '10 000 series / prom-client' },
  ],
});
