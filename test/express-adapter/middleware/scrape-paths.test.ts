import { ScrapePaths } from '@offloop/express/internal/middleware/scrape-paths.js';
import { expect } from 'chai';

describe('ScrapePaths', () => {
  const cases: readonly (readonly [readonly string[], string, boolean])[] = [
    [['/metrics'], '/metrics', true],
    [['/metrics'], '/metrics?name[]=up', true],
    [['/metrics'], '/metrics?', true],
    [['/metrics'], '/metrics/', false],
    [['/metrics'], '/metricsx', false],
    [['/metrics'], '/metric', false],
    [['/metrics'], '/models', false],
    // Letters that leave the same remainder by 32.
    [['/metrics'], '/Metrics', false],
    [['/metrics'], '/-etrics', false],
    [['/metrics', '/a/b'], '/a/b?c', true],
    [['/metrics', '/a/b'], '/a', false],
    [['/metrics', '/a/b'], '/x/b', false],
    [['/metrics'], 'http://localhost/metrics', true],
    [['/metrics'], 'HTTPS://localhost:80/metrics?name[]=up', true],
    [['/metrics'], 'http://localhost/other', false],
    [['/metrics'], 'http://metrics', false],
    [['/'], 'http://localhost', true],
    [['/'], '/', true],
    [['/'], '/?x', true],
    [['/'], '/x', false],
    [['/é'], '/é', true],
    [[], '/', false],
    [[], '', false],
    [['/metrics'], '', false],
    [['/metrics'], '/', false],
  ];
  for (const [paths, url, expected] of cases) {
    it(`${expected ? 'has' : 'has not'} ${JSON.stringify(url)} among ${JSON.stringify(paths)}`, () => {
      expect(new ScrapePaths(paths).has(url)).to.equal(expected);
    });
  }

  it('forgets the paths that it had before', () => {
    const paths = new ScrapePaths(['/metrics']);
    paths.set(['/telemetry']);
    expect(['/metrics', '/telemetry'].map((url) => paths.has(url))).to.deep.equal([false, true]);
  });
});
