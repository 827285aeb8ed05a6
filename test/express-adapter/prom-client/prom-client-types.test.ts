import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const here = fileURLToPath(new URL('.', import.meta.url));
/** Beside this file's output, from where the packages are found; the sources lie outside of it. */
const folder = join(here, 'typed-program');
const source = join(here, '../../../express-adapter/prom-client/typed-program.ts');

/** What the compiler says of a program: nothing, where it takes it. */
function complaintsAbout(program: string): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'program.mts'), program);
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    noEmit: true,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const { status, stdout } = spawnSync(process.execPath, [compilerPath(), '-p', folder], {
    encoding: 'utf8',
  });
  expect(status, stdout).to.be.oneOf([0, 1, 2]);
  return stdout;
}

function compilerPath(): string {
  const root = createRequire(join(here, '../../../../package.json'));
  const manifest = root.resolve('typescript/package.json');
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { tsc: string } };
  return join(dirname(manifest), bin.tsc);
}

describe('a program written for prom-client’s types', function () {
  this.timeout(60_000);
  const program = readFileSync(source, 'utf8');
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('compiles with prom-client', () => {
    expect(complaintsAbout(program)).to.equal('');
  });

  it('compiles with its one import changed, and what prom-client’s types refuse is refused', () => {
    const changed = program.replace("from 'prom-client'", "from '@offloop/express'");
    expect(changed).to.not.equal(program);
    expect(complaintsAbout(changed)).to.equal('');
  });

  it('would not compile with a label that is none', () => {
    const wrong =
      "import { Counter } from '@offloop/express';\nnew Counter({ name: 'a', help: 'h', labelNames: ['b'] }).inc({ c: 1 });\n";
    expect(complaintsAbout(wrong)).to.include('error TS');
  });
});
