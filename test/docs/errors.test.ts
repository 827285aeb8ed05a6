import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ERROR_CODES } from '@offloop/core';
import { expect } from 'chai';
import { readDocument } from './tables.js';

describe('docs/errors.md', () => {
  const documented = [...readDocument('docs/errors.md').matchAll(/^## (OFFLOOP_ERR_\w+)$/gm)].map(
    (match) => match[1],
  );

  it('has a section for each code and no other', () => {
    expect(documented).to.deep.equal(Object.keys(ERROR_CODES));
  });

  it('gives each code a cause and a cure', () => {
    const sections = readDocument('docs/errors.md').split(/^## /m).slice(1);
    for (const section of sections) {
      expect(section, section).to.match(/\*\*Cause\.\*\* \S/);
      expect(section, section).to.match(/\*\*Cure\.\*\* \S/);
    }
  });

  it('names no code that nothing throws', () => {
    const packages = fileURLToPath(new URL('../../../packages/', import.meta.url));
    const source = readdirSync(packages, { recursive: true, encoding: 'utf8' })
      .filter(
        (path) =>
          /[\\/]src[\\/].*\.ts$/.test(path) &&
          !path.endsWith('errors.ts') &&
          !path.includes('node_modules'),
      )
      .map((path) => readFileSync(join(packages, path), 'utf8'))
      .join('\n');
    const unused = Object.keys(ERROR_CODES).filter((code) => !source.includes(`'${code}'`));
    expect(unused).to.deep.equal([]);
  });
});
