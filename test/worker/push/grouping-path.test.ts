import { isOffloopError } from '@offloop/core';
import { groupingPath } from '@offloop/worker/internal/push/grouping-path.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { runSeed } from '../../support/random.js';

describe('path of a pushed group', () => {
  it('is job, then labels in their order', () => {
    expect(groupingPath('nightly', { instance: 'a', shard: 3 })).to.equal(
      '/metrics/job/nightly/instance/a/shard/3',
    );
    expect(groupingPath('nightly')).to.equal('/metrics/job/nightly');
  });

  it('is encoded as a URL’s', () => {
    expect(groupingPath('a b?c#d', { ü: 'ä+%&' })).to.equal(
      '/metrics/job/a%20b%3Fc%23d/%C3%BC/%C3%A4%2B%25%26',
    );
  });

  it('has base64 for what a segment cannot carry', () => {
    expect(
      groupingPath('a/b', { path: '/var/tmp', empty: '', one: '.', two: '..', three: '...' }),
    ).to.equal(
      '/metrics/job@base64/YS9i/path@base64/L3Zhci90bXA/empty@base64/=/one@base64/Lg/two@base64/Li4/three/...',
    );
  });

  it('leaves out labels that are undefined, and the group where there is no job', () => {
    expect(groupingPath('j', { a: undefined, b: 'x' })).to.equal('/metrics/job/j/b/x');
    expect(groupingPath(undefined, { b: 'x' })).to.equal('/metrics');
    expect(groupingPath('', { b: 'x' })).to.equal('/metrics');
  });

  it('refuses labels that would change it', () => {
    for (const label of ['', '.', '..', 'a/b', 'a@base64']) {
      expect(() => groupingPath('j', { [label]: 'x' })).to.throw(
        `groupings must have label names, got ${JSON.stringify(label)}`,
      );
    }
  });

  it(`is one that no URL parser changes, seed ${runSeed}`, () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', '.', '..', '%2e', '/', '\ud800'),
    );
    fc.assert(
      fc.property(text, fc.dictionary(text, text), (job, groupings) => {
        let path: string;
        try {
          path = groupingPath(job, groupings);
        } catch (error) {
          expect(isOffloopError(error, 'OFFLOOP_ERR_ARGUMENT')).to.equal(true);
          return;
        }
        const url = new URL('http://127.0.0.1/base');
        url.pathname = `/base${path}`;
        expect(url.pathname).to.equal(`/base${path}`);
        expect(new URL(url.href).pathname).to.equal(`/base${path}`);
      }),
      { seed: runSeed },
    );
  });
});
