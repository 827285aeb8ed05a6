// `node scripts/pack.mjs folder`: packs what has been built, as it would be published, into the folder.
import { join } from 'node:path';
import { packageFolders, packageManager, root, run } from './workspace.mjs';

const [destination] = process.argv.slice(2);
if (destination === undefined) throw new Error('Usage: node scripts/pack.mjs <folder>');

for (const folder of packageFolders) {
  const exitCode = await run(
    'npx',
    ['--yes', packageManager, 'pack', '--pack-destination', destination],
    { cwd: join(root, folder), shell: process.platform === 'win32' },
  );
  if (exitCode !== 0) process.exit(exitCode);
}
