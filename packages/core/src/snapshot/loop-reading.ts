import { windowStart } from '../aggregate/window-reading.js';
import { FamilyRole } from '../layout/catalog.js';
import { findFamily } from '../layout/catalog-reader.js';
import type { Segment } from '../layout/segment.js';
import {
  readBlockedMs,
  readLongestStallMs,
  readStallTotals,
  type StallTotals,
} from '../process/stall-reading.js';
import { readUtilization } from '../process/utilization-window.js';
import { addFamily } from './family-sums.js';
import { WindowSums } from './window-sums.js';

/** How the loop fared over the window: what a page shows of it. NaN where nothing is known. */
export interface LoopReading {
  readonly lagSeconds: {
    readonly average: number;
    readonly p95: number;
    readonly p99: number;
    readonly maximum: number;
  };
  readonly utilization: number;
  readonly blockedSeconds: number;
  readonly longestStallSeconds: number;
  readonly stalls: StallTotals;
}

const SHARES = [0.95, 0.99] as const;
const MS_PER_SECOND = 1_000;

/** Reads it, on any thread; `aggregates` comes from `readCommitted`. */
export function readLoop(
  segment: Segment,
  at: { readonly aggregates: Float64Array; readonly nowTick: number },
): LoopReading {
  const sums = lagSums(segment, at);
  const quantiles = new Float64Array(SHARES.length);
  sums.quantiles(SHARES, quantiles);
  const { requests: samples, seconds } = sums.window;
  return {
    lagSeconds: {
      average: samples === 0 ? Number.NaN : seconds / samples,
      p95: quantiles[0] as number,
      p99: quantiles[1] as number,
      maximum: sums.maximum ?? Number.NaN,
    },
    utilization: readUtilization(segment) ?? Number.NaN,
    blockedSeconds: readBlockedMs(segment) / MS_PER_SECOND,
    longestStallSeconds: readLongestStallMs(segment) / MS_PER_SECOND,
    stalls: readStallTotals(segment),
  };
}

function lagSums(
  segment: Segment,
  at: { readonly aggregates: Float64Array; readonly nowTick: number },
): WindowSums {
  const sums = new WindowSums(0);
  const family = findFamily(segment, FamilyRole.loopLag);
  const start = family && windowStart(segment, family, at);
  if (family === undefined || start === undefined) return sums;
  addFamily(sums, segment, { family, aggregates: at.aggregates, start });
  return sums;
}
