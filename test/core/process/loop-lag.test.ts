import { setTimeout as sleep } from 'node:timers/promises';
import { LoopLagMonitor, Pipeline, SnapshotReader } from '@offloop/core';
import { FamilyRole } from '@offloop/core/internal/layout/catalog.js';
import { findFamily } from '@offloop/core/internal/layout/catalog-reader.js';
import { expect } from 'chai';

const INTERVAL_MS = 10;

function createMonitor() {
  const pipeline = new Pipeline();
  pipeline.configure({ ring: { capacityRecords: 1024 } });
  const monitor = new LoopLagMonitor(pipeline);
  const { segment } = pipeline.producer;
  const reader = new SnapshotReader(segment);
  return {
    pipeline,
    monitor,
    sampleCount: () => pipeline.totals().recordedRecords,
    async lag() {
      const id = findFamily(segment, FamilyRole.loopLag)?.id as number;
      const { families } = await pipeline.capture([id]);
      const [sumSeconds = 0, count = 0] = families[0]?.values ?? [];
      const { eventLoop } = reader.read({ isLagMonitored: true });
      return { sumMs: sumSeconds * 1000, count, ...eventLoop };
    },
  };
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

  it('counts the same lag once: all of it together is never more than the time that went by', async () => {
    const rig = createMonitor();
    const startedMs = performance.now();
    rig.monitor.start(INTERVAL_MS);
    try {
      block(50);
      await untilSamples(rig, 10);
      expect((await rig.lag()).sumMs).to.be.below(performance.now() - startedMs);
    } finally {
      rig.monitor.stop();
    }
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
