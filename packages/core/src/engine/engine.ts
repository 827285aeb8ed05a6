import type { ExpositionRequest } from '../exposition/render.js';
import type { PageSink } from './page-chunk.js';

/**
 * The port behind which aggregation and rendering run, somewhere: on the caller's thread when somebody reads (inline), or in a pool of
 * threads. Both give the same results, which one contract suite shows.
 */
export interface Engine {
  readonly kind: 'inline' | 'pool';
  /** What an operator should know of it. */
  readonly state: EngineState;
  /** Resolves when everything that was published before the call is aggregated. */
  flush(): Promise<void>;
  /**
   * Renders a page that includes everything published before the call, into a sink. Resolves when the page is over: whole, or given up.
   *
   * @param signal Aborted when nobody wants the page any more: rendering stops at its next chunk.
   */
  stream(request: ExpositionRequest, sink: PageSink, signal: AbortSignal): Promise<void>;
  /**
   * Drains everything that was published, before it returns: where another thread has to, the caller waits for it. For the process's last
   * moment, in which nothing asynchronous happens any more.
   *
   * @param waitMs At most so long; then the caller's thread drains by itself, if the other one is not in the middle of it.
   * @returns Whether all of it is aggregated.
   */
  drainAtOnce(waitMs: number): boolean;
  /** Drains what is left and lets go of every thread, timer and listener. Calling it again changes nothing. */
  close(): Promise<void>;
}

/**
 * - `running`: as it should be.
 * - `degraded`: a pool whose thread is being replaced; meanwhile the caller's thread does its work.
 * - `closed`: nothing is drained any more.
 */
export type EngineState = 'running' | 'degraded' | 'closed';
