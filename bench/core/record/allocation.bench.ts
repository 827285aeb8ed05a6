// Recording allocates nothing: what the heap grows by, and how often it is collected.
import { forkOnce } from '../../harness/fork-once.js';
import type { Row } from '../../harness/result.js';
import { formatFigure } from '../../harness/statistics.js';
import type { Suite, SuiteContext, SuiteRows } from '../../harness/suite.js';
import type { Allocation } from './allocation-process.js';

const CALLS = { smoke: 20_000, full: 10_000_000 };
/** Prom-client takes seconds for a million. */
const PROM_CALLS = { smoke: 10_000, full: 1_000_000 };

const SUBJECTS = [
  { name: 'child.observe / offloop', subject: 'offloop child', calls: CALLS },
  { name: 'child.observe / prom-client', subject: 'prom-client child', calls: PROM_CALLS },
  { name: 'observe(labels, v) / offloop', subject: 'offloop labels', calls: CALLS },
  { name: 'observe(labels, v) / prom-client', subject: 'prom-client labels', calls: PROM_CALLS },
];

/** Less than this is what the measuring itself leaves behind, as an allocation is 12 bytes at least. */
const NOTHING_BYTES = 0.01;

export const allocation: Suite = {
  name: 'core/record/allocation',
  title: 'Recording: bytes allocated a call',
  note: "Growth of the heap over the calls, the values and label objects being there already; and the heap's collections during as many calls.",
  isForReadme: true,
  run: measureAllocation,
};

async function measureAllocation({ mode, nodePath }: SuiteContext): Promise<SuiteRows> {
  const measured = await Promise.all(
    SUBJECTS.map(async ({ name, subject, calls }) => {
      const callCount = calls[mode];
      const programUrl = new URL('./allocation-process.js', import.meta.url);
      const { bytesPerCall, collections } = await forkOnce<Allocation>({
        programUrl,
        args: [subject, String(callCount)],
        nodePath,
      });
      return { name, callCount, bytesPerCall, collections };
    }),
  );
  return {
    rows: measured.map(
      ({ name, callCount, bytesPerCall, collections }): Row => ({
        name,
        cells: {
          calls: formatFigure(callCount),
          'bytes a call': bytesPerCall.toFixed(2),
          collections: String(collections),
        },
        rounds: [bytesPerCall],
      }),
    ),
    verdicts: measured
      .filter(({ name }) => mode === 'full' && name.endsWith('offloop'))
      .map(({ name, bytesPerCall, collections }) => ({
        target: `${name}: allocates nothing`,
        measured: `${bytesPerCall.toFixed(4)} bytes a call, ${collections} collections`,
        holds: Math.abs(bytesPerCall) < NOTHING_BYTES && collections === 0,
      })),
  };
}
