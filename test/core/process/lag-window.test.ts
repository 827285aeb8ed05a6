import { LagSampler } from '@offloop/core/internal/process/lag-sampler.js';
import { LagWindow, SLICE_MS, SLICES } from '@offloop/core/internal/process/lag-window.js';
import { expect } from 'chai';

const NOTHING = { lagSeconds: 0, weightSeconds: 0 };

/** A minute of idle samples every 100 ms, and one block in its middle. */
function minuteWith(blockSeconds: number): { window: LagWindow; endMs: number } {
  const window = new LagWindow();
  let nowMs = 0;
  for (let sample = 0; sample < 600; sample++) {
    const lagSeconds = sample === 300 ? blockSeconds : 0;
    nowMs += 100 + lagSeconds * 1000;
    window.add({ lagSeconds, weightSeconds: 0.1 + lagSeconds }, nowMs);
  }
  return { window, endMs: nowMs };
}

describe('LagWindow', () => {
  it('has no lag when it is empty', () => {
    expect(new LagWindow().read(0, NOTHING)).to.deep.equal({
      min: 0,
      max: 0,
      mean: 0,
      stddev: 0,
      p50: 0,
      p90: 0,
      p99: 0,
    });
  });

  it('shows a block of one second in p99, which is one sample of 600', () => {
    const { window, endMs } = minuteWith(1);
    const { p50, p90, p99, max, mean, min } = window.read(endMs, NOTHING);
    expect(max).to.equal(1);
    expect(p99).to.be.within(0.97, 1);
    expect([min, p50, p90]).to.deep.equal([0, 0, 0]);
    // 1.1 s of 61 s had that lag.
    expect(mean).to.be.closeTo(1.1 / 61, 1e-9);
  });

  it('shows a block of 300 ms in the maximum, and not in p99, as it is half a percent of the minute', () => {
    const { window, endMs } = minuteWith(0.3);
    expect(window.read(endMs, NOTHING)).to.include({ max: 0.3, p99: 0 });
  });

  it('knows the spread of a uniform lag, which is none', () => {
    const window = new LagWindow();
    for (let sample = 1; sample <= 100; sample++)
      window.add({ lagSeconds: 0.02, weightSeconds: 0.12 }, sample * 120);
    const { mean, stddev, p50, p99, min, max } = window.read(12_000, NOTHING);
    expect(mean).to.be.closeTo(0.02, 1e-12);
    expect(stddev).to.be.closeTo(0, 1e-8);
    for (const quantile of [p50, p99]) expect(quantile).to.be.closeTo(0.02, 0.02 * 0.022);
    expect([min, max]).to.deep.equal([0.02, 0.02]);
  });

  it('is not changed by reading, only by time: a lag stays for 60 s, and is gone after 70 s', () => {
    for (const atMs of [0, 1, SLICE_MS - 1, SLICE_MS, 12_345_678]) {
      const window = new LagWindow();
      window.add({ lagSeconds: 0.3, weightSeconds: 0.4 }, atMs);
      for (const laterMs of [0, 0, 30_000, 60_000])
        expect(window.read(atMs + laterMs, NOTHING).max).to.equal(0.3);
      expect(window.read(atMs + SLICES * SLICE_MS, NOTHING).max).to.equal(0);
    }
  });

  it('forgets an old slice when its place is used again', () => {
    const window = new LagWindow();
    window.add({ lagSeconds: 0.3, weightSeconds: 0.4 }, 5);
    window.add({ lagSeconds: 0.1, weightSeconds: 0.2 }, 5 + SLICES * SLICE_MS);
    expect(window.read(6 + SLICES * SLICE_MS, NOTHING)).to.include({ max: 0.1, min: 0.1 });
  });
});

describe('LagSampler', () => {
  function rig() {
    let nowMs = 1_000;
    const sampler = new LagSampler(100, () => nowMs);
    return {
      sampler,
      pass(ms: number): void {
        nowMs += ms;
      },
      tick(lateMs = 0): void {
        nowMs += 100 + lateMs;
        sampler.sample();
      },
    };
  }

  it('subtracts its interval and the timer’s resolution', () => {
    const { sampler, tick } = rig();
    tick(0);
    tick(1);
    expect(sampler.summary().max).to.equal(0);
    tick(3);
    expect(sampler.summary().max).to.be.closeTo(0.002, 1e-9);
    expect(sampler.current()).to.be.closeTo(0.002, 1e-9);
  });

  it('shows a block that lasts while it is read, and counts it once', () => {
    const { sampler, tick, pass } = rig();
    tick();
    pass(401);
    for (let scrape = 0; scrape < 3; scrape++) {
      expect(sampler.current()).to.be.closeTo(0.3, 1e-9);
      expect(sampler.summary().max).to.be.closeTo(0.3, 1e-9);
    }
    sampler.sample();
    tick();
    const { max, mean } = sampler.summary();
    expect(max).to.be.closeTo(0.3, 1e-9);
    expect(mean).to.be.closeTo((0.3 * 0.401) / 0.601, 1e-9);
    expect(sampler.current()).to.equal(0);
  });

  it('shows a block that begins in the turn of its start', () => {
    const { sampler, pass } = rig();
    pass(500);
    expect(sampler.summary().max).to.be.closeTo(0.399, 1e-9);
  });

  it('forgets after a minute, whether anybody reads or not', () => {
    const { sampler, tick } = rig();
    tick(301);
    for (let second = 0; second < 58; second++) for (let part = 0; part < 10; part++) tick();
    expect(sampler.summary().max).to.be.closeTo(0.3, 1e-9);
    for (let second = 0; second < 13; second++) for (let part = 0; part < 10; part++) tick();
    expect(sampler.summary().max).to.equal(0);
  });

  it('knows a utilisation in [0, 1]', () => {
    const { sampler, tick } = rig();
    for (let part = 0; part < 1_000; part++) tick();
    expect(sampler.utilization()).to.be.within(0, 1);
  });
});
