import { writeSync } from 'node:fs';
import { OffloopError, type PageRequest, type ProcessEnd, type Snapshot } from '@offloop/core';
import { messageOf, onProcessEnd, showValue, stackOf } from '@offloop/core/adapter';

/** What there is to tell in the process's last moment. */
export interface LastWords {
  readonly end: ProcessEnd;
  /** Whether everything recorded is in it; else the pool thread did not drain in time. */
  readonly isWhole: boolean;
  readonly snapshot: Snapshot;
  /** The page for a scraper, rendered at once. Not packed; what `collect()` callbacks would bring up to date is as it was. */
  readonly renderPage: (page?: Omit<PageRequest, 'encoding'>) => Uint8Array;
}

/** Gets the last words, and has to do something synchronous with them. */
export type FinalExporter = (last: LastWords) => void;

/** Draining takes the thread a millisecond once it has heard of it; a machine with everything else to do may take long. */
const EXIT_WAIT_MS = 500;
const EXIT_WAIT_MS_MAX = 60_000;

/**
 * Has an exporter called when the process ends.
 *
 * @param of.readAtOnce Reads, without waiting for more than so many milliseconds.
 * @returns What takes it back.
 * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT`
 */
export function registerExporter(
  exporter: FinalExporter,
  of: {
    readonly waitMs?: number;
    readonly readAtOnce: (waitMs: number) => Omit<LastWords, 'end'>;
  },
): () => void {
  const { waitMs = EXIT_WAIT_MS, readAtOnce } = of;
  refuseExporter(exporter, waitMs);
  return onProcessEnd((end) => {
    try {
      exporter({ end, ...readAtOnce(waitMs) });
    } catch (error) {
      complain(error);
    }
  });
}

function refuseExporter(exporter: unknown, waitMs: unknown): void {
  if (typeof exporter !== 'function') {
    throw new OffloopError(
      'OFFLOOP_ERR_ARGUMENT',
      `onExit: exporter must be a function, got ${showValue(exporter)}`,
    );
  }
  if (typeof waitMs === 'number' && waitMs >= 0 && waitMs <= EXIT_WAIT_MS_MAX) return;
  throw new OffloopError(
    'OFFLOOP_ERR_ARGUMENT',
    `onExit: waitMs must be a number in [0, ${EXIT_WAIT_MS_MAX}], got ${showValue(waitMs)}`,
  );
}

/** A warning of the process would be printed in a turn that does not come. */
function complain(error: unknown): void {
  try {
    writeSync(2, `offloop: the final exporter failed: ${stackOf(error) ?? messageOf(error)}\n`);
  } catch {
    // Nobody listens any more.
  }
}
