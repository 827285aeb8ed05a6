import type { Logger } from '@offloop/core';
import { chosenLogger } from '@offloop/core/engine';
import { expect } from 'chai';

describe('the logger that an application has chosen', () => {
  const details = { code: 'OFFLOOP_ERR_PORT' };

  it('gets each line, by its own method', () => {
    const lines: unknown[] = [];
    class Own implements Logger {
      readonly prefix = 'own';
      warn(given: object, message: string) {
        lines.push([this.prefix, 'warn', given, message]);
      }
      error(given: object, message: string) {
        lines.push([this.prefix, 'error', given, message]);
      }
    }
    const logger = chosenLogger(() => new Own());
    logger.warn(details, 'a');
    logger.error(details, 'b');
    logger.info(details, 'it takes no such lines');
    expect(lines).to.deep.equal([
      ['own', 'warn', details, 'a'],
      ['own', 'error', details, 'b'],
    ]);
  });

  it('is given up silently where process warnings fail as well', async () => {
    const { emitWarning } = process;
    const rejections: unknown[] = [];
    const note = (reason: unknown) => void rejections.push(reason);
    process.on('unhandledRejection', note);
    process.emitWarning = () => {
      throw new Error('of a strict test');
    };
    try {
      chosenLogger(() => undefined).warn(details, 'nobody hears it');
      await new Promise(setImmediate);
    } finally {
      process.emitWarning = emitWarning;
      process.removeListener('unhandledRejection', note);
    }
    expect(rejections).to.deep.equal([]);
  });

  const fails = (): never => {
    throw Object.create(null);
  };
  const rejects = (() => Promise.reject(new Error('closed'))) as () => void;
  for (const [how, log] of [
    ['throws', fails],
    ['rejects', rejects],
  ] as const) {
    it(`is given up for process warnings, line by line, where it ${how}`, async () => {
      const logger = chosenLogger(() => ({ warn: log, error: log, info: log }));
      for (const level of ['warn', 'error', 'info'] as const) {
        const warned = new Promise<Error & { code?: string }>((resolve) =>
          process.once('warning', resolve),
        );
        logger[level](details, `a line of ${level}`);
        expect(await warned).to.include({
          name: 'OffloopWarning',
          code: details.code,
          message: `a line of ${level}`,
        });
      }
    });
  }
});
