import { scrapeTimeoutMs } from '@offloop/worker/internal/http/scrape-timeout.js';
import { expect } from 'chai';

describe('scrapeTimeoutMs', () => {
  for (const [header, timeoutMs] of [
    ['10.000000', 9_500],
    ['10', 9_500],
    ['5', 4_500],
    ['1', 900],
    ['0.5', 450],
    [' 2.5 ', 2_250],
    ['0.001', 1],
    ['0.000001', 1],
    ['600', 599_500],
    ['601', 599_500],
    ['999999999', 599_500],
  ] as const) {
    it(`leaves ${timeoutMs} ms of ${header} s`, () => {
      expect(scrapeTimeoutMs(header)).to.equal(timeoutMs);
    });
  }

  for (const header of [
    undefined,
    '',
    '0',
    '0.0',
    '-1',
    '+1',
    '.5',
    '5.',
    '1e3',
    'Infinity',
    'NaN',
    '10s',
    '1, 2',
    '0x10',
    '١٠',
    '9'.repeat(10_000),
  ]) {
    it(`counts ${header?.slice(0, 20)} as absent`, () => {
      expect(scrapeTimeoutMs(header)).to.equal(undefined);
    });
  }
});
