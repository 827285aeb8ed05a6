// Whether generated code is quick enough for a scrape, or protobuf has to be written by hand.
import { isDeepStrictEqual } from 'node:util';
import type { ExpositionFormat } from '@offloop/core';
import { renderPage } from '@offloop/core/engine';
import { alternatingSuite, MILLISECONDS } from '../../harness/alternating-suite.js';
import { bench, type Subject } from '../../harness/bench.js';
import { formatFigure } from '../../harness/statistics.js';
import type { Mode } from '../../harness/suite.js';
import { decodePage, renderGenerated } from './generated-protobuf.js';
import { offloopPage } from './page.js';

type Render = (of: ReturnType<typeof openPage>) => Uint8Array;

function openPage(seriesCount: number) {
  const { pipeline, registry } = offloopPage(seriesCount);
  return { segment: pipeline.producer.segment, families: registry.familyIds() };
}

const rendered =
  (format: ExpositionFormat): Render =>
  ({ segment, families }) =>
    renderPage(segment, { families, includePipeline: false, format }).bytes;

const generated: Render = ({ segment, families }) => renderGenerated(segment, families);

function open(seriesCount: number, render: Render): Subject {
  const page = openPage(seriesCount);
  return {
    check: () => {
      const [own, other] = [rendered('protobuf')(page), generated(page)].map(decodePage);
      if (!isDeepStrictEqual(own, other)) throw new Error('the pages are not the same');
      const count = own?.[0]?.metric?.length;
      if (count !== seriesCount) throw new Error(`${count} series, not ${seriesCount}`);
    },
    run: (count) => {
      for (let rendering = 0; rendering < count; rendering++) render(page);
    },
  };
}

/** Enough to see that the pages are right. */
const SMOKE_SERIES = 100;

const ROWS = [
  { name: 'protobuf by hand', render: rendered('protobuf'), pages: 40_000 },
  { name: 'protobuf by protobufjs', render: generated, pages: 5_000 },
  { name: 'text', render: rendered('text'), pages: 20_000 },
] as const;

const SIZES = [1_000, 10_000] as const;

/** For the processes of the suite. */
export const benches = SIZES.flatMap((seriesCount) =>
  ROWS.map(({ name, render, pages }) =>
    bench(
      `${formatFigure(seriesCount)} series / ${name}`,
      { smoke: 1, full: Math.max(1, pages / seriesCount) },
      (mode: Mode) => open(mode === 'full' ? seriesCount : SMOKE_SERIES, render),
      // Each page is a run.
      { operationsPerRun: 1 },
    ),
  ),
);

export const protobuf = alternatingSuite({
  name: 'core/exposition/protobuf',
  title: 'Rendering protobuf: milliseconds a page',
  note: 'Histograms of 12 buckets and 3 labels; the two protobuf pages are decoded and compared first. protobufjs encodes with the code that it generates from the public schema.',
  isForReadme: true,
  moduleUrl: import.meta.url,
  benches,
  unit: MILLISECONDS,
  comparedWith: 'as fast as protobufjs',
  comparisons: SIZES.flatMap((seriesCount) =>
    ['protobuf by hand', 'text'].map((name) => ({
      row: `${formatFigure(seriesCount)} series / ${name}`,
      versus: `${formatFigure(seriesCount)} series / protobuf by protobufjs`,
    })),
  ),
});
