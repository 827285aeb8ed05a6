import { readFile } from 'node:fs/promises';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { expect } from 'chai';
import { publint } from 'publint';
import { useProcesses } from '../support/processes.js';
import { useTemporaryFolders } from '../support/temporary-folder.js';
import { packTarballs, type Tarballs } from './tarballs.js';

describe('the packed tarballs', () => {
  const start = useProcesses();
  const temporaryFolder = useTemporaryFolders();
  let tarballs: Tarballs;

  before(async function () {
    this.timeout(180_000);
    tarballs = await packTarballs({ start, folder: temporaryFolder() });
  });

  for (const name of ['core', 'worker', 'express'] as const) {
    describe(name, () => {
      it('holds both builds, the licence and the readme, and neither maps nor sources', async () => {
        const files = createPackageFromTarballData(await readTarball(name))
          .listFiles()
          .map((path) => path.replace(/^\/node_modules\/@offloop\/[^/]+\//, ''));

        expect(files).to.include.members([
          'LICENSE',
          'README.md',
          'package.json',
          'dist/esm/index.js',
          'dist/esm/index.d.ts',
          'dist/cjs/index.js',
          'dist/cjs/index.d.ts',
          'dist/cjs/package.json',
        ]);
        const unexpected = files.filter(
          (path) =>
            !/^(LICENSE|README\.md|package\.json|dist\/cjs\/package\.json)$/.test(path) &&
            !/^dist\/(esm|cjs)\/[\w/-]+\.(js|d\.ts)$/.test(path) &&
            !/^schema\/[\w-]+\.schema\.json$/.test(path),
        );
        expect(unexpected).to.deep.equal([]);
      });

      it('has no door to the internals', async () => {
        const pkg = createPackageFromTarballData(await readTarball(name));
        expect(pkg.readFile(`/node_modules/@offloop/${name}/package.json`)).not.to.match(
          /internal|workspace:/,
        );
      });

      it('satisfies publint in its strict mode', async () => {
        const tarball = await readTarball(name);
        const { messages } = await publint({
          pack: { tarball: toArrayBuffer(tarball) },
          strict: true,
        });
        expect(messages).to.deep.equal([]);
      });

      it('has types that resolve for every kind of importer', async function () {
        this.timeout(60_000);
        const analysis = await checkPackage(createPackageFromTarballData(await readTarball(name)));
        if (analysis.types === false) throw new Error('The package has no types.');
        // The oldest resolution knows no subpaths; the root has to resolve even there.
        const problems = analysis.problems.filter(
          (problem) =>
            !(
              'entrypoint' in problem &&
              problem.entrypoint !== '.' &&
              problem.resolutionKind === 'node10'
            ),
        );
        expect(problems).to.deep.equal([]);
      });
    });
  }

  function readTarball(name: keyof Tarballs): Promise<Uint8Array> {
    return readFile(tarballs[name]);
  }
});

function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
