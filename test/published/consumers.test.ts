import { cp, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ProcessEnd, useProcesses } from '../support/processes.js';
import { useTemporaryFolders } from '../support/temporary-folder.js';
import { packTarballs, workspaceRoot } from './tarballs.js';

/** What fixtures/exercise.cjs gives back when all is well. */
const ALL_REQUESTS = { totalRequests: 3, scrapedRequests: 3, registeredRequests: 3 };

/** Long enough for a slow machine to start Node, and far shorter than any timer that could hold a process up. */
const CONSUMER_MS_MAX = 15_000;

describe('a project that has installed the tarballs', () => {
  const start = useProcesses();
  const temporaryFolder = useTemporaryFolders();
  let project: string;

  before(async function () {
    this.timeout(400_000);
    project = temporaryFolder();
    await install();
  });

  it('imports them, and the process ends by itself', async function () {
    this.timeout(2 * CONSUMER_MS_MAX);
    expect(await consume(['import.mjs'])).to.deep.equal(ALL_REQUESTS);
  });

  it('requires them, and the process ends by itself', async function () {
    this.timeout(2 * CONSUMER_MS_MAX);
    expect(await consume(['require.cjs'])).to.deep.equal(ALL_REQUESTS);
  });

  it('closes them, and the process ends by itself', async function () {
    this.timeout(2 * CONSUMER_MS_MAX);
    expect(await consume(['close.mjs'])).to.deep.equal(ALL_REQUESTS);
  });

  for (const order of ['import-first', 'require-first']) {
    it(`meets in one singleton with both builds loaded, ${order}`, async function () {
      this.timeout(2 * CONSUMER_MS_MAX);
      expect(await consume(['both.mjs', order])).to.deep.equal({
        areTwoCopies: true,
        isOneSingleton: true,
        isOneRegister: true,
        isSeenByTheOther: true,
      });
    });
  }

  it('uses core alone', async function () {
    this.timeout(2 * CONSUMER_MS_MAX);
    expect(await consume(['core.mjs'])).to.deep.equal({
      schemas: ['Options of offloop', 'Snapshot of offloop', 'Health of offloop'],
      imported: true,
      required: true,
      isKnownToTheOther: true,
      isOneHook: true,
      isCountedOnce: true,
      isUnhooked: true,
      absent: 'OFFLOOP_ERR_LIBRARY_ABSENT',
    });
  });

  it('tests with jest as it comes', async function () {
    this.timeout(120_000);
    const end = await runTool('jest', 'jest', ['jest/']);
    expect(end.stderr).to.match(/Tests: +1 passed, 1 total/);
    expect(end.stderr).not.to.match(/did not exit|force exited|open handle/i);
  });

  it('tests with vitest as it comes', async function () {
    this.timeout(120_000);
    const end = await runTool('vitest', 'vitest', ['run', 'vitest/']);
    expect(end.stdout).to.match(/Tests +1 passed \(1\)/);
    expect(end.stdout + end.stderr).not.to.match(/close timed out|hanging/i);
  });

  describe('and bundles the app with esbuild', () => {
    for (const format of ['cjs', 'esm'] as const) {
      it(`measures on the main thread after exactly one warning, as ${format}`, async function () {
        this.timeout(60_000);
        const bundle = await bundleApp({ format, external: ['express'] });
        const end = await runNode([bundle]);
        expect(JSON.parse(end.stdout)).to.deep.equal(ALL_REQUESTS);
        const lines = warningLines(end);
        expect(lines).to.have.lengthOf(1);
        expect(lines[0]).to.match(/inline/i);
      });

      it(`keeps the pool where threadFile names the thread's file, as ${format}`, async function () {
        this.timeout(60_000);
        // piscina starts a file of its own in each thread, which a bundle would lose as well.
        const bundle = await bundleApp({ format, external: ['express', 'piscina'] });
        const threadFile = createRequire(join(project, 'package.json')).resolve(
          '@offloop/worker/thread',
        );
        expect(await consume([bundle, threadFile])).to.deep.equal(ALL_REQUESTS);
      });

      it(`keeps the pool where the thread's file was bundled too, as ${format}`, async function () {
        this.timeout(60_000);
        const bundle = await bundleApp({ format, external: ['express', 'piscina'] });
        const threadFile = join(project, `thread.${format === 'esm' ? 'mjs' : 'cjs'}`);
        await runTool('esbuild', 'esbuild', [
          '--bundle',
          '--platform=node',
          `--format=${format}`,
          `--outfile=${threadFile}`,
          createRequire(join(project, 'package.json')).resolve('@offloop/worker/thread'),
        ]);
        expect(await consume([bundle, threadFile])).to.deep.equal(ALL_REQUESTS);
      });
    }
  });

  describe('and compiles TypeScript', () => {
    for (const { title, extension, module, moduleResolution } of [
      {
        title: 'node16, ES module',
        extension: 'mts',
        module: 'node16',
        moduleResolution: 'node16',
      },
      { title: 'node16, CommonJS', extension: 'cts', module: 'node16', moduleResolution: 'node16' },
      { title: 'nodenext', extension: 'mts', module: 'nodenext', moduleResolution: 'nodenext' },
      { title: 'bundler', extension: 'ts', module: 'esnext', moduleResolution: 'bundler' },
    ]) {
      it(`finds every type under ${title}`, async function () {
        this.timeout(60_000);
        const folder = join(project, title.replace(/\W+/g, '-'));
        await mkdir(folder);
        await cp(join(project, 'consumer.ts'), join(folder, `consumer.${extension}`));
        const compilerOptions = {
          module,
          moduleResolution,
          target: 'es2022',
          types: ['node'],
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
        };
        await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
        await runTool('typescript', 'tsc', ['-p', folder]);
      });
    }
  });

  /** One installation serves all tests: it takes far longer than they do. */
  async function install(): Promise<void> {
    const tarballFolder = temporaryFolder();
    const tarballs = await packTarballs({ start, folder: tarballFolder });
    const manifest = {
      name: 'consumer',
      private: true,
      dependencies: {
        '@offloop/core': `file:${tarballs.core}`,
        '@offloop/worker': `file:${tarballs.worker}`,
        '@offloop/express': `file:${tarballs.express}`,
        '@types/express': '^5',
        '@types/node': '^20',
        esbuild: '^0.28',
        express: '^5',
        jest: '^30',
        'prom-client': '^15',
        typescript: '7.0.2',
        vitest: '^4',
      },
      overrides: {
        '@offloop/core': '$@offloop/core',
        '@offloop/worker': '$@offloop/worker',
      },
    };
    await writeFile(join(project, 'package.json'), JSON.stringify(manifest));
    await cp(join(workspaceRoot, 'test/published/fixtures'), project, { recursive: true });
    const installing = start(
      'npm',
      ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'],
      { cwd: project },
    );
    expectSuccess(await installing.waitForEnd(300_000));
  }

  /** Runs a consumer that has nothing to complain about, and gives what it found out. */
  async function consume(args: readonly string[]): Promise<unknown> {
    const end = await runNode(args);
    expect(end.stderr).to.equal('');
    return JSON.parse(end.stdout);
  }

  async function runNode(args: readonly string[]): Promise<ProcessEnd> {
    const end = await start(process.execPath, args, {
      cwd: project,
      env: { NODE_OPTIONS: undefined },
    }).waitForEnd(CONSUMER_MS_MAX);
    expectSuccess(end);
    return end;
  }

  async function runTool(
    dependency: string,
    command: string,
    args: readonly string[],
  ): Promise<ProcessEnd> {
    const { bin } = createRequire(join(project, 'package.json'))(`${dependency}/package.json`);
    const path = join(
      project,
      'node_modules',
      dependency,
      typeof bin === 'string' ? bin : bin[command],
    );
    const end = await start(process.execPath, [path, ...args], {
      cwd: project,
      env: { NODE_OPTIONS: undefined, NO_COLOR: '1', FORCE_COLOR: undefined },
    }).waitForEnd(100_000);
    expectSuccess(end);
    return end;
  }

  async function bundleApp({
    format,
    external,
  }: {
    readonly format: 'cjs' | 'esm';
    readonly external: readonly string[];
  }): Promise<string> {
    const name = external.includes('piscina') ? 'with-pool' : 'alone';
    const bundle = join(project, 'bundles', `${name}.${format === 'cjs' ? 'cjs' : 'mjs'}`);
    // What esbuild's users write to bundle any CommonJS dependency into an ES module for Node.
    const banner =
      "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
    const end = await runTool('esbuild', 'esbuild', [
      'bundled.mjs',
      '--bundle',
      '--platform=node',
      `--format=${format}`,
      `--outfile=${bundle}`,
      ...external.map((packageName) => `--external:${packageName}`),
      ...(format === 'esm' ? [`--banner:js=${banner}`] : []),
    ]);
    expect(end.stderr).not.to.match(/warning/i);
    return bundle;
  }
});

/** Node adds a hint of its own to the first warning, which is not counted. */
function warningLines({ stderr }: ProcessEnd): string[] {
  return stderr.split('\n').filter((line) => line !== '' && !line.startsWith('(Use `node'));
}

function expectSuccess({ exitCode, signal, stdout, stderr }: ProcessEnd): void {
  if (exitCode === 0) return;
  throw new Error(
    `ended with ${signal ?? exitCode}\n── stdout ──\n${stdout}\n── stderr ──\n${stderr}`,
  );
}
