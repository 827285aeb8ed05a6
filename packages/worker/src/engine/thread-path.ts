import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OffloopError } from '@offloop/core';
import { threadFile as ownThreadFile } from './thread-file.js';

/**
 * Path of the thread's file: the given one, or the one beside this package.
 *
 * @param given A path, or a `file:` URL; an empty string is as good as none.
 * @returns `undefined` when there is no such file.
 */
export function findThreadPath(given: string | URL | undefined): string | undefined {
  const file = given === undefined || given === '' ? ownThreadFile : given;
  if (file === undefined) return undefined;
  const isUrl = file instanceof URL || file.startsWith('file:');
  const path = isUrl ? fileURLToPath(file) : resolve(file);
  return existsSync(path) ? path : undefined;
}

/** @throws {OffloopError} `OFFLOOP_ERR_THREAD_START` when there is no such file. */
export function requiredThreadPath(given: string | URL | undefined): string {
  const path = findThreadPath(given);
  if (path === undefined)
    throw new OffloopError('OFFLOOP_ERR_THREAD_START', missingThreadFile(given));
  return path;
}

/** What to tell somebody whose thread file is missing. */
export function missingThreadFile(given: string | URL | undefined): string {
  const rule = 'threadFile must name the file of @offloop/worker/thread';
  return given === undefined || given === ''
    ? `${rule} where a bundler has separated it from the package, and none lies beside this code`
    : `${rule}, and there is none at ${given}`;
}
