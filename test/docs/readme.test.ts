import { OPTION_RULES } from '@offloop/core/adapter';
import { expect } from 'chai';
import { readDocument, tableUnder } from './tables.js';

/** A module of the benches, which are no package that tests could import. */
async function loadBench<Module>(path: string): Promise<Module> {
  const url = new URL(`../../../bench/.build/${path}`, import.meta.url);
  return (await import(url.href)) as Module;
}

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

  it('shows the figures that npm run bench wrote, of every suite that is for it', async function () {
    // Loads all that the benches load.
    this.timeout(20_000);
    const begin = '<!-- bench:begin -->';
    const figures = document.slice(
      document.indexOf(begin) + begin.length,
      document.indexOf('<!-- bench:end -->'),
    );
    const { readmeSections } = await loadBench<{
      readonly readmeSections: (suites: readonly unknown[]) => string[];
    }>('harness/readme.js');
    const { SUITES } = await loadBench<{ readonly SUITES: readonly unknown[] }>('suites.js');
    expect(figures.trim()).to.equal(readmeSections(SUITES).join('\n\n'));
  });
});
