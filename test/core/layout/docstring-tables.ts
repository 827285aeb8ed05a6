import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Rows of the tables in the docstrings of a layout file, as their cells, split where two spaces are. */
export function tableRows(file: string): string[][] {
  const core = dirname(createRequire(import.meta.url).resolve('@offloop/core/package.json'));
  const source = readFileSync(join(core, 'src', 'layout', file), 'utf8');
  const rows: string[][] = [];
  for (const [, docstring] of source.matchAll(/\/\*\*(.*?)\*\//gs)) {
    for (const line of (docstring as string).split('\n')) {
      const text = line.replace(/^ \* ?/, '').trim();
      if (/^\d/.test(text)) rows.push(text.split(/ {2,}/));
    }
  }
  return rows;
}

/** `producerCursor` → `PRODUCER_CURSOR` */
export function constantName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
