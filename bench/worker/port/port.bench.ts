// How fast the off-loop port answers, whatever becomes of the main thread or of other clients.
import { forkOnce } from '../../harness/fork-once.js';
import type { Row, Verdict } from '../../harness/result.js';
import { formatFigure, median } from '../../harness/statistics.js';
import type { Suite, SuiteContext, SuiteRows } from '../../harness/suite.js';
import type { PortLatencies } from './port-subject.js';

const BLOCKS = ['busy loop', 'regex', 'Atomics.wait', 'execSync', 'pbkdf2Sync'];
const CONDITIONS = ['idle', ...BLOCKS, 'hostile clients'];
const MEASURED_MS = { smoke: 300, full: 5_000 } as const;
const SCRAPE_MS_MAX = 50;
const HOSTILE_MS_MAX = 100;

export const port: Suite = {
  name: 'worker/port/port',
  title: 'The off-loop port: milliseconds a scrape',
  note: '1 000 histogram series, ten scrapes a second for 5 s, each on a connection of its own; the main thread of the app idle, blocked all the while in five ways, or idle with 1 000 hostile connections, half of them silent and half with headers that never end. `app` is the app’s own answer on its main thread.',
  isForReadme: true,
  run: measurePort,
};

async function measurePort({ mode, nodePath, report }: SuiteContext): Promise<SuiteRows> {
  const rows: Row[] = [];
  const verdicts: Verdict[] = [];
  for (const condition of CONDITIONS) {
    report(condition);
    const programUrl = new URL('./port-subject.js', import.meta.url);
    const args = [condition, String(MEASURED_MS[mode])];
    const measured = await forkOnce<PortLatencies>({ programUrl, args, nodePath });
    const { scrapesMs, appMs, failures } = measured;
    if (failures > 0 || scrapesMs.length === 0) {
      throw new Error(`${condition}: ${failures} of ${scrapesMs.length + failures} had no answer`);
    }
    const p99 = quantile(scrapesMs, 0.99);
    rows.push({
      name: condition,
      cells: {
        scrapes: String(scrapesMs.length),
        'ms, median': formatFigure(median(scrapesMs)),
        p99: formatFigure(p99),
        max: formatFigure(Math.max(...scrapesMs)),
        'app, p99': appMs.length === 0 ? '—' : formatFigure(quantile(appMs, 0.99)),
      },
      rounds: scrapesMs,
    });
    const limit = condition === 'hostile clients' ? HOSTILE_MS_MAX : SCRAPE_MS_MAX;
    verdicts.push({
      target: `${condition}: p99 under ${limit} ms`,
      measured: `${formatFigure(p99)} ms`,
      holds: p99 < limit,
    });
  }
  return { rows, verdicts: mode === 'full' ? verdicts : [] };
}

/** Nearest rank. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
}
