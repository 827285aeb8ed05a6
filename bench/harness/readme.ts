import { readFileSync, writeFileSync } from 'node:fs';

const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';

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
