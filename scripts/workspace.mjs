import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Folders of the packages that are published, in the order in which they depend on each other. */
export const packageFolders = ['packages/core', 'packages/worker', 'packages/express-adapter'];

/** The pinned package manager, as `name@version`: the one place that names it is the root package.json. */
export const packageManager = readJson('package.json').packageManager;

/** Reads a JSON file whose path is relative to the root. */
export function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

/** Path of a command that a dependency of the root brings along, for use with `node`. */
export function binPath(dependency, command) {
  const manifestPath = createRequire(join(root, 'package.json')).resolve(
    `${dependency}/package.json`,
  );
  return join(dirname(manifestPath), JSON.parse(readFileSync(manifestPath, 'utf8')).bin[command]);
}

/**
 * Runs a command in the root with this terminal and gives its exit code; a signal counts as 128 + its number.
 *
 * A terminal sends Ctrl-C to the whole process group, so the child has it already: it is only waited for. A signal sent
 * to this process alone is passed on.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    const ignore = () => {};
    const passOn = (signal) => child.kill(signal);
    process.on('SIGINT', ignore).on('SIGTERM', passOn).on('SIGHUP', passOn);
    const restore = () => {
      process.off('SIGINT', ignore).off('SIGTERM', passOn).off('SIGHUP', passOn);
    };
    child.once('error', (error) => {
      restore();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      restore();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/** Runs another program with `node` and ends this process, with the same exit code, if it fails. */
export async function runNode(args, options) {
  const exitCode = await run(process.execPath, args, options);
  if (exitCode !== 0) process.exit(exitCode);
}
