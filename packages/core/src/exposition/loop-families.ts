import { STALL_CAUSES } from '../layout/watch.js';
import type { PipelineFamily } from './pipeline-families.js';

const BY_CAUSE = { name: 'cause', values: STALL_CAUSES } as const;

/** How the event loop fares, known to a thread that does not share its fate; docs/liveness.md says how. */
export const LOOP_FAMILIES: readonly PipelineFamily[] = [
  {
    name: 'offloop_event_loop_lag_avg_seconds',
    type: 'gauge',
    help: 'Mean lag of the event loop over the window, weighted by time.',
    value: ({ loop }) => loop.lagSeconds.average,
  },
  {
    name: 'offloop_event_loop_lag_p95_seconds',
    type: 'gauge',
    help: 'Lag that 95 % of the window stays below.',
    value: ({ loop }) => loop.lagSeconds.p95,
  },
  {
    name: 'offloop_event_loop_lag_p99_seconds',
    type: 'gauge',
    help: 'Lag that 99 % of the window stays below.',
    value: ({ loop }) => loop.lagSeconds.p99,
  },
  {
    name: 'offloop_event_loop_lag_max_seconds',
    type: 'gauge',
    help: 'Highest lag of the window.',
    value: ({ loop }) => loop.lagSeconds.maximum,
  },
  {
    name: 'offloop_event_loop_utilization_ratio',
    type: 'gauge',
    help: 'Share of the window in which the event loop was not waiting for events.',
    value: ({ loop }) => loop.utilization,
  },
  {
    name: 'offloop_event_loop_blocked_seconds',
    type: 'gauge',
    help: 'For how long the event loop has not turned as of now; 0 while it turns.',
    value: ({ loop }) => loop.blockedSeconds,
  },
  {
    name: 'offloop_event_loop_longest_stall_seconds',
    type: 'gauge',
    help: 'Longest stall of the window, the one that goes on included.',
    value: ({ loop }) => loop.longestStallSeconds,
  },
  {
    name: 'offloop_event_loop_stalls_total',
    type: 'counter',
    help: 'Stalls of the event loop, each added a second after its end.',
    label: BY_CAUSE,
    value: ({ loop }, cause) => loop.stalls.counts[cause] as number,
  },
  {
    name: 'offloop_event_loop_stall_seconds_total',
    type: 'counter',
    help: 'How long those stalls were.',
    label: BY_CAUSE,
    value: ({ loop }, cause) => (loop.stalls.lengthsMs[cause] as number) / 1000,
  },
];
