import { OPTION_RULES } from '@offloop/core';
import { expect } from 'chai';
import { readDocument, tableUnder } from './tables.js';

describe('README.md', () => {
  const document = readDocument('README.md');

  it('has each option, with its environment variable', () => {
    const rows = tableUnder(document, '### Options');
    const names = rows.flatMap(([name]) => name?.split(', ') ?? []);
    expect(names.sort()).to.deep.equal(Object.keys(OPTION_RULES).sort());
    for (const [name, , environment] of rows) {
      expect(OPTION_RULES[name as string]?.environment ?? '', name).to.equal(environment);
    }
  });

  it('shows figures that npm run bench wrote', () => {
    const figures = document.slice(
      document.indexOf('<!-- bench:begin -->'),
      document.indexOf('<!-- bench:end -->'),
    );
    expect(figures).to.include('| ');
  });
});
