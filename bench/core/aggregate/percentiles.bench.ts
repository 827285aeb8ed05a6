// How far off percentiles are, and what they take: docs/percentiles.md has the table.
import { forkOnce } from '../../harness/fork-once.js';
import type { Row, Verdict } from '../../harness/result.js';
import { formatFigure } from '../../harness/statistics.js';
import type { Suite, SuiteContext, SuiteRows } from '../../harness/suite.js';
import { SHARES } from './percentiles-shares.js';
import type { Accuracy } from './percentiles-subject.js';

const SUBJECTS = ['offloop sketch', 'offloop reservoir', 'prom-client Summary', 'hdr-histogram-js'];
const DISTRIBUTIONS = ['lognormal', 'bimodal', 'heavy-tailed'];
const OBSERVATIONS = { smoke: 20_000, full: 1_000_000 } as const;
/** docs/percentiles.md: the sketch's bound, and what it keeps to where values are spread over a bucket. */
const BUCKET = 0.022;
const ERROR_MAX = 0.011;

export const percentiles: Suite = {
  name: 'core/aggregate/percentiles',
  title: 'Percentiles: relative error in percent, a million observations',
  note: 'Against the exact order statistics. Time includes the drain. Offloop keeps a window of six slices, of which all observations fall into one, and the others none. Memory of offloop is what the series and the one for overflow take of the segment; of prom-client what the heap grew by, and of hdr-histogram-js what it says.',
  isForReadme: false,
  run: measureAccuracy,
};

async function measureAccuracy({ mode, nodePath, report }: SuiteContext): Promise<SuiteRows> {
  const measured: { readonly name: string; readonly accuracy: Accuracy }[] = [];
  // A smoke run measures nothing, so that one distribution shows that every subject works.
  for (const distribution of mode === 'smoke' ? DISTRIBUTIONS.slice(0, 1) : DISTRIBUTIONS) {
    report(distribution);
    for (const subject of SUBJECTS) {
      const programUrl = new URL('./percentiles-subject.js', import.meta.url);
      const args = [subject, distribution, String(OBSERVATIONS[mode])];
      const accuracy = await forkOnce<Accuracy>({ programUrl, args, nodePath });
      if (subject === 'offloop sketch' && !accuracy.errors.every((error) => error <= BUCKET))
        throw new Error(`${distribution}: the sketch is more than a bucket off`);
      measured.push({ name: `${distribution} / ${subject}`, accuracy });
    }
  }
  return {
    rows: measured.map(({ name, accuracy }) => toRow(name, accuracy)),
    verdicts:
      mode === 'full' ? measured.filter(({ name }) => name.endsWith('sketch')).map(toVerdict) : [],
  };
}

function toRow(name: string, { errors, nsPerObservation, bytes }: Accuracy): Row {
  const cells: Record<string, string> = {};
  for (const [index, share] of SHARES.entries())
    cells[`p${share * 100}`] = formatFigure(100 * (errors[index] ?? Number.NaN));
  cells['kB'] = formatFigure(bytes / 1_000);
  cells['ns'] = formatFigure(nsPerObservation);
  return { name, cells, rounds: errors };
}

function toVerdict({ name, accuracy }: { name: string; accuracy: Accuracy }): Verdict {
  const worst = Math.max(...accuracy.errors);
  return {
    target: `${name}: at most ${formatFigure(100 * ERROR_MAX)} % off`,
    measured: `${formatFigure(100 * worst)} %`,
    holds: worst <= ERROR_MAX,
  };
}
