import { OPTION_RULES } from '@offloop/core/adapter';
import { expect } from 'chai';
import { readDocument } from './tables.js';

/** What has no default that a reader could type. */
const WITHOUT_DEFAULT =
  /^(threadFile|customLabels|errorRules|logger|onHealthChange)$|^access\.|\.(token|basic|tlsCert|tlsKey|allowedHosts)$/;

describe('what an editor says of each option', () => {
  const docstrings = docstringsOf(readDocument('packages/core/src/config/options.ts'));

  it('is there for every option and every branch', () => {
    const leaves = Object.keys(OPTION_RULES);
    const branches = leaves.filter((path) => path.includes('.')).map((path) => path.split('.')[0]);
    expect([...docstrings.keys()].sort()).to.deep.equal(
      [...new Set([...leaves, ...branches])].sort(),
    );
    for (const [path, text] of docstrings) expect(text, path).to.match(/^[A-Z0-9].*\.$/);
  });

  it('has its range', () => {
    for (const [path, { rule }] of Object.entries(OPTION_RULES)) {
      const [, minimum, maximum] = /\[(\d+), (\d+)\]/.exec(rule) ?? [];
      if (maximum === undefined) continue;
      const range = `[${grouped(Number(minimum))}, ${grouped(Number(maximum))}]`;
      expect(docstrings.get(path), path).to.include(range);
    }
  });

  it('has its default', () => {
    for (const [path, { default: fallback }] of Object.entries(OPTION_RULES)) {
      const text = docstrings.get(path);
      if (WITHOUT_DEFAULT.test(path)) continue;
      const values: unknown[] = Array.isArray(fallback) ? fallback : [fallback];
      const isByTens = path === 'http.sizeBucketsBytes';
      const shown = isByTens ? [values[0], values.at(-1)] : values;
      const sentence = /Default (.*?)(?:[.;](?: |$)|$)|`(\w+)` \(default\)/.exec(text ?? '');
      for (const value of shown) expect(sentence?.[0], path).to.include(inWords(value));
    }
  });

  it('has its environment variable, and whether it can change at run time', () => {
    for (const [path, { environment, fixedBy }] of Object.entries(OPTION_RULES)) {
      const text = docstrings.get(path) ?? '';
      const ofBranch = path.includes('.') ? docstrings.get(path.split('.')[0] as string) : '';
      if (environment !== undefined) expect(text, path).to.include(`Environment: ${environment}.`);
      expect(`${ofBranch} ${text}`.includes('Can change at run time.'), path).to.equal(
        fixedBy === undefined,
      );
    }
  });
});

/** Docstrings of `OffloopOptions` by the option's path, each on one line. */
function docstringsOf(source: string): Map<string, string> {
  const from = source.indexOf('export interface OffloopOptions');
  const body = source.slice(from, source.indexOf('\n}\n', from));
  const found = new Map<string, string>();
  const branch: string[] = [];
  const tokens = /\/\*\*(.*?)\*\/|readonly (\w+)\?:(\s*\|? ?\{)?|^\s*\}/gms;
  let text = '';
  for (const [, comment, name, opens] of body.matchAll(tokens)) {
    if (comment !== undefined) text = comment.replace(/\s*\n\s*\* ?/g, ' ').trim();
    else if (name === undefined) branch.pop();
    else {
      found.set([...branch, name].join('.'), text);
      text = '';
      if (opens !== undefined) branch.push(name);
    }
  }
  return found;
}

/** Thousands apart, from five digits on: 65 536. */
function grouped(number: number): string {
  return number < 10_000 ? `${number}` : `${number}`.replace(/\B(?=(\d{3})+$)/g, ' ');
}

function inWords(value: unknown): string {
  return typeof value === 'number' ? grouped(value) : `\`${value}\``;
}
