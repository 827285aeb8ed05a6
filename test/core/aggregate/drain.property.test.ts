import { SKETCH_CELLS, sketchCellOf } from '@offloop/core/internal/aggregate/sketch.js';
import { WIDE_SKETCH_CELLS } from '@offloop/core/internal/aggregate/wide-sketch.js';
import { FamilyKind } from '@offloop/core/internal/layout/catalog.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { runSeed } from '../../support/random.js';
import { SegmentRig, type Sketched } from '../segment-rig.js';
import { wideSketchCellOf } from './wide-cell.js';

const RUNS = 300;

/** Multiples of 2^-10 below 2^30 add up exactly in whatever order. */
const exactValue = fc.integer({ min: -(2 ** 30), max: 2 ** 30 }).map((value) => value / 1024);
const bounds = fc
  .uniqueArray(
    fc.oneof(
      exactValue,
      fc.constantFrom(0.0009765625, 0.25, 0.5, 1, 2, 2.0009765625, 10, 64, 65, 1000),
    ),
    { maxLength: 12 },
  )
  .map((values) => values.toSorted((a, b) => a - b));

const hasSketch = fc.constantFrom<Sketched[]>(false, true, 'wide');

const family = fc.oneof(
  fc.record({ kind: fc.constant('counter' as const) }),
  fc.record({ kind: fc.constant('summary' as const) }),
  fc.record({ kind: fc.constant('histogram' as const), bounds, hasSketch }),
  // Usual bounds, which a table serves, as the random ones rarely are.
  fc.record({
    kind: fc.constant('histogram' as const),
    bounds: fc.constant([0.25, 0.5, 1, 2.5, 5, 10]),
    hasSketch,
  }),
);

const value = fc.oneof(
  { weight: 4, arbitrary: exactValue },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 20_480 }).map((whole) => whole / 1024) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 0.25, 0.5, 1, 2, 64, 65, 1000) },
);

const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('record' as const), series: fc.nat(), value }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('damage' as const), id: fc.integer() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('publish' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('drain' as const),
      max: fc.integer({ min: 0, max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('add' as const), family: fc.nat() }) },
);

const scenario = fc.record({
  families: fc.array(family, { minLength: 1, maxLength: 5 }),
  steps: fc.array(step, { maxLength: 250, size: 'max' }),
  capacityRecords: fc.constantFrom(2, 4, 8, 32, 64),
  startAt: fc.oneof(fc.constantFrom(0, 2 ** 31 - 20, 2 ** 32 - 20), fc.nat()),
});

type OneFamily = typeof family extends fc.Arbitrary<infer T> ? T : never;
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

/** What one series must show: kept by the plainest means there are. */
interface Model {
  readonly id: number;
  readonly bounds: readonly number[] | undefined;
  readonly hasSketch: Sketched;
  readonly values: number[];
}

const MAX_SERIES = 24;

function run({ families, steps, capacityRecords, startAt }: Scenario): void {
  const rig = new SegmentRig({
    sizes: { capacityRecords, maxSeries: MAX_SERIES, aggregateCells: 2 ** 18 },
    startAt,
  });
  const familyIds = families.map((one) => addFamily(rig, one));
  for (const source of familyIds) rig.addFamily({ kind: FamilyKind.observationCounter, source });
  const models: Model[] = [];
  const add = (which: number): void => {
    const one = families[which % families.length] as (typeof families)[number];
    const id = rig.catalog.addSeries(familyIds[which % families.length] as number, '');
    if (id === undefined) return;
    models.push({ id, ...modelOf(one), values: [] });
  };
  for (const which of families.keys()) add(which);

  const books = { offered: 0, dropped: 0, damaged: 0, drained: 0 };
  const record = (id: number, recorded: number): boolean => {
    books.offered++;
    const isTaken = rig.recorder.record(id, recorded);
    if (!isTaken) books.dropped++;
    return isTaken;
  };
  for (const one of steps) {
    if (one.do === 'record') {
      const model = models[one.series % models.length] as Model;
      if (record(model.id, one.value)) model.values.push(one.value);
    } else if (one.do === 'damage') {
      // Ids below the limit are sometimes a series' own: then it is no damage.
      if (one.id >= 0 && one.id < MAX_SERIES) continue;
      if (record(one.id, 1)) books.damaged++;
    } else if (one.do === 'publish') {
      rig.recorder.publish();
    } else if (one.do === 'add') {
      add(one.family);
    } else {
      books.drained += rig.drain.drainBatch(one.max) as number;
    }
    const totals = rig.totals();
    expect(totals.recordedRecords).to.equal(totals.aggregatedRecords + totals.backlogRecords);
    expect(totals.aggregatedRecords).to.equal(books.drained);
  }
  rig.drainAll();

  for (const model of models) expectModel(rig, model);
  expect(rig.totals()).to.include({
    offeredRecords: books.offered,
    droppedRecords: books.dropped,
    recordedRecords: books.offered - books.dropped,
    aggregatedRecords: books.offered - books.dropped,
    backlogRecords: 0,
    unattributedRecords: books.damaged,
  });
}

function addFamily(rig: SegmentRig, one: OneFamily): number {
  switch (one.kind) {
    case 'counter':
      return rig.addFamily();
    case 'summary':
      return rig.addSummary();
    case 'histogram':
      return rig.addHistogram(one.bounds, one.hasSketch);
  }
}

function modelOf(one: OneFamily): Pick<Model, 'bounds' | 'hasSketch'> {
  switch (one.kind) {
    case 'counter':
      return { bounds: undefined, hasSketch: false };
    case 'summary':
      return { bounds: [], hasSketch: 'wide' };
    case 'histogram':
      return { bounds: one.bounds, hasSketch: one.hasSketch };
  }
}

function expectModel(rig: SegmentRig, model: Model): void {
  const sum = model.values.reduce((total, one) => total + one, 0);
  if (model.bounds === undefined) {
    expect(rig.counter(model.id)).to.equal(sum);
    return;
  }
  const bounds = [...model.bounds, Number.POSITIVE_INFINITY];
  const counts = bounds.map(() => 0);
  const isWide = model.hasSketch === 'wide';
  const cells = isWide ? WIDE_SKETCH_CELLS : SKETCH_CELLS;
  const sketch = model.hasSketch === false ? [] : Array<number>(cells).fill(0);
  for (const one of model.values) {
    const bucket = bounds.findIndex((bound) => one <= bound);
    counts[bucket] = (counts[bucket] as number) + 1;
    const cell = isWide ? wideSketchCellOf(one) : sketchCellOf(one);
    if (model.hasSketch !== false) sketch[cell] = (sketch[cell] as number) + 1;
  }
  const found = rig.histogram(model.id, model.bounds.length, model.hasSketch);
  expect(found.sum).to.equal(sum);
  expect(found.counts).to.deep.equal(counts);
  expect(found.sketch.join()).to.equal(sketch.join());
  let groups = 0;
  for (const [cell, count] of sketch.entries())
    if (count > 0) groups |= 1 << (cell >> (isWide ? 8 : 5));
  expect(found.groups).to.equal(groups);
}

describe(`drain: laws, seed ${runSeed}`, () => {
  it('makes of any records, in any batches, what counting one by one makes of them', function () {
    this.timeout(60_000);
    fc.assert(fc.property(scenario, run), { seed: runSeed, numRuns: RUNS });
  });
});
