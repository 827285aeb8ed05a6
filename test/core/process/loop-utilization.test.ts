import { UtilizationSampler } from '@offloop/core/internal/process/loop-utilization.js';
import { expect } from 'chai';

/** A loop that is told how it spends its time. */
function rig() {
  const books = { idle: 0, active: 0, utilization: 0 };
  const seen: [share: number, times: number][] = [];
  let nowMs = 1_000;
  const sampler = new UtilizationSampler(
    { intervalMs: 100, nowMs, observe: (share, times) => seen.push([share, times]) },
    () => ({ ...books }),
  );
  return {
    seen,
    pass(of: { readonly idleMs?: number; readonly activeMs?: number }): void {
      const { idleMs = 0, activeMs = 0 } = of;
      books.idle += idleMs;
      books.active += activeMs;
      nowMs += idleMs + activeMs;
      sampler.tick(nowMs);
    },
  };
}

describe('utilisation of the loop', () => {
  it('is observed once an interval, however often it is looked at', () => {
    const { seen, pass } = rig();
    for (let time = 0; time < 10; time++) pass({ idleMs: 10, activeMs: 10 });
    expect(seen).to.have.length.within(2, 3);
    for (const [share, times] of seen) expect([share, times]).to.deep.equal([0.5, 1]);
  });

  it('counts a block once for each interval that it lasted', () => {
    const { seen, pass } = rig();
    pass({ idleMs: 100 });
    pass({ activeMs: 1_000 });
    pass({ idleMs: 100 });
    expect(seen).to.deep.equal([
      [0, 1],
      [1, 10],
      [0, 1],
    ]);
  });

  it('counts a process that was stopped for an hour as a minute', () => {
    const { seen, pass } = rig();
    pass({ activeMs: 3_600_000 });
    expect(seen).to.deep.equal([[1, 600]]);
  });
});
