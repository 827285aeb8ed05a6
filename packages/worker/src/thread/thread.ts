import { Drain, type ExpositionRequest, packPage, renderPage, Segment } from '@offloop/core/engine';
import { ResidentDrain } from './resident-drain.js';
import { takeOver } from './take-over.js';
import type { StartTask } from './thread-tasks.js';

/**
 * What a pool thread can be asked for. Nothing here writes to the console: a thread's console goes through the main thread, and is
 * silent while that is blocked.
 */

/** A thread has one segment, from `start` on. All that is worth keeping lies in it. */
let resident: { readonly segment: Segment; readonly drain: ResidentDrain } | undefined;

/**
 * Takes the segment's drain over and leaves it running.
 *
 * @returns `false` when this thread is not wanted any more.
 */
export async function start(task: StartTask): Promise<boolean> {
  const segment = Segment.attach(task.buffer);
  const lease = await takeOver(segment, task.standInLease);
  if (lease === undefined) return false;
  const drain = new ResidentDrain(new Drain(segment, lease), task.pollMs);
  resident = { segment, drain };
  drain.start();
  return true;
}

/** Drains everything published before the call. @returns `false` when this thread does not hold the lease. */
export function flush(): boolean {
  return resident?.drain.drainAll() ?? false;
}

/**
 * Renders a page, whose bytes change hands and are not copied. The drain goes on while they are packed.
 *
 * @returns `undefined` when this thread does not hold the lease.
 */
export async function render(request: ExpositionRequest): Promise<unknown> {
  // Loaded by the first page, as it would take a tenth of the time that a thread takes to start.
  const piscina = await import('piscina');
  if (resident === undefined || !resident.drain.drainAll()) return undefined;
  const page = await packPage(renderPage(resident.segment, request), request);
  // The page itself under its own names, and again for piscina: where a bundler has put a second copy of piscina beside the
  // thread's code, the first does not know the second's mark, and copies what it sees.
  return piscina.move({
    ...page,
    [piscina.transferableSymbol]: [page.bytes.buffer],
    [piscina.valueSymbol]: page,
  });
}
