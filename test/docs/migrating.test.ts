import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { readDocument } from './tables.js';

/** Beside this file's output, from where the packages are found. */
const folder = fileURLToPath(new URL('./snippets', import.meta.url));

describe('docs/migrating.md', function () {
  this.timeout(30_000);
  const document = readDocument('docs/migrating.md');
  const snippets = [...document.matchAll(/^```js\n(.*?)^```$/gms)].map(
    ([, code]) => code as string,
  );

  before(() => mkdirSync(folder, { recursive: true }));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('has snippets', () => {
    expect(snippets).to.have.length(4);
  });

  for (const [index, snippet] of snippets.entries()) {
    it(`has a snippet ${index + 1} that runs, says nothing, and lets the process end`, () => {
      const path = join(folder, `snippet-${index + 1}.mjs`);
      writeFileSync(path, snippet.replace("from 'express'", "from 'express5'"));
      const { status, stdout, stderr } = spawnSync(process.execPath, [path], {
        encoding: 'utf8',
        timeout: 20_000,
      });
      expect({ status, stdout, stderr }).to.deep.equal({ status: 0, stdout: '', stderr: '' });
    });
  }

  it('is found from the README', () => {
    expect(readDocument('README.md')).to.include('docs/migrating.md');
  });
});
