import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { isOffloopError } from '@offloop/core';
import type { Engine } from '@offloop/core/engine';
import { createEngine, type EngineOptions } from '@offloop/worker';
import { expect } from 'chai';
import { chooseSeed, TestSegment } from '../../contract/test-segment.js';

describe('createEngine', () => {
  const engines: Engine[] = [];
  let warnings: { details: object; message: string }[] = [];

  beforeEach(() => {
    warnings = [];
  });
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
  });

  function create(options: Omit<EngineOptions, 'segment' | 'recorder'>): Engine {
    const { segment, recorder } = new TestSegment({ seed: chooseSeed() });
    const note = (details: object, message: string) => {
      warnings.push({ details, message });
    };
    const engine = createEngine({
      segment,
      recorder,
      logger: { warn: note, error: note },
      ...options,
    });
    engines.push(engine);
    return engine;
  }

  it('makes the engine that it is told to make', () => {
    expect(create({ mode: 'inline' }).kind).to.equal('inline');
    expect(create({ mode: 'pool' }).kind).to.equal('pool');
    expect(warnings).to.deep.equal([]);
  });

  it('chooses a pool by itself, also where no thread file is named by an empty text', () => {
    expect(create({}).kind).to.equal('pool');
    expect(create({ mode: 'auto', threadFile: '' }).kind).to.equal('pool');
    expect(warnings).to.deep.equal([]);
  });

  it('takes the file by path, by URL and by the text of a URL', () => {
    const url = new URL('../threads/misbehaving.js', import.meta.url);
    for (const threadFile of [url, url.href, url.pathname]) {
      expect(create({ threadFile }).kind).to.equal('pool');
    }
  });

  for (const [name, value] of [
    ['JEST_WORKER_ID', '1'],
    ['VITEST', 'true'],
  ] as const) {
    it(`works inline under a test runner that sets ${name}, unless it is told otherwise`, () => {
      process.env[name] = value;
      try {
        expect(create({}).kind).to.equal('inline');
        expect(create({ mode: 'pool' }).kind).to.equal('pool');
      } finally {
        delete process.env[name];
      }
      expect(warnings).to.deep.equal([]);
    });
  }

  it('works inline on one CPU, unless it is told otherwise', () => {
    const { availableParallelism } = os;
    os.availableParallelism = () => 1;
    syncBuiltinESMExports();
    try {
      expect(create({}).kind).to.equal('inline');
      expect(create({ mode: 'pool' }).kind).to.equal('pool');
    } finally {
      os.availableParallelism = availableParallelism;
      syncBuiltinESMExports();
    }
    expect(warnings).to.deep.equal([]);
  });

  it('works inline after exactly one warning where the thread file is missing', async () => {
    const engine = create({ threadFile: '/nowhere/thread.js' });
    expect(engine.kind).to.equal('inline');
    expect(warnings).to.have.lengthOf(1);
    expect(warnings[0]?.details).to.deep.equal({ code: 'OFFLOOP_ERR_THREAD_START' });
    expect(warnings[0]?.message)
      .to.match(/inline/)
      .and.to.match(/threadFile/)
      .and.to.match(/\/nowhere\/thread\.js/)
      .and.not.to.match(/\n/);
  });

  it('refuses mode pool where the thread file is missing', () => {
    let refusal: unknown;
    try {
      create({ mode: 'pool', threadFile: 'file:///nowhere/thread.js' });
    } catch (error) {
      refusal = error;
    }
    expect(isOffloopError(refusal, 'OFFLOOP_ERR_THREAD_START')).to.equal(true);
  });

  it('warns through the process where no logger is given', async () => {
    const seen: (Error & { code?: string })[] = [];
    const note = (warning: Error) => seen.push(warning);
    const { segment, recorder } = new TestSegment({ seed: chooseSeed() });
    const { emitWarning } = process;
    // Not printed among the tests' results.
    process.emitWarning = ((message: string, options: { type: string; code: string }) => {
      note(Object.assign(new Error(message), { name: options.type, code: options.code }));
    }) as typeof process.emitWarning;
    try {
      engines.push(createEngine({ segment, recorder, threadFile: '/nowhere/thread.js' }));
    } finally {
      process.emitWarning = emitWarning;
    }
    expect(seen).to.have.lengthOf(1);
    expect(seen[0]).to.include({ name: 'OffloopWarning', code: 'OFFLOOP_ERR_THREAD_START' });
  });
});
