import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What an application's package.json says of it. */
export interface ProjectManifest {
  readonly name: string | undefined;
  readonly version: string | undefined;
}

/** Reads the nearest package.json, from the folder of the process's main file upwards; of a process without one, from its working folder. */
export function readProjectManifest(
  mainFile: string | undefined = process.argv[1],
): ProjectManifest {
  let folder = mainFile === undefined ? process.cwd() : dirname(mainFile);
  for (;;) {
    const manifest = manifestIn(folder);
    if (manifest !== undefined) return manifest;
    const parent = dirname(folder);
    if (parent === folder) return { name: undefined, version: undefined };
    folder = parent;
  }
}

/** One that only says which kind of modules a folder holds has neither, and is not the application's. */
function manifestIn(folder: string): ProjectManifest | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    if (typeof name !== 'string' && typeof version !== 'string') return undefined;
    return { name: textOr(name), version: textOr(version) };
  } catch {
    return undefined;
  }
}

function textOr(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
