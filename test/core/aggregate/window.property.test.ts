import { expect } from 'chai';
import fc from 'fast-check';
import { runSeed } from '../../support/random.js';
import { WindowRig } from './window-rig.js';

const RUNS = 200;

/** Multiples of 2^-10 add up exactly. */
const value = fc.integer({ min: 0, max: 70_000 }).map((whole) => whole / 1024);

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('observe' as const), series: fc.nat(3), value }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      // Within a tick, to the borders of slices, over several windows, and back.
      ms: fc.oneof(
        fc.integer({ min: 0, max: 250 }),
        fc.constantFrom(99, 100, 101, 299, 300, 301, 600, 1200, 5_000, 3_600_000),
        fc.integer({ min: -10_000, max: -1 }),
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('publish' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('drain' as const),
      max: fc.integer({ min: 0, max: 9 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('check' as const) }) },
);

const scenario = fc.record({
  slices: fc.integer({ min: 1, max: 6 }),
  sliceTicks: fc.integer({ min: 1, max: 4 }),
  capacityRecords: fc.constantFrom(4, 32, 256),
  steps: fc.array(step, { maxLength: 120, size: 'max' }),
});

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

function run({ slices, sliceTicks, capacityRecords, steps }: Scenario): void {
  const rig = new WindowRig({ slices, sliceTicks, capacityRecords });
  const series = Array.from({ length: 4 }, () => rig.addSeries(rig.family));
  for (const one of steps) {
    if (one.do === 'observe') rig.observe(series[one.series] as number, one.value);
    else if (one.do === 'advance') rig.advance(one.ms);
    else if (one.do === 'publish') rig.recorder.publish();
    else if (one.do === 'drain') rig.drain.drainBatch(one.max);
    else rig.expectExact();
  }
  rig.expectExact();
}

describe(`window: laws, seed ${runSeed}`, () => {
  it('holds what a window holds that keeps every observation', function () {
    this.timeout(60_000);
    fc.assert(fc.property(scenario, run), { seed: runSeed, numRuns: RUNS });
  });
});

describe('window', () => {
  it('lets a burst go exactly when its slice does, and holds it until then', () => {
    const rig = new WindowRig({ slices: 3, sliceTicks: 10 });
    const series = rig.addSeries(rig.family);
    rig.advance(999);
    for (let count = 0; count < 5; count++) rig.observe(series, 0.5);
    rig.drainAll();
    // The first slice began with the clock, and each is a second long: the third later one has no place for it.
    rig.advance(2_000);
    expect(rig.read().sums.window.requests).to.equal(5);
    rig.advance(1);
    expect(rig.read().sums.window.requests).to.equal(0);
    expect(rig.read().sums.lifetime.requests).to.equal(5);
    rig.expectExact();
  });

  it('turns by the stamps of records that were drained late, as behind a blocked thread', () => {
    const rig = new WindowRig({ slices: 2, sliceTicks: 10 });
    const series = rig.addSeries(rig.family);
    // Four slices wait in the ring.
    for (let slice = 0; slice < 4; slice++) {
      rig.observe(series, slice + 0.5);
      rig.advance(1_000);
    }
    rig.observe(series, 4.5);
    rig.drainAll();
    expect(rig.read().sums.window.requests).to.equal(2);
    rig.expectExact();
  });

  it('stands still while the clock goes back, and goes on from there', () => {
    const rig = new WindowRig({ slices: 2, sliceTicks: 10 });
    const series = rig.addSeries(rig.family);
    rig.advance(500);
    rig.observe(series, 1);
    rig.advance(-3_600_000);
    rig.observe(series, 2);
    rig.expectExact();
    rig.advance(1_499);
    expect(rig.read().sums.window.requests).to.equal(2);
    rig.advance(1);
    expect(rig.read().sums.window.requests).to.equal(0);
    rig.expectExact();
  });

  it('is as long as the family is old, before that is as long as the window', () => {
    const rig = new WindowRig({ slices: 6, sliceTicks: 100 });
    const series = rig.addSeries(rig.family);
    rig.observe(series, 1);
    rig.advance(20_000);
    rig.observe(series, 1);
    rig.drainAll();
    expect(rig.read()).to.deep.include({ spanMs: 20_000 });
    expect(rig.read().sums.window.requests).to.equal(2);
  });

  it('shows nothing of what a removed series showed, though another has its memory', () => {
    const rig = new WindowRig({ slices: 2, sliceTicks: 10 });
    for (let round = 0; round < 200; round++) {
      const series = rig.addSeries(rig.family, `round="${round}"`);
      rig.observe(series, 1);
      rig.advance(400);
      rig.drainAll();
      rig.catalog.removeSeries(series, rig.recorder.sequence());
      rig.observations.length = 0;
    }
    const last = rig.addSeries(rig.family, 'last="1"');
    rig.observe(last, 2);
    rig.expectExact();
  });

  it('does not claim the time of a long slice that it cannot look into, once it has become shorter', () => {
    const rig = new WindowRig({ slices: 3, sliceTicks: 100 });
    const series = rig.addSeries(rig.family);
    const second = () => {
      for (let tick = 0; tick < 10; tick++) {
        rig.observe(series, 1);
        rig.advance(100);
      }
    };
    for (let count = 0; count < 65; count++) second();
    rig.drainAll();
    rig.catalog.setSliceTicks(rig.family, 20);
    // Steady: ten a second, and the one at its end.
    for (let count = 0; count < 40; count++) {
      const { sums, spanMs } = rig.read();
      expect(sums.window.requests, `after ${count} s`).to.be.closeTo(spanMs / 100, 1);
      second();
      rig.drainAll();
    }
    expect(rig.read().spanMs).to.be.within(4_000, 6_000);
  });

  it('may become shorter and longer, and says how much time it then holds', () => {
    const rig = new WindowRig({ slices: 3, sliceTicks: 10 });
    const series = rig.addSeries(rig.family);
    for (let second = 0; second < 6; second++) {
      rig.observe(series, 1);
      rig.advance(1_000);
    }
    rig.drainAll();
    rig.catalog.setSliceTicks(rig.family, 5);
    expect(rig.read()).to.deep.include({ spanMs: 1_000 });
    expect(rig.read().sums.window.requests).to.equal(1);
    rig.catalog.setSliceTicks(rig.family, 100);
    // The longer window would reach back further than copies do.
    const { sums, spanMs } = rig.read();
    expect(sums.window.requests).to.equal(6);
    expect(spanMs).to.equal(6_000);
  });
});
