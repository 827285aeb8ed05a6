import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StartProcess } from '../support/processes.js';

/** The root of the workspace, seen from the built test. */
export const workspaceRoot = fileURLToPath(new URL('../../..', import.meta.url));

export interface Tarballs {
  readonly core: string;
  readonly worker: string;
  readonly express: string;
}

/** Packs the three packages, as they would be published, into a folder. */
export async function packTarballs({
  start,
  folder,
}: {
  readonly start: StartProcess;
  readonly folder: string;
}): Promise<Tarballs> {
  const packing = start(process.execPath, [join(workspaceRoot, 'scripts/pack.mjs'), folder]);
  const { exitCode, stdout, stderr } = await packing.waitForEnd(120_000);
  if (exitCode !== 0) throw new Error(`Packing failed:\n${stdout}\n${stderr}`);
  const names = readdirSync(folder);
  const find = (name: string): string => {
    const file = names.find((candidate) => candidate.startsWith(`offloop-${name}-`));
    if (file === undefined) throw new Error(`No tarball of ${name} among ${names.join(', ')}`);
    return join(folder, file);
  };
  return { core: find('core'), worker: find('worker'), express: find('express') };
}
