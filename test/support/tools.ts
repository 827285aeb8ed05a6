import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Context } from 'mocha';
import { skip } from './skip.js';

/**
 * Path of a program that the system provides.
 *
 * Where it is missing, the test is skipped with that reason, except with `CI=true`: there .ci/run has installed
 * everything that the tests want, so a missing program is a failure and not an excuse.
 */
export function needTool(
  context: Context,
  name:
    | 'prometheus'
    | 'prometheus-pushgateway'
    | 'promtool'
    | 'python3-prometheus-client'
    | 'redis-server'
    | 'taskset',
): string {
  const isPackage = name === PYTHON_PACKAGE;
  const path = isPackage ? findPython() : findTool(name);
  if (path !== undefined) return path;
  const reason = isPackage ? `${PYTHON} has no ${name}` : `${name} is not on the PATH`;
  if (process.env['CI'] === 'true') throw new Error(`${reason}, and with CI=true it has to be`);
  return skip(context, reason);
}

const PYTHON_PACKAGE = 'python3-prometheus-client';
/** Debian's own, as its packages are not for another one that may stand before it on the PATH. */
const PYTHON = '/usr/bin/python3';

function findPython(): string | undefined {
  const { status } = spawnSync(PYTHON, ['-c', 'import prometheus_client.openmetrics.parser']);
  return status === 0 ? PYTHON : undefined;
}

function findTool(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutableFile);
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
