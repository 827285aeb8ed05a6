import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Beside this file's output, from where the packages are found. */
export const snippetsFolder = fileURLToPath(new URL('./snippets', import.meta.url));

/** A piece of code in a document. */
export interface Snippet {
  readonly language: 'js' | 'ts';
  readonly code: string;
}

/** The pieces of JavaScript and TypeScript in a document, in their order. */
export function snippetsOf(document: string): Snippet[] {
  return [...document.matchAll(/^```(js|ts)\n(.*?)^```$/gms)].map(([, language, code]) => ({
    language: language as Snippet['language'],
    code: code as string,
  }));
}

/** The examples in a source's docstrings, in their order. */
export function examplesOf(source: string): string[] {
  const blocks = [...source.matchAll(/^ *\* @example\n((?: *\*(?! @|\/).*\n)+)/gm)];
  return blocks.map(([, lines]) => (lines as string).replace(/^ *\* ?/gm, ''));
}

/** Runs a piece as a program of its own. A server that it starts is closed as soon as it listens, on any port. */
export function runSnippet(name: string, code: string) {
  mkdirSync(snippetsFolder, { recursive: true });
  const path = join(snippetsFolder, `${name}.mjs`);
  const program = code.replace(/\.listen\(\d+\)/, '.listen(0, function () { this.close(); })');
  writeFileSync(path, withExpress(program));
  const { status, stdout, stderr } = spawnSync(process.execPath, [path], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

/** Compiles pieces as strict TypeScript, each a module of its own and all at once. @returns What the compiler says: nothing where all are right. */
export function compileSnippets(codes: Readonly<Record<string, string>>): string {
  mkdirSync(snippetsFolder, { recursive: true });
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022', 'esnext.disposable'],
    module: 'nodenext',
    types: ['node'],
    customConditions: ['offloop-internal'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  };
  const files = Object.keys(codes).map((name) => `${name}.mts`);
  writeFileSync(join(snippetsFolder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  for (const [name, code] of Object.entries(codes)) {
    // A fragment without an import is a module as well.
    writeFileSync(join(snippetsFolder, `${name}.mts`), `${withExpress(code)}\nexport {};\n`);
  }
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
  const compiler = join(dirname(manifest), 'bin/tsc');
  const { stdout, stderr } = spawnSync(process.execPath, [compiler, '-p', snippetsFolder], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return stdout + stderr;
}

function withExpress(code: string): string {
  return code.replace("from 'express'", "from 'express5'");
}
