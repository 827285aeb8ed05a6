import { setTimeout as sleep } from 'node:timers/promises';
import { Pipeline } from '@offloop/core';
import { LoopLagMonitor, SnapshotReader } from '@offloop/core/adapter';
import { FamilyRole } from '@offloop/core/internal/layout/catalog.js';
import { findFamily } from '@offloop/core/internal/layout/catalog-reader.js';
import { expect } from 'chai';

const INTERVAL_MS = 10;

/** A sketch's bucket, relative. */
const BUCKET = 2 ** (1 / 32) - 1;

function createMonitor(options: ConstructorParameters<typeof LoopLagMonitor>[1] = {}) {
  const pipeline = new Pipeline();
  pipeline.configure({ ring: { capacityRecords: 1024 } });
  const monitor = new LoopLagMonitor(pipeline, options);
  const { segment } = pipeline.producer;
  const reader = new SnapshotReader(segment);
  return {
    pipeline,
    monitor,
    sampleCount: () => pipeline.totals().recordedRecords,
    /** A monitor whose samples come when the test says, by a clock of the test's. */
    drive(intervalMs: number) {
      let nowMs = 1_000;
      const driven = new LoopLagMonitor(pipeline, { clock: () => nowMs });
      driven.start(intervalMs);
      const { tick } = driven as unknown as { readonly tick: (intervalMs: number) => void };
      clearInterval((driven as unknown as { readonly timer: NodeJS.Timeout }).timer);
      return {
        advance(ms: number): void {
          nowMs += ms;
          tick.call(driven, intervalMs);
        },
      };
    },
    async lag() {
      const id = findFamily(segment, FamilyRole.loopLag)?.id as number;
      const { families } = await pipeline.capture([id]);
      const [sumSeconds = 0, count = 0] = families[0]?.values ?? [];
      const { eventLoop } = reader.read({ isLagMonitored: true });
      return { sumMs: sumSeconds * 1000, count, ...eventLoop };
    },
  };
}

function raise(): never {
  throw new Error('no clock');
}

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

async function untilSamples(rig: ReturnType<typeof createMonitor>, count: number): Promise<void> {
  while (rig.sampleCount() < count) await sleep(1);
}

describe('LoopLagMonitor', () => {
  it('samples nothing before it is started', async () => {
    const rig = createMonitor();
    expect(rig.monitor.isRunning).to.equal(false);
    await sleep(3 * INTERVAL_MS);
    expect(rig.sampleCount()).to.equal(0);
  });

  it('shows a block of 100 ms as lag', async () => {
    const rig = createMonitor();
    rig.monitor.start(INTERVAL_MS);
    try {
      await untilSamples(rig, 2);
      const before = await rig.lag();
      block(100);
      await untilSamples(rig, before.count + 1);
      const { sumMs } = await rig.lag();
      // Up to an interval of it may have gone by before the sample was due, and one millisecond is the timer's.
      expect(sumMs - before.sumMs).to.be.at.least(100 - INTERVAL_MS - 2);
    } finally {
      rig.monitor.stop();
    }
  });

  it('shows a block that begins in the turn of the start', async () => {
    const rig = createMonitor();
    rig.monitor.start(INTERVAL_MS);
    try {
      block(100);
      await untilSamples(rig, 1);
      expect((await rig.lag()).avgLagMs).to.be.at.least(100 - INTERVAL_MS - 2);
    } finally {
      rig.monitor.stop();
    }
  });

  it('counts no lag below zero', async () => {
    const rig = createMonitor();
    rig.monitor.start(INTERVAL_MS);
    try {
      await untilSamples(rig, 5);
      const { avgLagMs, p95LagMs } = await rig.lag();
      expect(avgLagMs).to.be.at.least(0);
      expect(p95LagMs).to.be.at.least(0);
    } finally {
      rig.monitor.stop();
    }
  });

  it('weights a sample by the time that it stands for, so that the p99 shows one long block among many samples', async () => {
    const rig = createMonitor();
    const clock = rig.drive(1_000);
    for (let second = 0; second < 200; second++) clock.advance(1_001);
    clock.advance(6_001);
    const { count, avgLagMs, p99LagMs, maxLagMs } = await rig.lag();
    expect(count).to.equal(206);
    expect(p99LagMs).to.be.closeTo(5_000, 5_000 * BUCKET);
    expect(maxLagMs).to.be.closeTo(5_000, 5_000 * BUCKET);
    expect(avgLagMs).to.be.closeTo((6 * 5_000) / 206, 1);
  });

  it('lets a loop that stood still for hours not fill the ring', async () => {
    const rig = createMonitor();
    rig.drive(10).advance(3_600_000);
    // A quarter of the ring.
    expect((await rig.lag()).count).to.equal(256);
  });

  it('begins again by itself after a failure, and says so once, by code and with the error', async () => {
    const warnings: (readonly [object, string])[] = [];
    const warn = (details: object, message: string) => warnings.push([details, message]);
    let isBroken = false;
    const rig = createMonitor({
      logger: { warn, error: warn },
      clock: () => {
        if (isBroken) throw new Error('no clock');
        return performance.now();
      },
    });
    rig.monitor.start(INTERVAL_MS);
    try {
      await untilSamples(rig, 1);
      isBroken = true;
      while (warnings.length === 0) await sleep(1);
      isBroken = false;
      expect(rig.monitor.isRunning).to.equal(false);
      const count = rig.sampleCount();
      await untilSamples(rig, count + 2);
      expect(rig.monitor.isRunning).to.equal(true);
      expect(warnings).to.have.lengthOf(1);
      const [[details, message]] = warnings as [readonly [{ err: Error; code: string }, string]];
      expect(details).to.include({
        code: 'OFFLOOP_ERR_LAG_MONITOR',
        failures: 1,
        restartMs: 1_000,
      });
      expect(details.err.message).to.equal('no clock');
      expect(message).to.match(/begins again in 1000 ms: Error: no clock$/);
    } finally {
      rig.monitor.stop();
    }
  });

  it('stays stopped where it is stopped in the pause after a failure', async () => {
    let failures = 0;
    const rig = createMonitor({
      logger: { warn: () => failures++, error: () => {} },
      clock: () => (failures === 0 && rig.monitor.isRunning ? raise() : performance.now()),
    });
    rig.monitor.start(INTERVAL_MS);
    while (failures === 0) await sleep(1);
    rig.monitor.stop();
    await sleep(1_200);
    expect(rig.monitor.isRunning).to.equal(false);
  });

  it('is stopped by stop(), whatever was called how often before', async () => {
    const rig = createMonitor();
    rig.monitor.stop();
    rig.monitor.start(INTERVAL_MS);
    rig.monitor.start(INTERVAL_MS);
    expect(rig.monitor.isRunning).to.equal(true);
    rig.monitor.stop();
    rig.monitor.stop();
    expect(rig.monitor.isRunning).to.equal(false);
    const count = rig.sampleCount();
    await sleep(4 * INTERVAL_MS);
    expect(rig.sampleCount()).to.equal(count);
  });

  it('leaves nothing that keeps the process alive, running or stopped', () => {
    const rig = createMonitor();
    const before = process.getActiveResourcesInfo().toSorted();
    rig.monitor.start(INTERVAL_MS);
    expect(process.getActiveResourcesInfo().toSorted()).to.deep.equal(before);
    rig.monitor.stop();
    expect(process.getActiveResourcesInfo().toSorted()).to.deep.equal(before);
  });

  it('can be started again after stop()', async () => {
    const rig = createMonitor();
    rig.monitor.start(INTERVAL_MS);
    rig.monitor.stop();
    rig.monitor.start(INTERVAL_MS);
    try {
      await untilSamples(rig, 1);
    } finally {
      rig.monitor.stop();
    }
  });

  it('does no harm on a pipeline that was closed', async () => {
    const rig = createMonitor();
    await rig.pipeline.close();
    rig.monitor.start(INTERVAL_MS);
    await sleep(3 * INTERVAL_MS);
    rig.monitor.stop();
    expect(rig.pipeline.totals().droppedRecords).to.be.at.least(1);
  });
});
