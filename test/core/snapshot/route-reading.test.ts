import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Snapshot } from '@offloop/core';
import { SnapshotReader } from '@offloop/core/adapter';
import { SKETCH_CELLS, sketchCellOf } from '@offloop/core/internal/aggregate/sketch.js';
import { BLOCK_COUNTS, sketchDouble } from '@offloop/core/internal/layout/aggregates.js';
import { FamilyKind, FamilyRole } from '@offloop/core/internal/layout/catalog.js';
import { seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import { COMMIT_STATE } from '@offloop/core/internal/layout/control-block.js';
import { NAMED } from '@offloop/core/internal/snapshot/route.js';
import { RouteReader } from '@offloop/core/internal/snapshot/route-reading.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { RoutesRig, SLICE_MS, WINDOW_SECONDS } from './routes-rig.js';

const ROUNDS = 40;
const STEPS = 60;
/** The same arrays each time, as a service's options are. */
const ASKED: readonly (readonly number[])[] = [[0.25, 0.5], [0.75]];

describe(`readings of routes, seed ${runSeed}`, function () {
  this.timeout(60_000);

  for (const estimator of ['sketch', 'reservoir'] as const) {
    it(`are as new whatever was read before, by the ${estimator}`, async () => {
      const random = new Random();
      for (let round = 0; round < (estimator === 'sketch' ? ROUNDS : 5); round++) {
        const rig = new RoutesRig({ estimator, reservoir: { capacity: 100 } });
        const routes = 1 + random.below(8);
        for (let step = 0; step < STEPS; step++) {
          const route = random.below(routes);
          // Most steps leave most routes alone.
          for (let count = random.below(12); count > 0; count--)
            rig.request(
              route,
              random.below(4) === 0 ? '500' : '200',
              Math.exp(random.normal() - 4),
            );
          if (random.below(3) === 0) rig.advance(random.below(3) * SLICE_MS + random.below(200));
          if (random.below(40) === 0) rig.http.reset();
          if (random.below(40) === 0) rig.http.setWindow(WINDOW_SECONDS * (1 + random.below(3)));
          const quantiles = random.below(2) === 0 ? ASKED[random.below(2)] : undefined;
          // Now and then of other quantiles, or of a batch that is not the last any more.
          if (random.below(2) === 0) await rig.readAhead(random.below(4) === 0 ? [0.1] : quantiles);
          if (random.below(4) === 0) rig.request(route, '200', 0.01);
          await rig.pipeline.flush();
          const kept = rig.kept(quantiles);
          expect(kept, `round ${round}, step ${step}`).to.deep.equal(rig.fresh(quantiles));
        }
      }
    });
  }

  it('let a route go out of the window on which nothing is recorded any more', async () => {
    const rig = new RoutesRig();
    rig.request(1, '200', 0.01);
    rig.request(2, '200', 0.01);
    await rig.pipeline.flush();
    rig.kept();
    for (let slice = 0; slice <= WINDOW_SECONDS; slice++) {
      rig.advance(SLICE_MS);
      rig.request(2, '200', 0.01);
      await rig.pipeline.flush();
      expect(rig.kept()).to.deep.equal(rig.fresh());
    }
    const { routes } = rig.kept() as Snapshot;
    expect(routes[0]).to.deep.include({ route: '/1', requests: 1, p50LatencyMs: null });
    expect(routes[0]?.window.requests).to.equal(0);
  });

  it('leave samples out of series that are gone', async () => {
    const rig = new RoutesRig({ estimator: 'reservoir' });
    for (let count = 0; count < 100; count++) rig.request(1, '200', 1);
    await rig.pipeline.flush();
    expect((rig.kept() as Snapshot).p50LatencyMs).to.equal(1_000);
    rig.http.reset();
    expect((rig.kept() as Snapshot).p50LatencyMs).to.equal(null);
    rig.request(2, '200', 0.5);
    await rig.pipeline.flush();
    const { p50LatencyMs, window } = rig.kept() as Snapshot;
    expect(window.requests).to.equal(1);
    expect(p50LatencyMs).to.equal(500);
  });

  it('give no sample to a series that has got the id of one that is gone', async () => {
    const rig = new RoutesRig({ estimator: 'reservoir' });
    const ROUTES = 100;
    for (let route = 0; route < ROUTES; route++) rig.request(route, '200', 1);
    await rig.pipeline.flush();
    const ids = () =>
      Array.from({ length: ROUTES }, (_, route) => rig.http.seriesIdOf('GET', `/${route}`, '200'));
    const before = new Set(ids());
    rig.http.reset();
    await rig.pipeline.flush();
    // Series begin a millisecond apart, or later.
    await setTimeout(2);
    expect(
      ids().some((id) => before.has(id)),
      'ids are given again',
    ).to.equal(true);
    for (let route = 0; route < ROUTES; route++) rig.request(route, '200', 0.5);
    await rig.pipeline.flush();
    const { routes, p99LatencyMs } = rig.kept() as Snapshot;
    expect(routes).to.have.length(ROUTES);
    for (const route of routes) expect(route.p99LatencyMs, route.route).to.equal(500);
    expect(p99LatencyMs).to.equal(500);
  });

  it('keep nothing of a copy of the aggregates', async () => {
    const rig = new RoutesRig();
    rig.request(1, '200', 0.01);
    await rig.pipeline.flush();
    const reader = new RouteReader(rig.segment);
    reader.learn();
    const start = { slice: -1, tick: 1, spanMs: 1_000 };
    const moment = { start, samples: undefined, shares: NAMED };
    const copy = new WeakRef(readCopy());
    reader.confirm();
    const [p50] = reader.named;
    expect(p50).to.be.closeTo(0.01, 0.0002);
    await setImmediate();
    globalThis.gc?.();
    expect(copy.deref()).to.equal(undefined);
    // Others of the same, for which what was read is gone through again.
    const shares = [0.25, 0.999];
    reader.read({ ...moment, shares, aggregates: rig.segment.aggregates });
    expect([...reader.asked]).to.deep.equal([p50, p50]);

    function readCopy(): Float64Array {
      const aggregates = rig.segment.aggregates.slice();
      reader.read({ ...moment, aggregates });
      return aggregates;
    }
  });

  it('keep nothing of a copy for loop lag either', async () => {
    const rig = new RoutesRig();
    const { segment, pipeline } = rig;
    const lag = pipeline.defineFamily({
      kind: FamilyKind.histogram,
      role: FamilyRole.loopLag,
      name: 'lag_seconds',
      help: 'Lag.',
      labelNames: [],
      bounds: [],
      quantiles: [],
      source: undefined,
      sketchCells: SKETCH_CELLS,
      window: { slices: 6, sliceTicks: 10 },
    });
    pipeline.producer.recorder.record(lag.onlySeries as number, 0.02);
    await pipeline.flush();
    const reader = new SnapshotReader(segment);
    const copy = readCopy();
    await setImmediate();
    globalThis.gc?.();
    expect(copy.deref()).to.equal(undefined);
    expect(lagOf()).to.be.closeTo(20, 0.5);

    function lagOf(): number | null {
      const { eventLoop } = reader.read({ isLagMonitored: true, nowTick: 5 });
      return eventLoop.p99LagMs;
    }

    /** As beside a thread that died while it applied a batch. */
    function readCopy(): WeakRef<Float64Array> {
      const { slice } = Float64Array.prototype;
      let made: WeakRef<Float64Array> | undefined;
      Float64Array.prototype.slice = function (...range) {
        const sliced = slice.apply(this, range);
        if (this === segment.aggregates) made = new WeakRef(sliced);
        return sliced;
      };
      Atomics.add(segment.control, COMMIT_STATE, 1);
      try {
        expect(lagOf()).to.be.closeTo(20, 0.5);
      } finally {
        Atomics.sub(segment.control, COMMIT_STATE, 1);
        Float64Array.prototype.slice = slice;
      }
      if (made === undefined) throw new Error('no copy was read');
      return made;
    }
  });

  it('keep nothing of a reading into which a batch came', async () => {
    const rig = new RoutesRig();
    for (let count = 0; count < 100; count++) rig.request(1, '200', 0.01);
    await rig.pipeline.flush();
    const reader = new RouteReader(rig.segment);
    reader.learn();
    const { family } = reader;
    if (family === undefined) throw new Error('no family');
    const start = { slice: -1, tick: 1, spanMs: 1_000 };
    const { aggregates } = rig.segment;
    // The counts are there already, the sketch is not.
    const torn = aggregates.slice();
    const block = seriesBlock(rig.segment, rig.http.seriesIdOf('GET', '/1', '200'));
    const sketch = block + sketchDouble(family.bounds.length);
    torn[sketch + sketchCellOf(0.01)] = 0;
    torn[sketch + sketchCellOf(0.009)] = 100;
    expect(torn.slice(block + BLOCK_COUNTS)).to.not.deep.equal(
      aggregates.slice(block + BLOCK_COUNTS),
    );

    const p50 = (from: Float64Array): number | null | undefined => {
      reader.read({ aggregates: from, start, samples: undefined, shares: NAMED });
      return reader.rows()[0]?.p50LatencyMs;
    };
    expect(p50(torn)).to.be.closeTo(9, 0.2);
    expect(p50(aggregates), 'not confirmed').to.be.closeTo(10, 0.2);
    reader.confirm();
    expect(reader.named[0]).to.be.closeTo(0.01, 0.0002);
    // Where it was confirmed, nothing is read anew.
    expect(p50(torn), 'confirmed').to.be.closeTo(10, 0.2);
  });
});
