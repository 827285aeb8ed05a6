import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProjectManifest } from '@offloop/express/internal/presets/project-manifest.js';
import { expect } from 'chai';
import { useTemporaryFolders } from '../../support/temporary-folder.js';

describe('the manifest of a project', () => {
  const temporaryFolder = useTemporaryFolders();

  it('is the nearest one above the main file that names something', () => {
    const folder = temporaryFolder();
    const main = join(folder, 'dist', 'deep', 'main.js');
    mkdirSync(join(folder, 'dist', 'deep'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "name": "shop", "version": "2.10.0-rc.1" }');
    writeFileSync(join(folder, 'dist', 'package.json'), '{ "type": "commonjs" }');
    writeFileSync(join(folder, 'dist', 'deep', 'package.json'), 'no JSON');
    expect(readProjectManifest(main)).to.deep.equal({ name: 'shop', version: '2.10.0-rc.1' });
  });

  it('says nothing where there is none', () => {
    expect(readProjectManifest('/nowhere/at/all/main.js')).to.deep.equal({
      name: undefined,
      version: undefined,
    });
  });
});
