import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Mocha from 'mocha';
import { ProgressReporter } from './reporter.js';

/** How long the process may live on after its last test before that counts as a failure. */
const LINGER_MS_MAX = 30_000;

const built = fileURLToPath(new URL('..', import.meta.url));
const sources = fileURLToPath(new URL('../..', import.meta.url));

/** Folders that `fast` leaves out: they start processes, install packages or run for seconds on purpose. */
const slowFolders = ['e2e', 'published', 'race'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { grep: { type: 'string', short: 'g' } },
});

const [group = 'all', ...filters] = positionals;
const mocha = new Mocha({
  reporter: ProgressReporter,
  timeout: 10_000,
  slow: 2_000,
  forbidOnly: process.env['CI'] === 'true',
  ...(values.grep === undefined ? {} : { fgrep: values.grep }),
});
for (const path of testFiles()) mocha.addFile(join(built, path.replace(/\.ts$/, '.js')));

// mocha passes a rejection that nobody handled on to the process and to nobody else; thrown, it fails the test it came from.
process.on('unhandledRejection', (reason) => {
  throw reason;
});

await mocha.loadFilesAsync();
mocha.run((failedCount) => {
  process.exitCode = failedCount === 0 ? 0 : 1;
  // Unref'd, so it fires only where something else keeps the process alive. No test may leave such a thing behind.
  setTimeout(() => {
    const resources = process.getActiveResourcesInfo().join(', ');
    console.error(
      `\nStill alive ${LINGER_MS_MAX / 1000} s after the last test, because of: ${resources}`,
    );
    process.exit(1);
  }, LINGER_MS_MAX).unref();
});

/** Listed from the sources, as the compiler leaves the output of a deleted test behind. */
function testFiles(): string[] {
  return readdirSync(sources, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(sources, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !/(^|\/)(node_modules|\.build)\//.test(path))
    .filter(
      (path) =>
        isInGroup(path) && (filters.length === 0 || filters.some((part) => path.includes(part))),
    )
    .sort();
}

function isInGroup(path: string): boolean {
  const folder = path.slice(0, path.indexOf('/'));
  if (group === 'all') return true;
  if (group === 'fast') return !slowFolders.includes(folder);
  return folder === group;
}
