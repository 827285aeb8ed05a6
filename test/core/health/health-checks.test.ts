import { HealthChecks } from '@offloop/core/internal/health/health-checks.js';
import { expect } from 'chai';
import { eventually } from '../../e2e/eventually.js';
import { refusalOf } from '../refusal.js';

describe('HealthChecks', () => {
  const made: HealthChecks[] = [];
  afterEach(() => {
    for (const checks of made.splice(0)) checks.close();
  });

  function make(checkTimeoutMs = 1_000): HealthChecks {
    const checks = new HealthChecks({ checkIntervalMs: 20, checkTimeoutMs });
    made.push(checks);
    return checks;
  }

  /** Waits until the only check is in a state. */
  function stateOf(checks: HealthChecks, state: string) {
    return eventually(async () => checks.results.find((result) => result.state === state), {
      what: `a check that is ${state}`,
    });
  }

  it('is pending until the first run has ended', async () => {
    const checks = make();
    checks.add('slow', () => new Promise((resolve) => setTimeout(resolve, 50)));
    expect(checks.results[0]).to.include({ name: 'slow', state: 'pending', endedMs: 0 });
    expect((await stateOf(checks, 'ok')).durationMs).to.be.greaterThan(0);
  });

  for (const [what, check, error] of [
    [
      'throws',
      () => {
        throw new Error('no database');
      },
      'no database',
    ],
    ['rejects', async () => Promise.reject(new Error('refused')), 'refused'],
    ['gives false', () => false, 'it gave false'],
    [
      'throws what has no text',
      () => {
        throw Object.create(null);
      },
      'a value that cannot be shown',
    ],
    ['never ends', () => new Promise(() => {}), 'it has not ended within 30 ms'],
  ] as const) {
    it(`fails where it ${what}`, async () => {
      const checks = make(30);
      checks.add('db', check);
      expect((await stateOf(checks, 'failing')).error).to.equal(error);
    });
  }

  it('tells a check of its deadline, and does not call it again before it has ended', async () => {
    const checks = make(20);
    let [calls, aborted] = [0, 0];
    checks.add('hung', (signal) => {
      calls++;
      signal.addEventListener('abort', () => aborted++);
      return new Promise(() => {});
    });
    await stateOf(checks, 'failing');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([calls, aborted]).to.deep.equal([1, 1]);
  });

  it('is not failing after one failure, and is ok again after two successes', async () => {
    const checks = make();
    const outcomes = [true, false, true, false, false, true, true];
    const seen: string[] = [];
    checks.add('db', () => {
      seen.push(checks.results[0]?.state ?? '');
      return outcomes.shift() ?? true;
    });
    await eventually(async () => (seen.length >= 8 ? true : undefined), { what: 'eight runs' });
    expect(seen.slice(0, 8)).to.deep.equal([
      'pending',
      'ok',
      'ok',
      'ok',
      'ok',
      'failing',
      'failing',
      'ok',
    ]);
  });

  it('refuses names that are taken or none, and what is no function', () => {
    const checks = make();
    const remove = checks.add('db', () => true);
    for (const name of ['db', '', 'x'.repeat(101), 5 as unknown as string]) {
      refusalOf('OFFLOOP_ERR_ARGUMENT', () => checks.add(name, () => true));
    }
    refusalOf('OFFLOOP_ERR_ARGUMENT', () => checks.add('no', 'x' as unknown as () => boolean));
    remove();
    checks.add('db', () => true);
    expect(checks.results).to.have.length(1);
  });
});
