import { AheadReader, Drain, HealthEvaluator, Segment } from '@offloop/core/engine';
import { ThreadLine } from '../port/main-line.js';
import type { PortTask } from '../port/port-messages.js';
import { PortServer } from '../port/port-server.js';
import { StallWatch } from '../watch/stall-watch.js';
import type { PageTask } from './page-messages.js';
import { PageSender } from './page-sender.js';
import { ReadAheadSchedule } from './read-ahead-schedule.js';
import { ResidentDrain } from './resident-drain.js';
import { takeOver } from './take-over.js';
import type { StartTask } from './thread-tasks.js';

/**
 * What a pool thread can be asked for. Nothing here writes to the console: a thread's console goes through the main thread, and is
 * silent while that is blocked.
 */

/** A thread has one segment, from `start` on. All that is worth keeping lies in it. */
let resident: Resident | undefined;

interface Resident {
  readonly drain: ResidentDrain;
  readonly pages: PageSender;
  readonly ahead: ReadAheadSchedule;
}

/**
 * Takes the segment's drain over and leaves it running.
 *
 * @returns `false` when this thread is not wanted any more.
 */
export async function start(task: StartTask): Promise<boolean> {
  const segment = Segment.attach(task.buffer);
  const lease = await takeOver(segment, task.standInLease);
  if (lease === undefined) return false;
  const watch = new StallWatch(segment);
  const health = new HealthEvaluator(segment);
  const consumer = new Drain(segment, lease);
  const ahead = new ReadAheadSchedule(consumer, new AheadReader(segment));
  const drain = new ResidentDrain(consumer, task.pollMs, (pauseMs) => {
    watch.look();
    health.look();
    if (pauseMs > 0) ahead.polled(pauseMs);
  });
  resident = { drain, pages: new PageSender(segment, task.port), ahead };
  drain.start();
  if (task.offLoopPort !== undefined) servePort(segment, drain, task.offLoopPort);
  return true;
}

/** The drain goes on whatever becomes of the port. */
function servePort(segment: Segment, drain: ResidentDrain, task: PortTask): void {
  const { channel, facts, settings } = task;
  const line = new ThreadLine({ channel, segment, facts });
  const parts = { settings, segment, line, engine: 'pool' } as const;
  new PortServer({ ...parts, drain: () => drain.drainAll() }).listen();
}

/** Drains everything published before the call. @returns `false` when this thread does not hold the lease. */
export function flush(): boolean {
  if (resident === undefined || !resident.drain.drainAll()) return false;
  resident.ahead.flushed();
  return true;
}

/**
 * Renders a page, whose chunks go through the port. The drain goes on between them.
 *
 * @returns `false` when this thread does not hold the lease; else `true` when the last chunk is sent, or main wants no more of them.
 */
export async function render(task: PageTask): Promise<boolean> {
  if (resident === undefined || !resident.drain.drainAll()) return false;
  await resident.pages.render(task);
  return true;
}
