import { HttpMetrics, type OffloopOptions, type Snapshot, SnapshotReader } from '@offloop/core';
import { sketchCellOf } from '@offloop/core/internal/aggregate/sketch.js';
import { BLOCK_COUNTS, sketchDouble } from '@offloop/core/internal/layout/aggregates.js';
import { seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import type { Segment } from '@offloop/core/internal/layout/segment.js';
import { NAMED, RouteReader } from '@offloop/core/internal/snapshot/route-reading.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { PipelineRig } from '../pipeline-rig.js';

const ROUNDS = 40;
const STEPS = 60;
const WINDOW_SECONDS = 6;
const SLICE_MS = 1_000;

/** A service whose clock a test turns, and a reader that remembers. */
class RoutesRig extends PipelineRig {
  readonly http = new HttpMetrics(this.pipeline, this.registry);
  readonly segment: Segment = this.pipeline.producer.segment;
  readonly reader = new SnapshotReader(this.segment);
  #nowMs = performance.now();

  constructor(options: OffloopOptions = {}) {
    super({ window: { seconds: WINDOW_SECONDS }, ...options });
  }

  request(route: number, status: string, seconds: number): void {
    const id = this.http.seriesIdOf('GET', `/${route}`, status);
    this.http.record(id, seconds, this.#nowMs);
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    this.pipeline.producer.recorder.stamp(this.#nowMs);
  }

  /** What the reader says, and what one says that has never read before. */
  async both(quantiles?: readonly number[]): Promise<[object, object]> {
    await this.pipeline.flush();
    const nowTick = this.pipeline.producer.recorder.tick();
    const state = { isLagMonitored: false, nowTick, ...(quantiles && { quantiles }) };
    return [
      factsOf(this.reader.read(state)),
      factsOf(new SnapshotReader(this.segment).read(state)),
    ];
  }
}

/** Without what changes from one look to the next. */
function factsOf({ takenAt: _, process: __, ...facts }: Snapshot): object {
  return facts;
}

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
          const [kept, fresh] = await rig.both(random.below(2) === 0 ? [0.25, 0.5] : undefined);
          expect(kept, `round ${round}, step ${step}`).to.deep.equal(fresh);
        }
      }
    });
  }

  it('let a route go out of the window on which nothing is recorded any more', async () => {
    const rig = new RoutesRig();
    rig.request(1, '200', 0.01);
    rig.request(2, '200', 0.01);
    await rig.both();
    for (let slice = 0; slice <= WINDOW_SECONDS; slice++) {
      rig.advance(SLICE_MS);
      rig.request(2, '200', 0.01);
      const [kept, fresh] = await rig.both();
      expect(kept).to.deep.equal(fresh);
    }
    const [{ routes }] = (await rig.both()) as [Snapshot, object];
    expect(routes[0]).to.deep.include({ route: '/1', requests: 1, p50LatencyMs: null });
    expect(routes[0]?.window.requests).to.equal(0);
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

    const p50 = (from: Float64Array): number | null | undefined =>
      reader.read({ aggregates: from, start, samples: undefined })[0]?.p50LatencyMs;
    expect(p50(torn)).to.be.closeTo(9, 0.2);
    expect(p50(aggregates), 'not confirmed').to.be.closeTo(10, 0.2);
    reader.confirm();
    expect(reader.quantiles(NAMED, undefined)[0]).to.be.closeTo(0.01, 0.0002);
    // Where it was confirmed, nothing is read anew.
    expect(p50(torn), 'confirmed').to.be.closeTo(10, 0.2);
  });
});
