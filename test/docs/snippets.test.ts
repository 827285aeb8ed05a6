import { readdirSync, rmSync } from 'node:fs';
import { expect } from 'chai';
import { compileSnippets, examplesOf, runSnippet, snippetsFolder, snippetsOf } from './snippets.js';
import { readDocument } from './tables.js';

/** Documents whose samples of JavaScript are whole programs. */
const PROGRAMS: readonly (readonly [path: string, count: number])[] = [
  ['README.md', 1],
  ['docs/migrating.md', 6],
  ['docs/requests.md', 2],
  ['packages/express-adapter/README.md', 1],
];

/** What the samples of a document leave to the application. */
const LEFT_TO_THE_APPLICATION: Readonly<Record<string, string>> = {
  'docs/health.md': `
    import { getMetrics, type Logger } from '@offloop/express';
    declare function pino(): Logger;
    declare function page(...about: unknown[]): void;`,
  'docs/hooks.md': `
    import type { LRUCache } from 'lru-cache';
    import type { WebSocket, WebSocketServer } from 'ws';
    declare const cache: LRUCache<string, string>;
    declare const wss: WebSocketServer;
    declare const socket: WebSocket;`,
  'docs/requests.md': `import { instrumentRoute, recordHttpRequest } from '@offloop/express';`,
  'docs/off-loop-port.md': `
    import type { Express } from 'express';
    import { getMetrics, metricsMiddleware } from '@offloop/express';
    declare const app: Express;`,
};

const DOCUMENTS = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  ...['docs', 'packages/core', 'packages/worker', 'packages/express-adapter'].flatMap((folder) =>
    readdirSync(new URL(`../../../${folder}`, import.meta.url))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];

const SOURCES = [
  'packages/core/src',
  'packages/worker/src',
  'packages/express-adapter/src',
].flatMap((folder) =>
  readdirSync(new URL(`../../../${folder}`, import.meta.url), { recursive: true })
    .map((path) => `${folder}/${String(path)}`)
    .filter((path) => path.endsWith('.ts')),
);

/** Of an example, the class that it stands at needs no import. */
const NAMES_OF_EXAMPLES =
  "import { CacheMetricsHook, Counter, Gauge, Histogram, Info, instrumentWebSocketServer, Pushgateway, StateSet, Summary } from '@offloop/express';";

for (const [path, count] of PROGRAMS) {
  describe(path, function () {
    this.timeout(30_000);
    const programs = snippetsOf(readDocument(path)).filter(({ language }) => language === 'js');

    after(removeSnippets);

    it('has snippets', () => {
      expect(programs).to.have.length(count);
    });

    for (const [index, { code }] of programs.entries()) {
      it(`has a snippet ${index + 1} that runs, says nothing, and lets the process end`, () => {
        expect(runSnippet(`snippet-${index + 1}`, code)).to.deep.equal({
          status: 0,
          stdout: '',
          stderr: '',
        });
      });
    }

    if (path.startsWith('docs/')) {
      it('is found from the README', () => {
        expect(readDocument('README.md')).to.include(path);
      });
    }
  });
}

describe('samples of the documents', () => {
  after(removeSnippets);

  it('compile in strict TypeScript, where they are not run', function () {
    this.timeout(60_000);
    const codes: Record<string, string> = {};
    const areRun = new Set(PROGRAMS.map(([path]) => path));
    for (const path of DOCUMENTS) {
      const prelude = LEFT_TO_THE_APPLICATION[path] ?? '';
      for (const [index, { language, code }] of snippetsOf(readDocument(path)).entries()) {
        const isRun = language === 'js' && areRun.has(path);
        const name = `${path.replace(/\W/g, '-')}-${index + 1}`;
        if (!isRun) codes[name] = `${prelude.trim()}\n${code}`;
      }
    }
    expect(Object.keys(codes)).to.have.length.of.at.least(7);
    expect(compileSnippets(codes)).to.equal('');
  });
});

describe('examples in docstrings', () => {
  after(removeSnippets);

  it('compile in strict TypeScript', function () {
    this.timeout(60_000);
    const codes: Record<string, string> = {};
    for (const path of SOURCES) {
      for (const [index, code] of examplesOf(readDocument(path)).entries())
        codes[`${path.replace(/\W/g, '-')}-${index + 1}`] = `${NAMES_OF_EXAMPLES}\n${code}`;
    }
    expect(Object.keys(codes)).to.have.length.of.at.least(10);
    expect(compileSnippets(codes)).to.equal('');
  });
});

function removeSnippets(): void {
  rmSync(snippetsFolder, { recursive: true, force: true });
}
