import type { SegmentReading } from '../aggregate/segment-reading.js';
import { BLOCK_COUNTS } from '../layout/aggregates.js';
import { inMs, quotient } from './quotient.js';
import type { RouteSnapshot } from './snapshot.js';
import type { Sums } from './window-sums.js';

const MS_PER_SECOND = 1_000;

/** The percentiles that have a name of their own. */
export const NAMED = [0.5, 0.9, 0.95, 0.99] as const;

/** A series of a route. */
export interface SeriesPlace {
  /** Among samples. */
  readonly identity: number;
  readonly block: number;
  readonly isError: boolean;
}

/**
 * A route, and what its last reading came to. That holds for as long as nothing is recorded on it and the window begins where it began: so a
 * reading takes its time for the routes that were in use since the one before.
 */
export class Route {
  readonly method: string;
  readonly route: string;
  readonly series: SeriesPlace[] = [];
  /** Lifetime requests at that reading; none other than these can have been in the window. */
  requests = 0;
  errors = 0;
  windowRequests = 0;
  windowErrors = 0;
  windowSeconds = 0;
  /** Seconds; NaN for an empty window. */
  p50 = Number.NaN;
  p90 = Number.NaN;
  p95 = Number.NaN;
  p99 = Number.NaN;
  isKept = false;

  constructor(method: string, route: string) {
    this.method = method;
    this.route = route;
  }

  /** Observations of its series since the start. */
  countIn({ aggregates }: SegmentReading, bucketCount: number): number {
    let count = 0;
    for (let index = 0; index < this.series.length; index++) {
      const first = (this.series[index] as SeriesPlace).block + BLOCK_COUNTS;
      for (let at = first; at < first + bucketCount; at++) count += aggregates[at] as number;
    }
    return count;
  }

  keep({ lifetime, window }: Sums): void {
    this.requests = lifetime.requests;
    this.errors = lifetime.errors;
    this.windowRequests = window.requests;
    this.windowErrors = window.errors;
    this.windowSeconds = window.seconds;
  }

  keepNamed(named: Float64Array): void {
    this.p50 = named[0] as number;
    this.p90 = named[1] as number;
    this.p95 = named[2] as number;
    this.p99 = named[3] as number;
  }

  /** Field by field, and not spread, which takes longer than to count. */
  row(spanMs: number): RouteSnapshot {
    const { method, route, requests, errors, windowRequests, windowErrors, windowSeconds } = this;
    return {
      method,
      route,
      requests,
      errors,
      errorRate: quotient(windowErrors, windowRequests),
      avgLatencyMs: quotient(windowSeconds * MS_PER_SECOND, windowRequests),
      p50LatencyMs: inMs(this.p50),
      p90LatencyMs: inMs(this.p90),
      p95LatencyMs: inMs(this.p95),
      p99LatencyMs: inMs(this.p99),
      window: {
        requests: windowRequests,
        errors: windowErrors,
        requestsPerSecond: quotient(windowRequests, spanMs / MS_PER_SECOND),
      },
    };
  }
}
