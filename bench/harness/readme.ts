import { readFileSync, writeFileSync } from 'node:fs';
import { README_RESULTS, readResults } from './result.js';
import type { Suite } from './suite.js';
import { formatSection } from './table.js';

const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';

/** A section of Markdown for each result in git of the suites that the README shows: a run of one suite leaves the other tables as they are. */
export function readmeSections(suites: readonly Suite[]): string[] {
  return suites
    .filter(({ isForReadme }) => isForReadme)
    .flatMap(({ name }) => readResults(README_RESULTS, name))
    .map(formatSection);
}

/**
 * Replaces what stands between the two marks in a file.
 *
 * @throws When the file has no such marks.
 */
export function replaceBenchBlock(path: string | URL, block: string): void {
  writeFileSync(path, withBenchBlock(readFileSync(path, 'utf8'), block));
}

function withBenchBlock(text: string, block: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`${BEGIN} and ${END} must stand in the README`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${block}\n\n${text.slice(end)}`;
}
