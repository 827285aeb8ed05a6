import { readFileSync } from 'node:fs';

/** Text of a document of the repository. */
export function readDocument(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
}

/** Rows of the Markdown table under a heading, cells trimmed and without backquotes; the header row and the rule left out. */
export function tableUnder(document: string, heading: string): string[][] {
  const from = document.indexOf(`\n${heading}\n`);
  if (from === -1) throw new Error(`no heading ${heading}`);
  const rows: string[][] = [];
  for (const line of document.slice(from + heading.length + 2).split('\n')) {
    if (/^#{1,6} /.test(line)) break;
    if (!line.startsWith('|')) {
      if (rows.length > 0) break;
      continue;
    }
    rows.push(
      line
        .slice(1, -1)
        .split(' |')
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
  }
  return rows.slice(2);
}
