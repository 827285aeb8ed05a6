import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { OPTION_RULES } from '@offloop/core/adapter';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { useProcesses } from '../../support/processes.js';
import { treeOf } from './option-cases.js';

interface OptionSchema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly items?: { readonly type?: string };
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, OptionSchema>>;
  readonly $defs?: Readonly<Record<string, OptionSchema>>;
  readonly 'x-unit'?: string;
  readonly 'x-environment'?: string;
}

const WITHOUT_DEFAULT =
  /^(threadFile|logger|onHealthChange)$|\.(token|basic|tlsCert|tlsKey|custom)$/;

const require = createRequire(import.meta.url);
const published = require('@offloop/core/options.schema.json') as OptionSchema;

describe('the published schema of the options', () => {
  const options = leavesOf(published);

  it('has the options that there are', () => {
    expect([...options.keys()]).to.deep.equal(Object.keys(OPTION_RULES));
  });

  it('says of each what it is called, what it does, its default and its variable', () => {
    for (const [path, option] of options) {
      expect(option.title, path)
        .to.be.a('string')
        .and.match(/^[A-Z]/);
      expect(option.description, path).to.be.a('string').and.match(/\.$/);
      // Nobody can be given a file, a secret or a function.
      if (!WITHOUT_DEFAULT.test(path)) {
        expect(option.default, path).to.deep.equal(OPTION_RULES[path]?.default);
      }
      expect(option['x-environment'], path).to.equal(OPTION_RULES[path]?.environment);
    }
  });

  it('says of each number in which unit it is', () => {
    for (const [path, option] of options) {
      const type = option.items?.type ?? option.type;
      const isNumber = type === 'integer' || type === 'number';
      expect(option['x-unit'] !== undefined, path).to.equal(isNumber);
    }
  });

  it('is one that any validator takes, and that its own defaults obey', () => {
    const ajv = new Ajv2020({ strict: false });
    const validate = ajv.compile(published);
    for (const [path, option] of options) {
      const tree = treeOf(path, option.default);
      expect(validate(tree), `${path}: ${ajv.errorsText(validate.errors)}`).to.equal(true);
    }
    expect(validate({ rings: 5 })).to.equal(false);
  });

  it('has the paths of the router beside them', () => {
    const router = leavesOf(published.$defs?.['router'] ?? {});
    expect([...router.keys()]).to.include.members(['metrics', 'health']);
    for (const [path, option] of router) {
      expect(option.description, path).to.be.a('string').and.match(/\.$/);
      expect(option.default, path).to.be.a('string').and.match(/^\//);
    }
  });
});

describe('the compiled schema of the options', () => {
  const start = useProcesses();

  for (const build of ['esm', 'cjs']) {
    it(`imports nothing, in the ${build} build`, () => {
      const manifest = require.resolve('@offloop/core/package.json');
      const path = new URL(`dist/${build}/config/compiled-schema.js`, `file://${manifest}`);
      expect(readFileSync(path, 'utf8')).to.not.match(/\brequire\(|^\s*import\b|\bimport\(/m);
    });
  }

  it('works where code must not be made from strings', async function () {
    this.timeout(20_000);
    const program = `
      import { createMetrics } from '@offloop/express';
      const metrics = createMetrics({ engine: 'inline', ring: { capacityRecords: 512 } });
      const codes = [];
      for (const options of [{ ring: { capacityRecords: 500 } }, { quantiles: [0.9, 0.5] }, { scrapePaths: ['x'] }]) {
        try { metrics.updateConfig(options); } catch (error) { codes.push(error.code); }
      }
      try { metrics.router({ health: 'x' }); } catch (error) { codes.push(error.code); }
      let hasStrings = true;
      try { new Function('return 1'); } catch { hasStrings = false; }
      console.log(JSON.stringify({ codes, hasStrings }));
      await metrics.close();
    `;
    const end = await start(
      process.execPath,
      ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', program],
      // Where the packages are found by their names.
      { cwd: fileURLToPath(new URL('../../..', import.meta.url)) },
    ).waitForEnd(15_000);
    expect(end).to.deep.include({ exitCode: 0, stderr: '' });
    expect(JSON.parse(end.stdout)).to.deep.equal({
      codes: Array.from({ length: 4 }, () => 'OFFLOOP_ERR_OPTION_RANGE'),
      hasStrings: false,
    });
  });
});

function leavesOf(schema: OptionSchema, prefix = ''): Map<string, OptionSchema> {
  const leaves = new Map<string, OptionSchema>();
  for (const [name, option] of Object.entries(schema.properties ?? {})) {
    if (option.properties === undefined) leaves.set(prefix + name, option);
    else for (const [path, leaf] of leavesOf(option, `${prefix}${name}.`)) leaves.set(path, leaf);
  }
  return leaves;
}
