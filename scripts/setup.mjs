// Installs the workspace with the pinned package manager, and does nothing when that has been done already.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolders, packageManager, root, run } from './workspace.mjs';

const stampPath = join(root, 'node_modules/.offloop-setup');
const wanted = [...packageFolders, 'test', 'bench', 'demo'];

if (!isInstalled()) {
  console.log(`Installing dependencies with ${packageManager}`);
  // npx is a shell script on Windows, which spawn() opens only through a shell.
  const exitCode = await run('npx', ['--yes', packageManager, 'install', '--frozen-lockfile'], {
    shell: process.platform === 'win32',
  });
  if (exitCode !== 0) process.exit(exitCode);
  writeFileSync(stampPath, fingerprint());
}

function isInstalled() {
  return existsSync(stampPath) && readFileSync(stampPath, 'utf8') === fingerprint();
}

/** Changes with anything that could make an installation stale: what is locked, what is asked for, which machine it is. */
function fingerprint() {
  const hash = createHash('sha256');
  hash.update(`${packageManager} ${process.platform} ${process.arch}`);
  const manifests = [...wanted, '.'].map((folder) => join(folder, 'package.json'));
  for (const path of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.pnpmfile.mjs', ...manifests]) {
    hash.update(readFileSync(join(root, path)));
  }
  for (const folder of wanted) hash.update(String(existsSync(join(root, folder, 'node_modules'))));
  return hash.digest('hex');
}
