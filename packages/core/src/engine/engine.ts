import type { ExpositionRequest, Page } from '../exposition/render.js';

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
  /** Renders a page that includes everything published before the call. */
  render(request: ExpositionRequest): Promise<Page>;
  /** Drains what is left and lets go of every thread, timer and listener. Calling it again changes nothing. */
  close(): Promise<void>;
}

/**
 * - `running`: as it should be.
 * - `degraded`: a pool whose thread is being replaced; meanwhile the caller's thread does its work.
 * - `closed`: nothing is drained any more.
 */
export type EngineState = 'running' | 'degraded' | 'closed';
