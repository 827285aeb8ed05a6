// What a library costs a process that does nothing.
import { forkOnce } from '../harness/fork-once.js';
import type { Row, Verdict } from '../harness/result.js';
import { formatFigure, median } from '../harness/statistics.js';
import type { Suite, SuiteContext, SuiteRows } from '../harness/suite.js';
import type { IdleCost } from './idle-subject.js';

const BARE = 'bare';
const LOOP = 'loop lag and stalls';
const SUBJECTS = ['offloop', LOOP, 'prom-client', BARE];
/** V8 collects what the start left behind half a minute later, once. */
const SETTLE_MS = { smoke: 50, full: 45_000 } as const;
const MEASURED_MS = { smoke: 100, full: 20_000 } as const;
const ROUNDS = { smoke: 1, full: 3 } as const;
/** Of a core: of everything, and of what watches the loop. */
const SHARE_MAX = 0.005;
const LOOP_SHARE_MAX = 0.003;

export const idle: Suite = {
  name: 'footprint/idle',
  title: 'Idle: CPU that is added to a process which does nothing',
  note: 'A server without requests, over 20 s: middleware, thread, lag sampling, stall watch and default metrics of offloop; of them, what the main thread spends on lag and stalls; default metrics of prom-client. Percent of one core, above the bare process.',
  isForReadme: true,
  run: measureIdle,
};

async function measureIdle({ mode, nodePath, report }: SuiteContext): Promise<SuiteRows> {
  const shares = new Map<string, number[]>(SUBJECTS.map((subject) => [subject, []]));
  for (let round = 0; round < ROUNDS[mode]; round += 1) {
    report(`round ${round + 1} of ${ROUNDS[mode]}`);
    // At the same time, so that the machine is the same for all; it has next to nothing to do.
    await Promise.all(
      SUBJECTS.map(async (subject) => {
        const programUrl = new URL('./idle-subject.js', import.meta.url);
        const args = [subject, SETTLE_MS[mode], MEASURED_MS[mode]].map(String);
        const { cpuShare } = await forkOnce<IdleCost>({ programUrl, args, nodePath });
        shares.get(subject)?.push(cpuShare);
      }),
    );
  }
  const added = SUBJECTS.filter((subject) => subject !== BARE).map((name) => {
    const rounds = (shares.get(name) ?? []).map(
      (share, round) => share - (shares.get(BARE)?.[round] ?? Number.NaN),
    );
    return { name, rounds, share: median(rounds) };
  });
  return {
    rows: added.map(
      ({ name, rounds, share }): Row => ({
        name,
        cells: { 'added, % of a core': formatFigure(100 * share) },
        rounds,
      }),
    ),
    verdicts: mode === 'full' ? added.slice(0, 2).map(toVerdict) : [],
  };
}

function toVerdict({ name, share }: { readonly name: string; readonly share: number }): Verdict {
  const shareMax = name === LOOP ? LOOP_SHARE_MAX : SHARE_MAX;
  return {
    target: `${name}: at most ${formatFigure(100 * shareMax)} % of a core`,
    measured: `${formatFigure(100 * share)} %`,
    holds: share <= shareMax,
  };
}
