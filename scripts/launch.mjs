// `node scripts/launch.mjs demo --seconds 10`: prepares the workspace, then becomes demo/.build/main.js with the same arguments.
import { run, runNode } from './workspace.mjs';

const [program, ...args] = process.argv.slice(2);
await runNode(['scripts/setup.mjs']);
await runNode(['scripts/build.mjs']);
process.exitCode = await run(process.execPath, [
  '--enable-source-maps',
  ...(program === 'bench' ? ['--conditions=offloop-internal', '--expose-gc'] : []),
  `${program}/.build/main.js`,
  ...args,
]);
