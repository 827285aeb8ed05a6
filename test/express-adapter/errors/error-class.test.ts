import { isOffloopError } from '@offloop/express';
import { errorClassifier } from '@offloop/express/internal/errors/error-class.js';
import { expect } from 'chai';

const error = (fields: object, message = 'x') => Object.assign(new Error(message), fields);

class HttpTimeoutError extends Error {}
class OwnTimeout extends HttpTimeoutError {}

describe('classes of errors', () => {
  const classify = errorClassifier([]);

  for (const [status, expected] of [
    [0, undefined],
    [200, undefined],
    [304, undefined],
    [399, undefined],
    [400, 'client'],
    [404, 'client'],
    [408, 'timeout'],
    [499, 'aborted'],
    [500, 'server'],
    [503, 'server'],
    [504, 'timeout'],
    [599, 'server'],
  ] as const) {
    it(`make ${expected ?? 'no error'} of status ${status}`, () => {
      expect(classify({ status })).to.equal(expected);
    });
  }

  for (const [what, thrown, expected] of [
    ['a code of a lost connection', error({ code: 'ECONNREFUSED' }), 'dependency'],
    ['a code of undici', error({ code: 'UND_ERR_SOCKET' }), 'dependency'],
    ['a connect timeout of undici', error({ code: 'UND_ERR_CONNECT_TIMEOUT' }), 'timeout'],
    ['a name that a driver gives', error({ name: 'MongoNetworkError' }), 'dependency'],
    ['a code of a timeout', error({ code: 'ETIMEDOUT' }), 'timeout'],
    ['AbortSignal.timeout()', new DOMException('late', 'TimeoutError'), 'timeout'],
    ['a class that extends a timeout', new OwnTimeout('late'), 'timeout'],
    ['an abort', new DOMException('away', 'AbortError'), 'aborted'],
    ['a name of validation', error({ name: 'ValidationError' }), 'validation'],
    ['a ZodError', error({ name: 'ZodError' }), 'validation'],
    ['a body that is no JSON', error({ type: 'entity.parse.failed', status: 400 }), 'validation'],
    [
      'what fetch throws',
      new TypeError('failed', { cause: error({ code: 'ENOTFOUND' }) }),
      'dependency',
    ],
    ['any error', new Error('x'), 'server'],
    ['an error with a status', error({ status: 404 }), 'client'],
    ['an error with a status of success', error({ status: 200 }), 'server'],
    ['a text', 'it fails', 'server'],
    ['null', null, 'server'],
  ] as const) {
    it(`make ${expected} of ${what}, of which the status says nothing`, () => {
      expect(classify({ status: 200, error: thrown })).to.equal(expected);
    });
  }

  it('go by a client that left before the exception, and by that before the status', () => {
    expect(classify({ status: 499, error: error({ code: 'ETIMEDOUT' }) })).to.equal('aborted');
    expect(classify({ status: 500, error: error({ code: 'ETIMEDOUT' }) })).to.equal('timeout');
    expect(classify({ status: 404, error: new Error('x') })).to.equal('client');
  });

  it('go by the first rule of the user whose conditions all hold', () => {
    const own = errorClassifier([
      { class: 'teapot', status: 418 },
      { class: 'quota', type: 'RangeError', pattern: '^quota' },
      { class: 'coded', code: 7 },
      { class: 'family', type: 'HttpTimeoutError' },
    ]);
    expect(own({ status: 418 })).to.equal('teapot');
    expect(own({ status: 500, error: new RangeError('quota of 5') })).to.equal('quota');
    expect(own({ status: 500, error: new RangeError('no quota') })).to.equal('server');
    expect(own({ status: 500, error: new Error('quota of 5') })).to.equal('server');
    expect(own({ status: 499, error: error({ code: 7 }) })).to.equal('coded');
    expect(own({ status: 500, error: error({ code: '7' }) })).to.equal('server');
    expect(own({ status: 200, error: new OwnTimeout('x') })).to.equal('family');
    expect(own({ status: 200 })).to.equal(undefined);
  });

  it('survive an exception that throws at every look', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('hands off');
        },
        getPrototypeOf: () => {
          throw new Error('hands off');
        },
      },
    );
    const own = errorClassifier([{ class: 'x', type: 'Error', code: 'E', pattern: 'x' }]);
    expect(own({ status: 500, error: hostile })).to.equal('server');
  });

  it('refuse a pattern that is no regular expression', () => {
    expect(() => errorClassifier([{ class: 'x', pattern: '(' }]))
      .to.throw(/errorRules\[0\]\.pattern must be a regular expression, got "\("/)
      .satisfies((each: unknown) => isOffloopError(each, 'OFFLOOP_ERR_OPTION_RANGE'));
  });
});
