import {
  type LostThread,
  RestartPolicy,
  START_FAILURES_MAX,
} from '@offloop/worker/internal/engine/restart-policy.js';
import { expect } from 'chai';

const killed: LostThread = { hasStarted: true, livedMs: 60_000, reason: 'exit code 1' };
const neverStarted: LostThread = { hasStarted: false, livedMs: 40, reason: new Error('no') };
const failedSoon: LostThread = { hasStarted: true, livedMs: 300, reason: new Error('heap') };
const failedLate: LostThread = { hasStarted: true, livedMs: 10_000, reason: new Error('heap') };

describe('a restart policy', () => {
  it('replaces a thread at once as a rule', () => {
    const policy = new RestartPolicy();
    for (let nowMs = 0; nowMs < 100_000; nowMs += 1_000) {
      expect(policy.lost(killed, nowMs)).to.equal(0);
      expect(policy.lost(failedLate, nowMs + 500)).to.equal(0);
    }
  });

  it('spreads restarts over time where threads keep dying', () => {
    const policy = new RestartPolicy();
    const pauses = Array.from({ length: 12 }, () => policy.lost(killed, 0));
    expect(pauses).to.deep.equal([0, 0, 0, 0, 0, 0, 0, 0, 250, 500, 750, 1_000]);
    expect(policy.lost(killed, 60_000)).to.equal(0);
  });

  it('waits longer each time a thread does not start, and gives up at the fifth', () => {
    const policy = new RestartPolicy();
    const pauses = Array.from({ length: START_FAILURES_MAX }, (_, index) =>
      policy.lost(neverStarted, index * 1_000),
    );
    expect(pauses).to.deep.equal([50, 100, 200, 400, undefined]);
  });

  it('forgets failures to start when a thread starts', () => {
    const policy = new RestartPolicy();
    for (let round = 0; round < 20; round++) {
      const nowMs = round * 10_000;
      for (let failures = 1; failures < START_FAILURES_MAX; failures++) {
        expect(policy.lost(neverStarted, nowMs)).to.be.above(0);
      }
      expect(policy.lost(killed, nowMs)).to.equal(0);
    }
  });

  it('waits up to half a minute for threads that start and fail by themselves, and never gives up', () => {
    const policy = new RestartPolicy();
    const pauses = Array.from({ length: 12 }, (_, index) =>
      policy.lost(failedSoon, index * 60_000),
    );
    expect(pauses).to.deep.equal([
      50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000,
    ]);
  });
});
