import { existsSync } from 'node:fs';

/**
 * The thread's entry file in this build of the package, or `undefined` where there is none.
 *
 * A bundler that swallows this module leaves the thread's file behind: then `import.meta.url` is missing, or names the
 * bundle, and the caller has to fall back or be given a path.
 */
export const threadFile: URL | undefined = locate(import.meta.url);

function locate(moduleUrl: string | undefined): URL | undefined {
  if (moduleUrl === undefined || !moduleUrl.endsWith('/engine/thread-file.js')) return undefined;
  // Not the literal `new URL('…', import.meta.url)`: bundlers take that for an asset and copy the file without its imports.
  const url = new URL('../thread/thread.js', moduleUrl);
  return existsSync(url) ? url : undefined;
}
