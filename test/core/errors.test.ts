import { ERROR_CODES, isOffloopError, OffloopError, OffloopTypeError } from '@offloop/core';
import { showValue } from '@offloop/core/adapter';
import { describeError, messageOf } from '@offloop/core/engine';
import { expect } from 'chai';

describe('isOffloopError', () => {
  it('knows both classes, by code or without one', () => {
    for (const error of [
      new OffloopError('OFFLOOP_ERR_ARGUMENT', 'x'),
      new OffloopTypeError('OFFLOOP_ERR_ARGUMENT', 'x'),
    ]) {
      expect(isOffloopError(error)).to.equal(true);
      expect(isOffloopError(error, 'OFFLOOP_ERR_ARGUMENT')).to.equal(true);
      expect(isOffloopError(error, 'OFFLOOP_ERR_LABELS')).to.equal(false);
    }
  });

  it('knows an error of another copy of the package', () => {
    const foreign = Object.assign(new Error('x'), { code: 'OFFLOOP_ERR_ARGUMENT' });
    expect(isOffloopError(foreign, 'OFFLOOP_ERR_ARGUMENT')).to.equal(true);
  });

  it('takes nothing else for one', () => {
    for (const code of ['ENOENT', 'toString', 'constructor', '__proto__', 5, undefined]) {
      expect(isOffloopError(Object.assign(new Error('x'), { code })), String(code)).to.equal(false);
    }
    for (const value of [undefined, null, 'x', { code: 'OFFLOOP_ERR_ARGUMENT' }]) {
      expect(isOffloopError(value)).to.equal(false);
    }
  });

  it('has codes that say whose they are', () => {
    for (const code of Object.keys(ERROR_CODES)) expect(code).to.match(/^OFFLOOP_ERR_[A-Z_]+$/);
  });
});

describe('what a caught value says of itself', () => {
  const broken = Object.defineProperty(new Error('x'), 'message', {
    get() {
      throw new Error('of the getter');
    },
  });
  const cases: [unknown, { message: string; described: string }][] = [
    [new RangeError('a\nb'), { message: 'a\nb', described: 'RangeError: a' }],
    ['text', { message: 'text', described: 'text' }],
    [undefined, { message: 'undefined', described: 'undefined' }],
    [Symbol('s'), { message: 'Symbol(s)', described: 'Symbol(s)' }],
    [Object.create(null), unshowable()],
    [broken, unshowable()],
  ];
  for (const [thrown, { message, described }] of cases) {
    it(`is ${JSON.stringify(message)}, in one line ${JSON.stringify(described)}`, () => {
      expect(messageOf(thrown)).to.equal(message);
      expect(describeError(thrown)).to.equal(described);
    });
  }

  function unshowable() {
    const text = 'a value that cannot be shown';
    return { message: text, described: text };
  }
});

describe('showValue', () => {
  const circular: unknown[] = [1];
  circular.push(circular);
  const cases: [unknown, string][] = [
    ['text', '"text"'],
    ['', '""'],
    ['x'.repeat(80), `"${'x'.repeat(80)}"`],
    ['x'.repeat(81), `"${'x'.repeat(80)}…"`],
    [-0, '0'],
    [Number.NaN, 'NaN'],
    [5n, '5n'],
    [null, 'null'],
    [undefined, 'undefined'],
    [Symbol('s'), 'Symbol(s)'],
    [function named() {}, 'function named'],
    [() => {}, 'function (anonymous)'],
    [{ a: 1 }, '[object Object]'],
    [Object.create(null), '[object Object]'],
    [new Date(0), '[object Date]'],
    [[1, 'a', null], '[1, "a", null]'],
    [Array(12).fill(1), `[${Array(12).fill(1).join(', ')}]`],
    [Array(13).fill(1), `[${Array(12).fill(1).join(', ')}, …]`],
    [circular, '[1, […]]'],
  ];
  for (const [value, shown] of cases) {
    it(`shows ${shown.slice(0, 40)}`, () => {
      expect(showValue(value)).to.equal(shown);
    });
  }
});
