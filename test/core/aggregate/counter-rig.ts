import { FamilyKind } from '@offloop/core/internal/layout/catalog.js';
import { readFamily, seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import type { Segment } from '@offloop/core/internal/layout/segment.js';
import { readCounter } from '@offloop/core/internal/snapshot/hook-reading.js';
import { expect } from 'chai';
import { SegmentRig } from '../segment-rig.js';

/** A counter with a window, and every increment with its tick. */
export class CounterRig extends SegmentRig {
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

  /** Drains everything, and compares the window with one that keeps every increment. */
  expectExact(segment?: Segment): void {
    if (segment === undefined) this.drainAll();
    const read = segment ?? this.segment;
    const nowTick = this.recorder.tick();
    const { slices, sliceTicks } = this.window;
    const begin = nowTick - ((nowTick - 1) % sliceTicks) - (slices - 1) * sliceTicks;
    const family = readFamily(read, this.family);
    const { aggregates } = read;
    for (const series of this.series) {
      const of = this.increments.filter((increment) => increment.series === series);
      const sum = (increments: typeof of) => increments.reduce((total, { by }) => total + by, 0);
      const block = seriesBlock(read, series);
      expect(readCounter(read, { family, block }, { aggregates, nowTick })).to.deep.equal({
        total: sum(of),
        inWindow: sum(of.filter(({ tick }) => tick >= begin)),
      });
    }
  }
}
