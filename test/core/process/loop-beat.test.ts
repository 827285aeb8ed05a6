import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { LoopBeat, readLoopWatch } from '@offloop/core';
import { Segment } from '@offloop/core/internal/layout/segment.js';
import * as watch from '@offloop/core/internal/layout/watch.js';
import { judge, noteStack, readStallTotals } from '@offloop/core/internal/process/stall-reading.js';
import { expect } from 'chai';
import { SMALL } from '../segment-rig.js';

const SETTINGS = { stallMs: 250, windowMs: 60_000, stacksPerHour: 0 };
const { resolve } = createRequire(import.meta.url);

/** Half of the beat's interval, and what a busy machine adds. */
const ERROR_MS = 100;

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('LoopBeat', () => {
  let segment: Segment;
  let beat: LoopBeat;

  beforeEach(() => {
    segment = Segment.create(SMALL);
    beat = new LoopBeat(segment);
  });
  afterEach(() => beat.stop());

  it('tells nothing before it is started, and after it is stopped', () => {
    const nothing = {
      blockedMs: null,
      blockedBy: null,
      stalls: 0,
      longestStall: null,
      lastStall: null,
    };
    expect(readLoopWatch(segment)).to.deep.equal(nothing);
    beat.start(SETTINGS);
    expect(readLoopWatch(segment)).to.deep.equal({ ...nothing, blockedMs: 0 });
    beat.stop();
    expect(readLoopWatch(segment)).to.deep.equal(nothing);
  });

  it('tells in the turn of a block for how long it has lasted, and afterwards how long it was', async () => {
    beat.start(SETTINGS);
    await sleep(250);
    const startedMs = Date.now();
    block(600);
    const during = readLoopWatch(segment);
    expect(during.blockedMs).to.be.closeTo(600, ERROR_MS);
    expect(during).to.include({ blockedBy: 'unknown', stalls: 0 });
    expect(during.lastStall?.durationMs).to.be.closeTo(600, ERROR_MS);
    await sleep(250);
    const { longestStall, ...after } = readLoopWatch(segment);
    expect(after).to.include({ blockedMs: 0, blockedBy: null, stalls: 1 });
    expect(after.lastStall).to.deep.equal(longestStall);
    expect(longestStall?.durationMs).to.be.closeTo(600, ERROR_MS);
    expect(Date.parse(longestStall?.startedAt ?? '')).to.be.closeTo(startedMs, 2 * ERROR_MS);
  });

  it('takes a block that is shorter than a stall for none', async () => {
    beat.start({ ...SETTINGS, stallMs: 5_000 });
    await sleep(150);
    block(400);
    await sleep(250);
    expect(readLoopWatch(segment)).to.include({ stalls: 0, lastStall: null });
  });

  it('goes on with other settings without forgetting what it is late by', async () => {
    beat.start({ ...SETTINGS, stallMs: 5_000 });
    await sleep(150);
    block(600);
    beat.start(SETTINGS);
    await sleep(250);
    expect(readLoopWatch(segment).stalls).to.equal(1);
  });

  it('takes the verdict that was given while it went on, and counts by it a second later', async () => {
    beat.start(SETTINGS);
    await sleep(150);
    judge(segment, 0, 'waiting');
    noteStack(segment, 0, 'at work (file.js:1:1)');
    block(400);
    expect(readLoopWatch(segment).blockedBy).to.equal('waiting');
    await sleep(250);
    const { lastStall } = readLoopWatch(segment);
    expect(lastStall).to.include({ cause: 'waiting', stack: 'at work (file.js:1:1)' });
    expect(readStallTotals(segment).counts).to.deep.equal([0, 0, 0, 0, 0, 0]);
    await sleep(1_100);
    const { counts, lengthsMs } = readStallTotals(segment);
    expect(counts).to.deep.equal([0, 0, 0, 1, 0, 0]);
    expect(lengthsMs[3]).to.equal(lastStall?.durationMs);
  });

  it('does not keep the process alive', () => {
    const before = process.getActiveResourcesInfo().toSorted();
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
  const { readLoopWatch } = require(${JSON.stringify(resolve('@offloop/core'))});
  const { Segment } = require(${JSON.stringify(resolve('@offloop/core/engine'))});
  const segment = Segment.attach(buffer);
  setInterval(() => {
    const { blockedMs } = readLoopWatch(segment);
    if (blockedMs < 500) return;
    Atomics.store(seen, 0, blockedMs);
    Atomics.notify(seen, 0);
  }, 20);
`;
