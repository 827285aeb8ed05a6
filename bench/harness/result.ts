import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Machine, nodeMajor } from './machine.js';

/** One line of a table: cells by column, as they are shown, and the numbers that they came from. */
export interface Row {
  readonly name: string;
  readonly cells: Readonly<Record<string, string>>;
  /** Of every round, in the order in which they were measured. */
  readonly rounds?: readonly number[];
}

/** A target and what was measured. */
export interface Verdict {
  readonly target: string;
  readonly measured: string;
  readonly holds: boolean;
}

/** What one run of a suite gave. */
export interface SuiteResult {
  readonly suite: string;
  readonly title: string;
  readonly note: string;
  readonly machine: Machine;
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
}

const benchFolder = new URL('../../', import.meta.url);

/** Results of the last run on this machine; not in git. */
export const LAST_RESULTS = new URL('.build/results/', benchFolder);
/** Results that the README shows; in git, written by `--write-readme` only. */
export const README_RESULTS = new URL('results/', benchFolder);

/** @returns Path of the file. */
export function writeResult(folder: URL, result: SuiteResult): string {
  const path = fileURLToPath(new URL(resultFile(result), folder));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(result, undefined, 2)}\n`);
  return path;
}

/** Results of a suite, one a version of Node that it ran under. */
export function readResults(folder: URL, suite: string): SuiteResult[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file): SuiteResult => JSON.parse(readFileSync(new URL(file, folder), 'utf8')))
    .filter((result) => result.suite === suite);
}

/** `core/record/recorder` under Node 20 → `core-record-recorder.node20.json`. */
export function resultFile({ suite, machine }: SuiteResult): string {
  return `${suite.replaceAll('/', '-')}.node${nodeMajor(machine)}.json`;
}
