// Compiles everything that changed (schemas, both builds of each package, tests, benches, demo), then finishes what tsc leaves open.
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { compileSchemas } from './compile-schemas.mjs';
import { binPath, packageFolders, root, run } from './workspace.mjs';

compileSchemas();

// Also after a type error: what compiles can be tried out meanwhile, but the exit code stays tsc's.
process.exitCode = await run(process.execPath, [
  binPath('typescript', 'tsc'),
  '-b',
  ...process.argv.slice(2),
]);

for (const folder of packageFolders) {
  for (const build of ['esm', 'cjs']) removeOrphans(folder, build);
  nameTwins(folder);
  markAsCommonJs(folder);
}

/** Node reads dist/cjs/*.js as CommonJS because of this file. */
function markAsCommonJs(folder) {
  const path = join(root, folder, 'dist/cjs/package.json');
  if (!existsSync(dirname(path)) || existsSync(path)) return;
  writeFileSync(path, '{ "type": "commonjs" }\n');
}

/** Gives the output of `x.cjs.ts` the name by which it is imported, `x.js`: tsconfig.cjs.json says why. */
function nameTwins(folder) {
  for (const path of outputFiles(join(root, folder, 'dist/cjs'))) {
    if (/\.cjs\.(js|d\.ts)$/.test(path)) renameSync(path, path.replace('.cjs.', '.'));
  }
}

/** tsc never deletes: without this, a file that was renamed would still be packed. */
function removeOrphans(folder, build) {
  const output = join(root, folder, 'dist', build);
  for (const path of outputFiles(output)) {
    const source = join(root, folder, 'src', relative(output, path)).replace(
      /(\.d\.ts|\.js)(\.map)?$/,
      '.ts',
    );
    if (!existsSync(source)) rmSync(path, { force: true });
  }
}

function outputFiles(output) {
  if (!existsSync(output)) return [];
  return readdirSync(output, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'package.json')
    .map((entry) => join(entry.parentPath, entry.name));
}
