import Mocha, { type Context, type Runnable, type Suite } from 'mocha';

const reasons = new WeakMap<Runnable | Suite, string>();

/**
 * Skips the running test (or, called in a `before` hook, every test of its suite) and keeps the reason for the report.
 *
 * Throws always, which is how mocha learns of it.
 */
export function skip(context: Context, reason: string): never {
  const runnable = context.test;
  if (runnable !== undefined) reasons.set(runnable, reason);
  if (context.currentTest !== undefined) reasons.set(context.currentTest, reason);
  if (runnable instanceof Mocha.Hook && runnable.parent !== undefined) {
    reasons.set(runnable.parent, reason);
  }
  return context.skip();
}

/** The reason that was given for a skipped test, or a remark that none was. */
export function skipReason(test: Runnable): string {
  const own = reasons.get(test);
  if (own !== undefined) return own;
  for (let suite = test.parent; suite !== undefined; suite = suite.parent) {
    const reason = reasons.get(suite);
    if (reason !== undefined) return reason;
  }
  return 'no reason given';
}
