import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Beside this file's output, from where the packages are found. */
export const snippetsFolder = fileURLToPath(new URL('./snippets', import.meta.url));

/** The pieces of JavaScript in a document. */
export function snippetsOf(document: string): string[] {
  return [...document.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code as string);
}

/** Runs a piece as a program of its own. */
export function runSnippet(name: string, snippet: string) {
  mkdirSync(snippetsFolder, { recursive: true });
  const path = join(snippetsFolder, `${name}.mjs`);
  writeFileSync(path, snippet.replace("from 'express'", "from 'express5'"));
  const { status, stdout, stderr } = spawnSync(process.execPath, [path], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}
