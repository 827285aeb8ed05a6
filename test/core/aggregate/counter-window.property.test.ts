import { FamilyKind } from '@offloop/core/internal/layout/catalog.js';
import { readFamily, seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import { readCounter } from '@offloop/core/internal/snapshot/hook-reading.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { SegmentRig } from '../segment-rig.js';

const SCENARIOS = 150;
const STEPS = 150;

/** A counter with a window, and every increment with its tick. */
class CounterRig extends SegmentRig {
  readonly increments: { readonly series: number; readonly tick: number; readonly by: number }[] =
    [];
  clockMs = 1_000;
  private readonly window: { readonly slices: number; readonly sliceTicks: number };
  private readonly family: number;
  readonly series: readonly number[];

  constructor(window: { readonly slices: number; readonly sliceTicks: number }) {
    super();
    this.window = window;
    this.recorder.stamp(this.clockMs);
    this.family = this.addFamily({ kind: FamilyKind.counter, window });
    this.series = [this.addSeries(this.family), this.addSeries(this.family)];
  }

  advance(ms: number): void {
    this.clockMs += ms;
    this.recorder.stamp(this.clockMs);
  }

  increase(series: number, by: number): void {
    const tick = this.recorder.tick();
    if (this.recorder.record(series, by)) this.increments.push({ series, tick, by });
  }

  expectExact(): void {
    this.drainAll();
    const nowTick = this.recorder.tick();
    const { slices, sliceTicks } = this.window;
    const begin = nowTick - ((nowTick - 1) % sliceTicks) - (slices - 1) * sliceTicks;
    const family = readFamily(this.segment, this.family);
    const { aggregates } = this.segment;
    for (const series of this.series) {
      const of = this.increments.filter((increment) => increment.series === series);
      const sum = (increments: typeof of) => increments.reduce((total, { by }) => total + by, 0);
      const block = seriesBlock(this.segment, series);
      expect(readCounter(this.segment, { family, block }, { aggregates, nowTick })).to.deep.equal({
        total: sum(of),
        inWindow: sum(of.filter(({ tick }) => tick >= begin)),
      });
    }
  }
}

describe(`window of a counter: laws, seed ${runSeed}`, () => {
  it('holds what a window holds that keeps every increment', () => {
    const random = new Random();
    for (let scenario = 0; scenario < SCENARIOS; scenario++) {
      const rig = new CounterRig({ slices: 1 + random.below(6), sliceTicks: 1 + random.below(4) });
      for (let step = 0; step < STEPS; step++) {
        const what = random.below(20);
        if (what < 10) rig.increase(rig.series[random.below(2)] as number, random.below(50));
        else if (what < 15) rig.advance(random.below(350));
        else if (what === 15) rig.advance(random.below(5_000));
        else if (what === 16) rig.advance(-random.below(2_000));
        else if (what === 17) rig.recorder.publish();
        else if (what === 18) rig.drain.drainBatch(random.below(10));
        else rig.expectExact();
      }
      rig.expectExact();
    }
  });
});
