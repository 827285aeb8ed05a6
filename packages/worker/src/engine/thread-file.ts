import { existsSync } from 'node:fs';

/**
 * The thread's entry file in the CommonJS build of the package, or `undefined` where there is none.
 *
 * A bundler that swallows this module leaves the thread's file behind: then `import.meta.url` is missing, or names the
 * bundle, and the caller has to fall back or be given a path.
 */
export const threadFile: URL | undefined = locate(import.meta.url);

function locate(moduleUrl: string | undefined): URL | undefined {
  if (moduleUrl === undefined || !moduleUrl.endsWith('/engine/thread-file.js')) return undefined;
  // The CommonJS build of the thread for both: piscina loads it by `require`, and a thread that is ended while Node loads an ES
  // module that way can abort the whole process (Node 20 and 22).
  // Not the literal `new URL('…', import.meta.url)`: bundlers take that for an asset and copy the file without its imports.
  const url = new URL('../../cjs/thread/thread.js', moduleUrl);
  return existsSync(url) ? url : undefined;
}
