import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives the enclosing suite a way to make empty folders outside of the repository; they are gone after its last test. */
export function useTemporaryFolders(): () => string {
  const folders: string[] = [];
  after(function () {
    // Of an installed project that is thousands of files.
    this.timeout(60_000);
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  return () => {
    const folder = mkdtempSync(join(realpathSync(tmpdir()), 'offloop-'));
    folders.push(folder);
    return folder;
  };
}
