import { OPTION_RULES } from '@offloop/core';
import { expect } from 'chai';
import { readDocument, tableUnder } from './tables.js';

describe('README.md', () => {
  const document = readDocument('README.md');

  it('has each option, with its default and its environment variable', () => {
    const rows = tableUnder(document, '### Options');
    const names = rows.flatMap(([name]) => name?.split(', ') ?? []);
    expect(names.sort()).to.deep.equal(Object.keys(OPTION_RULES).sort());
    for (const [name = '', fallback, environment] of rows) {
      const rule = OPTION_RULES[name];
      expect(rule?.environment ?? '', name).to.equal(environment);
      // Those of memory.* stand in docs/memory.md, and the thread's file has none.
      if (!rule?.default) continue;
      const shown = Array.isArray(rule.default)
        ? JSON.stringify(rule.default).replaceAll('"', "'").replaceAll(',', ', ')
        : typeof rule.default === 'object'
          ? JSON.stringify(rule.default)
          : String(rule.default);
      expect(fallback?.startsWith(shown), `${name}: ${fallback}`).to.equal(true);
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
