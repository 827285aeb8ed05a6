// What a series takes of memory, at rest.
import { forkOnce } from '../harness/fork-once.js';
import type { Row, Verdict } from '../harness/result.js';
import { formatFigure, median } from '../harness/statistics.js';
import type { Suite, SuiteContext, SuiteRows } from '../harness/suite.js';
import type { SeriesFootprint } from './series-subject.js';

const SUBJECTS = ['offloop inline', 'offloop pool', 'prom-client'];
const SERIES = { smoke: 100, full: 50_000 } as const;
const SETTLE_MS = { smoke: 30, full: 600 } as const;
const PROCESSES = { smoke: 1, full: 3 } as const;
/** The young generation may grow by 32 MB on the way, which are nobody's. */
const NODE_OPTIONS = ['--max-semi-space-size=1'];

export const series: Suite = {
  name: 'footprint/series',
  title: 'Memory: bytes a histogram series',
  note: '50 000 more series of 12 buckets and 3 labels in a process that has 10 000, after a collection. Resident memory counts everything: names on the heap, the segment, threads, and what pages leave behind.',
  isForReadme: true,
  run: measureSeries,
};

async function measureSeries({ mode, nodePath, report }: SuiteContext): Promise<SuiteRows> {
  const measured = new Map<string, SeriesFootprint[]>(SUBJECTS.map((subject) => [subject, []]));
  for (let turn = 0; turn < PROCESSES[mode]; turn += 1) {
    report(`process ${turn + 1} of ${PROCESSES[mode]} each`);
    const groups = mode === 'smoke' ? [SUBJECTS] : SUBJECTS.map((subject) => [subject]);
    for (const group of groups) {
      await Promise.all(
        group.map(async (subject) => {
          const programUrl = new URL('./series-subject.js', import.meta.url);
          const args = [subject, SERIES[mode], SETTLE_MS[mode]].map(String);
          const footprint = await forkOnce<SeriesFootprint>({
            programUrl,
            args,
            nodePath,
            nodeOptions: NODE_OPTIONS,
          });
          measured.get(subject)?.push(footprint);
        }),
      );
    }
  }
  const bytesOf = (subject: string, field: keyof SeriesFootprint): number =>
    median((measured.get(subject) ?? []).map((each) => each[field])) / SERIES[mode];
  return {
    rows: SUBJECTS.map(
      (name): Row => ({
        name,
        cells: {
          'resident, observed': formatFigure(bytesOf(name, 'observedBytes')),
          'resident, after pages': formatFigure(bytesOf(name, 'scrapedBytes')),
          "of it main's heap": formatFigure(bytesOf(name, 'heapBytes')),
        },
        rounds: (measured.get(name) ?? []).map(({ scrapedBytes }) => scrapedBytes / SERIES[mode]),
      }),
    ),
    verdicts: mode === 'full' ? verdictsOf((name) => bytesOf(name, 'scrapedBytes')) : [],
  };
}

function verdictsOf(bytesOf: (subject: string) => number): Verdict[] {
  const [inline = '', pool = '', prom = ''] = SUBJECTS;
  return [inline, pool].map((subject) => ({
    target: `${subject}: at rest no more than prom-client's`,
    measured: `${formatFigure((100 * bytesOf(subject)) / bytesOf(prom))} %`,
    holds: bytesOf(subject) <= bytesOf(prom),
  }));
}
