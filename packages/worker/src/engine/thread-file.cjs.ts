import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** thread-file.ts of the CommonJS build: the same rule, found from `__filename`, as there is no `import.meta` there. */
export const threadFile: URL | undefined = locate(
  typeof __filename === 'string' ? pathToFileURL(__filename).href : undefined,
);

function locate(moduleUrl: string | undefined): URL | undefined {
  if (moduleUrl === undefined || !moduleUrl.endsWith('/engine/thread-file.js')) return undefined;
  const url = new URL('../thread/thread.js', moduleUrl);
  return existsSync(url) ? url : undefined;
}
