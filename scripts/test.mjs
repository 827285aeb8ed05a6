// `node scripts/test.mjs [all|fast|published] [part of a path …] [--grep text]`: runs the built tests in a process of their
// own, and ends with the plain line `N passed, N failed[, N skipped]` whatever becomes of that process.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './workspace.mjs';

const folder = mkdtempSync(join(tmpdir(), 'offloop-test-'));
const resultPath = join(folder, 'result.json');

const exitCode = await run(
  process.execPath,
  [
    '--enable-source-maps',
    '--conditions=offloop-internal',
    '--expose-gc',
    'test/.build/support/run.js',
    ...process.argv.slice(2),
  ],
  { env: { ...process.env, OFFLOOP_TEST_RESULT: resultPath } },
);

const { passedCount, failedCount, skippedCount, isFinished } = readResult();
let extraFailureCount = 0;
if (!isFinished) complain(`The tests ended early, with exit code ${exitCode}.`);
else if (exitCode !== 0 && failedCount === 0)
  complain(`The tests ended with exit code ${exitCode}.`);
else if (passedCount + failedCount === 0) complain('No test ran.');

const failed = failedCount + extraFailureCount;
process.exitCode = failed === 0 ? 0 : 1;
const skipped = skippedCount === 0 ? '' : `, ${skippedCount} skipped`;
console.log(`\n${passedCount} passed, ${failed} failed${skipped}`);

function complain(message) {
  extraFailureCount = 1;
  console.log(`\n${message}`);
}

function readResult() {
  try {
    return JSON.parse(readFileSync(resultPath, 'utf8'));
  } catch {
    return { passedCount: 0, failedCount: 0, skippedCount: 0, isFinished: false };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
