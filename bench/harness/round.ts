import type { Bench, Subject } from './bench.js';
import { median } from './statistics.js';

/**
 * Does `count` operations of a bench.
 *
 * A round is several timed runs, of which the median counts: a run is shorter than a slice of the scheduler, so what else the machine
 * does falls into few of them. So does garbage collection where it is rare, which flatters those who leave garbage by a few per cent.
 *
 * @returns Nanoseconds an operation.
 */
export async function runRound(bench: Bench, subject: Subject, count: number): Promise<number> {
  const runs: number[] = [];
  for (let done = 0; done < count; ) {
    const next = Math.min(bench.operationsPerRun, count - done);
    // Awaited only where there is something to await: a turn of the event loop lets a thread catch up, or a cache cool down.
    const preparing = subject.prepare?.(next);
    if (preparing !== undefined) await preparing;
    const startedNs = process.hrtime.bigint();
    const running = subject.run(next);
    if (running !== undefined) await running;
    runs.push(Number(process.hrtime.bigint() - startedNs) / next);
    done += next;
  }
  return median(runs);
}
