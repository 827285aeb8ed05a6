// What has to be green before a commit: format, lint, import walls, types, and every fast test.
import { binPath, runNode } from './workspace.mjs';

await runNode([binPath('@biomejs/biome', 'biome'), 'check', '--error-on-warnings', '.']);
await runNode(['scripts/build.mjs']);
await runNode(['scripts/test.mjs', 'fast']);
