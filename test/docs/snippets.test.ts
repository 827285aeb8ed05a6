import { rmSync } from 'node:fs';
import { expect } from 'chai';
import { runSnippet, snippetsFolder, snippetsOf } from './snippets.js';
import { readDocument } from './tables.js';

for (const [path, count] of [
  ['docs/migrating.md', 6],
  ['docs/requests.md', 2],
] as const) {
  describe(path, function () {
    this.timeout(30_000);
    const snippets = snippetsOf(readDocument(path));

    after(() => rmSync(snippetsFolder, { recursive: true, force: true }));

    it('has snippets', () => {
      expect(snippets).to.have.length(count);
    });

    for (const [index, snippet] of snippets.entries()) {
      it(`has a snippet ${index + 1} that runs, says nothing, and lets the process end`, () => {
        expect(runSnippet(`snippet-${index + 1}`, snippet)).to.deep.equal({
          status: 0,
          stdout: '',
          stderr: '',
        });
      });
    }

    it('is found from the README', () => {
      expect(readDocument('README.md')).to.include(path);
    });
  });
}
