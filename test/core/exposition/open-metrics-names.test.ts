import {
  type NamedFamily,
  openMetricsHeaders,
} from '@offloop/core/internal/exposition/open-metrics-names.js';
import { expect } from 'chai';

function headersOf(...families: (readonly [string, NamedFamily['type']])[]): string[] {
  return openMetricsHeaders(families.map(([name, type]) => ({ name, type }))).map(
    ({ name, type, unit }) => [name, type, ...(unit === undefined ? [] : [unit])].join(' '),
  );
}

describe('openMetricsHeaders', () => {
  it('takes _total from a counter’s name, and from nothing else', () => {
    expect(
      headersOf(['a_total', 'counter'], ['b_total', 'gauge'], ['c_total', 'histogram']),
    ).to.deep.equal(['a counter', 'b_total gauge', 'c_total histogram']);
  });

  it('leaves a counter without _total its name, as unknown', () => {
    expect(headersOf(['a', 'counter'], ['_total', 'counter'])).to.deep.equal([
      'a unknown',
      '_total unknown',
    ]);
  });

  for (const other of [
    ['a', 'gauge'],
    ['a', 'counter'],
    ['a', 'histogram'],
    ['a', 'summary'],
    ['a_created', 'gauge'],
  ] as const) {
    it(`lets a counter a_total give way to the ${other.join(' ')}, before or after it`, () => {
      const settled = other[1] === 'counter' ? 'a unknown' : other.join(' ');
      expect(headersOf(other, ['a_total', 'counter'])).to.deep.equal([settled, 'a_total unknown']);
      expect(headersOf(['a_total', 'counter'], other)).to.deep.equal(['a_total unknown', settled]);
    });
  }

  it('takes _info from an info’s name, and lets it give way as a gauge', () => {
    expect(headersOf(['build_info', 'info'], ['build', 'stateset'])).to.deep.equal([
      'build_info gauge',
      'build stateset',
    ]);
    expect(
      headersOf(
        ['build_info', 'info'],
        ['plain', 'info'],
        ['_info', 'info'],
        ['x_seconds_info', 'info'],
      ),
    ).to.deep.equal(['build info', 'plain gauge', '_info gauge', 'x_seconds info']);
    expect(headersOf(['y_seconds', 'stateset'])).to.deep.equal(['y_seconds stateset']);
  });

  it('gives no family the name of one that is settled later', () => {
    expect(headersOf(['x_total_total', 'counter'], ['x_total', 'counter'])).to.deep.equal([
      'x_total_total unknown',
      'x counter',
    ]);
    expect(headersOf(['x_total_info', 'info'], ['x_total', 'counter'])).to.deep.equal([
      'x_total_info gauge',
      'x counter',
    ]);
  });

  it('gives names that end in a base unit that unit, and no other', () => {
    expect(
      headersOf(
        ['a_seconds', 'histogram'],
        ['b_seconds_total', 'counter'],
        ['c_bytes', 'gauge'],
        ['d_ratio', 'gauge'],
        ['seconds', 'gauge'],
        ['e_milliseconds', 'gauge'],
        ['f_seconds_sum', 'gauge'],
        ['g_bytes', 'counter'],
        ['h_seconds_total', 'gauge'],
      ),
    ).to.deep.equal([
      'a_seconds histogram seconds',
      'b_seconds counter seconds',
      'c_bytes gauge bytes',
      'd_ratio gauge ratio',
      'seconds gauge',
      'e_milliseconds gauge',
      'f_seconds_sum gauge',
      'g_bytes unknown bytes',
      'h_seconds_total gauge',
    ]);
  });

  it('names the samples of creation times, where no other family has their name', () => {
    const headers = openMetricsHeaders([
      { name: 'a_total', type: 'counter' },
      { name: 'plain', type: 'counter' },
      { name: 'b', type: 'gauge' },
      { name: 'c', type: 'histogram' },
      { name: 'd', type: 'histogram' },
      { name: 'd_created', type: 'gauge' },
    ]);
    expect(headers.map(({ createdName }) => createdName)).to.deep.equal([
      'a_created',
      undefined,
      undefined,
      'c_created',
      undefined,
      undefined,
    ]);
  });
});
