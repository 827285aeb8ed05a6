// How fast the off-loop port answers, whatever becomes of the main thread or of other clients.
import { forkOnce } from '../../harness/fork-once.js';
import type { Row, Verdict } from '../../harness/result.js';
import { formatFigure, median } from '../../harness/statistics.js';
import type { Suite, SuiteContext, SuiteRows } from '../../harness/suite.js';
import type { PortLatencies } from './port-subject.js';

const MEASURED_MS = { smoke: 300, full: 5_000 } as const;
const SCRAPE_MS_MAX = 50;
const HOSTILE_MS_MAX = 100;

export const port: Suite = {
  name: 'worker/port/port',
  title: 'The off-loop port: milliseconds a scrape',
  note: '1 000 histogram series, ten scrapes a second for 5 s a row, each on a connection of its own, of one process; its main thread idle, blocked all the while in five ways, or idle with 1 000 hostile connections, half of them silent and half with headers that never end. `app` is the app’s own answer on its main thread.',
  isForReadme: true,
  run: measurePort,
};

async function measurePort({ mode, nodePath, report }: SuiteContext): Promise<SuiteRows> {
  report('one process, all conditions in turn');
  const programUrl = new URL('./port-subject.js', import.meta.url);
  const args = [String(MEASURED_MS[mode])];
  const measured = await forkOnce<readonly PortLatencies[]>({ programUrl, args, nodePath });
  for (const { condition, scrapesMs, failures } of measured) {
    if (failures > 0 || scrapesMs.length === 0) {
      throw new Error(`${condition}: ${failures} of ${scrapesMs.length + failures} had no answer`);
    }
  }
  const hostile = measured.filter(({ condition }) => condition === 'hostile clients');
  const blocked = measured.filter(({ appMs }) => appMs.length === 0);
  return {
    rows: measured.map(toRow),
    verdicts:
      mode === 'full'
        ? [
            toVerdict('blocked', blocked, SCRAPE_MS_MAX),
            toVerdict('hostile clients', hostile, HOSTILE_MS_MAX),
          ]
        : [],
  };
}

function toRow({ condition, scrapesMs, appMs }: PortLatencies): Row {
  return {
    name: condition,
    cells: {
      scrapes: String(scrapesMs.length),
      'ms, median': formatFigure(median(scrapesMs)),
      p99: formatFigure(quantile(scrapesMs, 0.99)),
      'app, p99': appMs.length === 0 ? '—' : formatFigure(quantile(appMs, 0.99)),
    },
    rounds: scrapesMs,
  };
}

function toVerdict(what: string, measured: readonly PortLatencies[], limitMs: number): Verdict {
  const scrapesMs = measured.flatMap((one) => one.scrapesMs);
  const p99 = quantile(scrapesMs, 0.99);
  return {
    target: `${what}: p99 of ${scrapesMs.length} scrapes under ${limitMs} ms`,
    measured: `${formatFigure(p99)} ms`,
    holds: p99 < limitMs,
  };
}

/** Nearest rank. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
}
