import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { LoopBeat, readLoopWatch } from '@offloop/core/adapter';
import { Segment } from '@offloop/core/internal/layout/segment.js';
import * as watch from '@offloop/core/internal/layout/watch.js';
import { BEAT_INTERVAL_MS, type BeatTime } from '@offloop/core/internal/process/loop-beat.js';
import { judge, noteStack, readStallTotals } from '@offloop/core/internal/process/stall-reading.js';
import { expect } from 'chai';
import { SMALL } from '../segment-rig.js';

const SETTINGS = { stallMs: 250, windowMs: 60_000, stacksPerHour: 0 };
const { resolve } = createRequire(import.meta.url);

/** A loop whose time passes as a test wants. */
class FakeLoop {
  nowMs = 1_000_000;
  private busyMs = 0;
  private dueMs = 0;
  private beat = (): void => {};

  readonly time: BeatTime = {
    clock: () => this.nowMs,
    busy: () => this.busyMs,
    every: (intervalMs, listener) => {
      this.dueMs = this.nowMs + intervalMs;
      this.beat = listener;
      return () => {
        this.beat = () => {};
      };
    },
  };

  /** Waits for events, and beats whenever that is due. */
  wait(ms: number): void {
    const untilMs = this.nowMs + ms;
    while (this.dueMs <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.dueMs);
      this.dueMs = this.nowMs + BEAT_INTERVAL_MS;
      this.beat();
    }
    this.nowMs = untilMs;
  }

  /** Does not turn, as it is busy. */
  block(ms: number): void {
    this.busyMs += ms;
    this.nowMs += ms;
  }

  /** Does not turn, as the whole process stands still. */
  pause(ms: number): void {
    this.nowMs += ms;
  }
}

describe('LoopBeat', () => {
  let segment: Segment;
  let loop: FakeLoop;
  let beat: LoopBeat;

  beforeEach(() => {
    segment = Segment.create(SMALL);
    loop = new FakeLoop();
    beat = new LoopBeat(segment, loop.time);
  });
  afterEach(() => beat.stop());

  const readWatch = () => readLoopWatch(segment, loop.nowMs);

  it('tells nothing before it is started, and after it is stopped', () => {
    const nothing = {
      blockedMs: null,
      blockedBy: null,
      stalls: 0,
      longestStall: null,
      lastStall: null,
    };
    expect(readWatch()).to.deep.equal(nothing);
    beat.start(SETTINGS);
    expect(readWatch()).to.deep.equal({ ...nothing, blockedMs: 0 });
    beat.stop();
    loop.wait(1_000);
    expect(readWatch()).to.deep.equal(nothing);
  });

  it('tells in the turn of a block for how long it has lasted, and afterwards how long it was', () => {
    beat.start(SETTINGS);
    loop.wait(230);
    loop.block(600);
    const during = readWatch();
    // Since the last beat there are 630 ms, and half of an interval is what it may be off by.
    expect(during).to.include({ blockedMs: 580, blockedBy: 'unknown', stalls: 0 });
    expect(during.lastStall?.durationMs).to.equal(580);
    loop.wait(100);
    const earliestMs = Date.now();
    const { longestStall, ...after } = readWatch();
    const latestMs = Date.now();
    expect(after).to.include({ blockedMs: 0, blockedBy: null, stalls: 1 });
    expect(after.lastStall).to.deep.equal(longestStall);
    // It was not longer than the loop was busy, and not shorter than 530 ms, as a beat was missed.
    expect(longestStall?.durationMs).to.equal(565);
    // It ended when the loop turned again, a beat ago.
    const startedMs = Date.parse(longestStall?.startedAt ?? '');
    expect(startedMs + 565 + BEAT_INTERVAL_MS).to.be.within(earliestMs, latestMs);
  });

  it('tells the length of a pause, in which the loop is not busy, to half of an interval', () => {
    beat.start(SETTINGS);
    loop.wait(250);
    loop.pause(600);
    loop.wait(0);
    expect(readWatch().lastStall?.durationMs).to.equal(600);
  });

  it('takes a block that is shorter than a stall for none', () => {
    beat.start({ ...SETTINGS, stallMs: 5_000 });
    loop.wait(150);
    loop.block(400);
    loop.wait(250);
    expect(readWatch()).to.include({ stalls: 0, lastStall: null });
  });

  it('goes on with other settings without forgetting what it is late by', () => {
    beat.start({ ...SETTINGS, stallMs: 5_000 });
    loop.wait(150);
    loop.block(600);
    beat.start(SETTINGS);
    loop.wait(250);
    expect(readWatch().stalls).to.equal(1);
  });

  it('takes the verdict that was given while it went on, and counts by it a second later', () => {
    beat.start(SETTINGS);
    loop.wait(150);
    judge(segment, 0, 'waiting');
    noteStack(segment, 0, 'at work (file.js:1:1)');
    loop.block(400);
    expect(readWatch().blockedBy).to.equal('waiting');
    loop.wait(0);
    const { lastStall } = readWatch();
    expect(lastStall).to.include({ cause: 'waiting', stack: 'at work (file.js:1:1)' });
    loop.wait(900);
    expect(readStallTotals(segment).counts).to.deep.equal([0, 0, 0, 0, 0, 0]);
    loop.wait(100);
    const { counts, lengthsMs } = readStallTotals(segment);
    expect(counts).to.deep.equal([0, 0, 0, 1, 0, 0]);
    expect(lengthsMs[3]).to.equal(lastStall?.durationMs);
  });

  it('does not keep the process alive', () => {
    const before = process.getActiveResourcesInfo().toSorted();
    beat = new LoopBeat(segment);
    beat.start(SETTINGS);
    expect(process.getActiveResourcesInfo().toSorted()).to.deep.equal(before);
  });
});

describe('stalls in memory', () => {
  /** Puts stalls there as the beat does: lengths, all of which ended so long ago. */
  function put(
    segment: Segment,
    stalls: readonly (readonly [lengthMs: number, endedMs: number])[],
  ) {
    for (const [lengthMs, endedMs] of stalls) {
      const number = Atomics.load(segment.watch, watch.STALL_COUNT);
      const place = watch.STALLS + (number % watch.STALL_PLACES) * watch.STALL_CELLS;
      segment.watch[place] = NOW_MS - endedMs;
      segment.watch[place + 1] = lengthMs;
      Atomics.store(segment.watch, watch.STALL_COUNT, number + 1);
    }
  }
  const NOW_MS = 1_000_000;
  let segment: Segment;
  beforeEach(() => {
    segment = Segment.create(SMALL);
    Atomics.store(segment.watch, watch.WINDOW_MS, 60_000);
    Atomics.store(segment.watch, watch.STALL_MS, 500);
  });

  it('give the longest of the window, and the last', () => {
    put(segment, [
      [9_000, 61_000],
      [2_000, 60_000],
      [700, 5_000],
    ]);
    const { longestStall, lastStall, stalls } = readLoopWatch(segment, NOW_MS);
    expect(longestStall?.durationMs).to.equal(2_000);
    expect(lastStall?.durationMs).to.equal(700);
    expect(stalls).to.equal(3);
  });

  it('count the one that goes on among them', () => {
    put(segment, [[700, 5_000]]);
    Atomics.store(segment.watch, watch.BEAT_INTERVAL_MS, 100);
    Atomics.store(segment.watch, watch.BEAT_MS, NOW_MS - 1_050);
    judge(segment, 1, 'javascript');
    const seen = readLoopWatch(segment, NOW_MS);
    expect(seen).to.include({ blockedMs: 1_000, blockedBy: 'javascript', stalls: 1 });
    expect(seen.longestStall).to.include({ durationMs: 1_000, cause: 'javascript' });
    expect(seen.lastStall).to.deep.equal(seen.longestStall);
  });

  it('are forgotten after 256 others, and so is what was said of them', () => {
    judge(segment, 0, 'paused');
    put(segment, [[9_000, 10], ...Array.from({ length: 256 }, () => [600, 10] as const)]);
    const { longestStall, stalls } = readLoopWatch(segment, NOW_MS);
    expect(stalls).to.equal(257);
    expect(longestStall).to.include({ durationMs: 600, cause: 'unknown' });
  });

  it('are right across the end of 32 bits of milliseconds', () => {
    Atomics.store(segment.watch, watch.BEAT_INTERVAL_MS, 100);
    Atomics.store(segment.watch, watch.BEAT_MS, (2 ** 32 - 1_000) | 0);
    expect(readLoopWatch(segment, 2 ** 32 + 50).blockedMs).to.equal(1_000);
  });

  it('have a stack of 4 kB at most, cut between two characters', () => {
    put(segment, [[600, 10]]);
    noteStack(segment, 0, 'ü'.repeat(3_000));
    expect(readLoopWatch(segment, NOW_MS).lastStall?.stack).to.equal('ü'.repeat(2_048));
  });

  it('are read by a thread while the loop stands still', async () => {
    const beat = new LoopBeat(segment);
    beat.start(SETTINGS);
    const seen = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(READER, { eval: true, workerData: { buffer: segment.buffer, seen } });
    try {
      // Blocked by waiting for what the other thread tells of it.
      await sleep(0);
      Atomics.wait(seen, 0, 0, 5_000);
      expect(Atomics.load(seen, 0)).to.be.at.least(500);
    } finally {
      beat.stop();
      await worker.terminate();
    }
  });
});

/** Tells for how long the loop has been blocked, once that is half a second. */
const READER = `
  const { workerData: { buffer, seen } } = require('node:worker_threads');
  const { readLoopWatch } = require(${JSON.stringify(resolve('@offloop/core/adapter'))});
  const { Segment } = require(${JSON.stringify(resolve('@offloop/core/engine'))});
  const segment = Segment.attach(buffer);
  setInterval(() => {
    const { blockedMs } = readLoopWatch(segment);
    if (blockedMs < 500) return;
    Atomics.store(seen, 0, blockedMs);
    Atomics.notify(seen, 0);
  }, 20);
`;
