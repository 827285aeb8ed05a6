import { Pipeline } from './pipeline.js';

/**
 * The number changes when two copies of this package could no longer work on one pipeline object.
 */
const ANCHOR = Symbol.for('@offloop/core.pipeline.1');

/**
 * The pipeline of this process: the same object for two copies of this package, its ESM and CommonJS builds, and hot reload, all of which
 * meet in a symbol of the global object.
 */
export function processPipeline(): Pipeline {
  const anchored = globalThis as unknown as Record<symbol, Pipeline | undefined>;
  let pipeline = anchored[ANCHOR];
  if (pipeline === undefined) {
    pipeline = new Pipeline();
    // Not enumerable: nothing that lists the global object should meet it.
    Object.defineProperty(globalThis, ANCHOR, {
      value: pipeline,
      configurable: true,
      enumerable: false,
      writable: true,
    });
  }
  return pipeline;
}
