// What a scrape costs the application.
import { forkOnce } from '../harness/fork-once.js';
import type { Row, Verdict } from '../harness/result.js';
import { formatFigure, median } from '../harness/statistics.js';
import type { Suite, SuiteContext, SuiteRows } from '../harness/suite.js';
import type { ScrapeCost } from './scrape-process.js';

const PASSES = { smoke: 1, full: 3 } as const;
/** Enough to see that it works. */
const SMOKE_SERIES = 100;
const LIBRARIES = ['offloop', 'prom-client'] as const;
const SIZES = [
  { seriesCount: 1_000, scrapes: { smoke: 1, full: 40 } },
  { seriesCount: 10_000, scrapes: { smoke: 1, full: 12 } },
  { seriesCount: 100_000, scrapes: { smoke: 1, full: 3 } },
];

export const scrape: Suite = {
  name: 'scrape/scrape',
  title: 'Scraping: what a page costs the application',
  note: 'Histograms of 12 buckets and 3 labels, asked for over HTTP by a client in another process; offloop with its thread. `peak` is the resident memory of the whole process.',
  isForReadme: true,
  run: measureScrapes,
};

interface Measured {
  readonly name: string;
  readonly seriesCount: number;
  readonly contender: (typeof LIBRARIES)[number];
  readonly passes: ScrapeCost[];
}

async function measureScrapes({ mode, nodePath, report }: SuiteContext): Promise<SuiteRows> {
  const measured: Measured[] = [];
  const runs = SIZES.flatMap(({ seriesCount, scrapes }) =>
    LIBRARIES.map((contender) => {
      const name = `${formatFigure(seriesCount)} series / ${contender}`;
      const passes: ScrapeCost[] = [];
      measured.push({ name, seriesCount, contender, passes });
      return async (): Promise<void> => {
        const programUrl = new URL('./scrape-process.js', import.meta.url);
        const args = [contender, mode === 'full' ? seriesCount : SMOKE_SERIES, scrapes[mode]].map(
          String,
        );
        passes.push(await forkOnce<ScrapeCost>({ programUrl, args, nodePath }));
      };
    }),
  );
  for (let pass = 0; pass < PASSES[mode]; pass += 1) {
    report(`pass ${pass + 1} of ${PASSES[mode]}`);
    if (mode === 'smoke') await Promise.all(runs.map((run) => run()));
    else for (const run of runs) await run();
  }
  return {
    rows: measured.map(toRow),
    verdicts: mode === 'full' ? verdictsOf(measured) : [],
  };
}

const longestHoldMs = ({ passes }: Measured): number =>
  median(passes.map((pass) => pass.longestHoldMs));
const mainHeldMs = ({ passes }: Measured): number => median(passes.map((pass) => pass.mainHeldMs));
const cpuMs = ({ passes }: Measured): number => median(passes.map((pass) => pass.cpuMs));
const peakMebibytes = ({ passes }: Measured): number =>
  median(passes.map((pass) => pass.peakRssBytes)) / 2 ** 20;

function toRow(of: Measured): Row {
  return {
    name: of.name,
    cells: {
      'main held at a time, ms': formatFigure(longestHoldMs(of)),
      'in all, ms': formatFigure(mainHeldMs(of)),
      'CPU of all threads, ms': formatFigure(cpuMs(of)),
      'latency, ms': formatFigure(median(of.passes.map(({ latencyMs }) => latencyMs))),
      'peak, MiB': formatFigure(peakMebibytes(of)),
    },
    rounds: of.passes.map((pass) => pass.longestHoldMs),
  };
}

/** Ten times the series may take twelve times the processor: larger pages fit no cache. */
function linearVerdict(measured: readonly Measured[], small: Measured): Verdict[] {
  const large = measured.find(
    ({ contender, seriesCount }) => contender === 'offloop' && seriesCount === 100_000,
  );
  if (large === undefined) return [];
  const ratio = cpuMs(large) / cpuMs(small);
  return [
    {
      target: `${large.name}: at most 12 times the CPU of ${small.name}`,
      measured: `${formatFigure(ratio)} times`,
      holds: ratio <= 12,
    },
  ];
}

/** What a page of 10 000 series may cost, by itself and beside prom-client's. */
function verdictsOf(measured: readonly Measured[]): Verdict[] {
  const [own, other] = LIBRARIES.map((contender) =>
    measured.find((each) => each.contender === contender && each.seriesCount === 10_000),
  );
  if (own === undefined || other === undefined) return [];
  return [
    {
      target: `${own.name}: main held at most 2 ms at a time`,
      measured: `${formatFigure(longestHoldMs(own))} ms`,
      holds: longestHoldMs(own) <= 2,
    },
    {
      target: `${own.name}: at most a tenth of prom-client's CPU`,
      measured: `${formatFigure((100 * cpuMs(own)) / cpuMs(other))} %`,
      holds: cpuMs(own) <= cpuMs(other) / 10,
    },
    {
      target: `${own.name}: at most half of prom-client's peak`,
      measured: `${formatFigure((100 * peakMebibytes(own)) / peakMebibytes(other))} %`,
      holds: peakMebibytes(own) <= peakMebibytes(other) / 2,
    },
    ...linearVerdict(measured, own),
  ];
}
