import { windowStart } from '../aggregate/window-reading.js';
import { CLOCK_TICK } from '../layout/control-block.js';
import type { Segment } from '../layout/segment.js';
import { type Reads, readsNoted, wantedShares } from './read-ahead.js';
import { RouteReader } from './route-reading.js';

/**
 * Reads for main what its next snapshot says of each route, so that main only has to copy it (layout/read-ahead.ts).
 */
export class AheadReader {
  private readonly segment: Segment;
  private readonly routes: RouteReader;
  private shares: readonly number[] = [];

  constructor(segment: Segment) {
    this.segment = segment;
    this.routes = new RouteReader(segment);
  }

  get reads(): Reads {
    return readsNoted(this.segment);
  }

  /** Reads what is not read yet. To be called by whoever holds the lease, between two batches. */
  readonly read = (): void => {
    const { segment, routes } = this;
    routes.learn();
    const { family } = routes;
    // Who has a reservoir reads by himself: the quantiles of a sample change without a request on their route.
    if (family === undefined || family.reservoir !== undefined) return;
    const { aggregates, control } = segment;
    const nowTick = control[CLOCK_TICK] as number;
    const start = windowStart(segment, family, { aggregates, nowTick });
    if (start === undefined) return;
    const shares = wantedShares(segment);
    if (String(shares) !== String(this.shares)) this.shares = shares;
    routes.readAhead({ aggregates, start, samples: undefined, shares: this.shares });
  };
}
