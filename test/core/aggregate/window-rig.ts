import { readingOf } from '@offloop/core/internal/aggregate/segment-reading.js';
import { SKETCH_CELLS, sketchCellOf } from '@offloop/core/internal/aggregate/sketch.js';
import { windowStart } from '@offloop/core/internal/aggregate/window-reading.js';
import { FamilyKind } from '@offloop/core/internal/layout/catalog.js';
import { readFamily, seriesBlock, seriesOf } from '@offloop/core/internal/layout/catalog-reader.js';
import type { Segment } from '@offloop/core/internal/layout/segment.js';
import { TICK_MS } from '@offloop/core/internal/layout/windows.js';
import {
  type AddedSeries,
  type SeriesWindow,
  WindowSums,
} from '@offloop/core/internal/snapshot/window-sums.js';
import { expect } from 'chai';
import { SegmentRig } from '../segment-rig.js';

export const BOUNDS = [0.25, 1, 4];

interface Observation {
  readonly series: number;
  readonly tick: number;
  readonly value: number;
}

/** A family with a window, on a clock of the test's own, and what a window that keeps every observation makes of the same. */
export class WindowRig extends SegmentRig {
  readonly slices: number;
  readonly family: number;
  sliceTicks: number;
  clockMs = 1_000;
  readonly observations: Observation[] = [];

  constructor(options: {
    readonly slices: number;
    readonly sliceTicks: number;
    readonly capacityRecords?: number;
  }) {
    super({ sizes: { capacityRecords: options.capacityRecords ?? 256, aggregateCells: 2 ** 16 } });
    this.slices = options.slices;
    this.sliceTicks = options.sliceTicks;
    this.recorder.stamp(this.clockMs);
    this.family = this.addFamily({
      kind: FamilyKind.histogram,
      bounds: BOUNDS,
      hasSketch: true,
      window: { slices: options.slices, sliceTicks: options.sliceTicks },
    });
  }

  /** Moves the clock, also back, and has the producer look at it. */
  advance(ms: number): void {
    this.clockMs += ms;
    this.recorder.stamp(this.clockMs);
  }

  observe(series: number, value: number): void {
    const tick = this.recorder.tick();
    if (this.recorder.record(series, value)) this.observations.push({ series, tick, value });
  }

  /** First tick of the window as of now. */
  get beginTick(): number {
    const tick = this.recorder.tick();
    const sliceStart = tick - ((tick - 1) % this.sliceTicks);
    return sliceStart - (this.slices - 1) * this.sliceTicks;
  }

  /** The series, and where their window is, as any thread reads them. */
  series(segment: Segment = this.segment): {
    readonly places: readonly AddedSeries[];
    readonly window: SeriesWindow;
  } {
    const family = readFamily(segment, this.family);
    const { aggregates } = segment;
    const start = windowStart(segment, family, { aggregates, nowTick: this.recorder.tick() });
    if (start === undefined) throw new Error('the family has a window');
    const reading = readingOf(segment, aggregates);
    const places = Array.from(seriesOf(segment, this.family), (id) => ({
      block: seriesBlock(segment, id),
      isError: false,
    }));
    return { places, window: { reading, start, slices: this.slices } };
  }

  /** What the window holds. */
  read(segment: Segment = this.segment): { readonly sums: WindowSums; readonly spanMs: number } {
    const { places, window } = this.series(segment);
    const sums = new WindowSums(BOUNDS.length);
    sums.begin(window);
    sums.add(places);
    return { sums, spanMs: window.start.spanMs };
  }

  /** Drains everything, and compares the window with one that keeps every observation. */
  expectExact(segment?: Segment): void {
    if (segment === undefined) this.drainAll();
    const { sums, spanMs } = this.read(segment);
    const begin = this.beginTick;
    const inWindow = this.observations.filter(({ tick }) => tick >= begin);
    const cells = new Float64Array(SKETCH_CELLS);
    let seconds = 0;
    for (const { value } of inWindow) {
      const cell = sketchCellOf(value);
      cells[cell] = (cells[cell] as number) + 1;
      seconds += value;
    }
    expect(sums.window.requests).to.equal(inWindow.length);
    expect(sums.cells().join()).to.equal(cells.join());
    expect(sums.window.seconds).to.be.closeTo(seconds, 1e-6);
    expect(sums.lifetime.requests).to.equal(this.observations.length);
    // Since the family was made, where the window is older.
    const heldTicks = this.recorder.tick() - Math.max(begin, 1);
    expect(spanMs).to.equal(heldTicks * TICK_MS);
  }
}
