// One bench's process: `node bench-process.js <module of the suite> <bench> <mode>`. The parent gives it its turns.
import type { Bench, Subject } from './bench.js';
import { runRound } from './round.js';
import type { Mode } from './suite.js';

/** What a bench's process tells its parent. */
export type BenchReport =
  | { readonly type: 'ready' }
  | { readonly type: 'round'; readonly nsPerOperation: number }
  | { readonly type: 'finished' };

/** Long enough for V8 to have compiled what is measured, with what it learned in the meantime. */
const WARM_UP_MS = 300;

const [, , moduleUrl = '', benchName = ''] = process.argv;
const mode: Mode = process.argv[4] === 'full' ? 'full' : 'smoke';
const bench = await findBench();
const operations = bench.size[mode];
const subject: Subject = await bench.open(mode);
await subject.check();
await warmUp();

process.on('message', async (message) => {
  if (message === 'round') {
    report({ type: 'round', nsPerOperation: await runRound(bench, subject, operations) });
  } else {
    await subject.finish?.();
    report({ type: 'finished' });
    process.disconnect();
  }
});
process.on('disconnect', () => process.exit());
report({ type: 'ready' });

async function findBench(): Promise<Bench> {
  const { benches }: { readonly benches: readonly Bench[] } = await import(moduleUrl);
  const found = benches.find(({ name }) => name === benchName);
  if (found === undefined) throw new Error(`${moduleUrl} has no bench ${benchName}`);
  return found;
}

async function warmUp(): Promise<void> {
  const endMs = performance.now() + (mode === 'full' ? WARM_UP_MS : 0);
  do await runRound(bench, subject, operations);
  while (performance.now() < endMs);
}

function report(message: BenchReport): void {
  process.send?.(message);
}
