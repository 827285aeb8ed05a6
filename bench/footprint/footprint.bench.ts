// What each library adds to a process's resident memory.
import { forkOnce } from '../harness/fork-once.js';
import type { Row } from '../harness/result.js';
import { formatFigure, median } from '../harness/statistics.js';
import type { Suite, SuiteContext, SuiteRows } from '../harness/suite.js';
import type { Footprint } from './subject.js';

const SUBJECTS = ['offloop inline', 'offloop pool', 'prom-client'];
const REQUESTS_PER_SERIES = { smoke: 10, full: 500 } as const;
const SETTLE_MS = { smoke: 50, full: 300 } as const;
const PROCESSES = { smoke: 1, full: 5 } as const;
const MEBIBYTE = 2 ** 20;

export const footprint: Suite = {
  name: 'footprint/footprint',
  title: 'Memory: MiB of resident memory added to a bare process, and the time of the import',
  note: '100 000 requests to 50 routes with 4 status codes each, default options, after a collection. The segment is part of offloop’s figures: most of it is address space that no page stands behind.',
  isForReadme: true,
  run: measureFootprints,
};

async function measureFootprints({ mode, nodePath, report }: SuiteContext): Promise<SuiteRows> {
  const measured = new Map<string, Footprint[]>(SUBJECTS.map((subject) => [subject, []]));
  for (let turn = 0; turn < PROCESSES[mode]; turn += 1) {
    report(`process ${turn + 1} of ${PROCESSES[mode]} each`);
    // A smoke run has no time to lose, and measures nothing.
    const groups = mode === 'smoke' ? [SUBJECTS] : SUBJECTS.map((subject) => [subject]);
    for (const group of groups) {
      await Promise.all(
        group.map(async (subject) => {
          const programUrl = new URL('./subject.js', import.meta.url);
          const args = [subject, REQUESTS_PER_SERIES[mode], SETTLE_MS[mode]].map(String);
          measured.get(subject)?.push(await forkOnce<Footprint>({ programUrl, args, nodePath }));
        }),
      );
    }
  }
  return {
    rows: SUBJECTS.map((subject) => toRow(subject, measured.get(subject) ?? [])),
    verdicts: [],
  };
}

function toRow(name: string, processes: readonly Footprint[]): Row {
  const mebibytes = (of: (footprint: Footprint) => number | undefined): string =>
    formatFigure(median(processes.map((each) => (of(each) ?? Number.NaN) / MEBIBYTE)));
  return {
    name,
    cells: {
      imported: mebibytes(({ importedBytes }) => importedBytes),
      started: mebibytes(({ startedBytes }) => startedBytes),
      'after traffic': mebibytes(({ usedBytes }) => usedBytes),
      'segment, resident': mebibytes(({ segmentResidentBytes }) => segmentResidentBytes),
      'segment, address space': mebibytes(({ segmentBytes }) => segmentBytes),
      'import, ms': formatFigure(median(processes.map(({ importMs }) => importMs))),
    },
    rounds: processes.map(({ usedBytes }) => usedBytes / MEBIBYTE),
  };
}
