import { createRecorder, type Recorder, Segment, type SegmentSizes } from '@offloop/core/engine';
import { readCommitted } from '@offloop/core/internal/aggregate/committed-read.js';
import { SKETCH_CELLS } from '@offloop/core/internal/aggregate/sketch.js';
import { type SketchShape, sketchShapeOf } from '@offloop/core/internal/aggregate/sketch-shape.js';
import { WIDE_SKETCH_CELLS } from '@offloop/core/internal/aggregate/wide-sketch.js';
import { CatalogWriter } from '@offloop/core/internal/instruments/catalog-writer.js';
import {
  BLOCK_COUNTS,
  BLOCK_SUM,
  sketchDouble,
  sketchGroupsDouble,
} from '@offloop/core/internal/layout/aggregates.js';
import { FamilyKind, FamilyRole } from '@offloop/core/internal/layout/catalog.js';
import { readFamily, seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import {
  type PipelineTotals,
  readPipelineTotals,
} from '@offloop/core/internal/snapshot/pipeline-totals.js';
import { expect } from 'chai';

/** Binary fractions: sums of them are exact in whatever order they are added up. */
const BOUNDS = [1 / 64, 1 / 16, 1 / 4, 1, 4];

/** What the summary shows. */
const QUANTILES = [0.5, 0.99];

/** Values that a record takes: below, on and above each bound. */
export const VALUES: readonly number[] = [
  1 / 128,
  ...BOUNDS.flatMap((bound) => [bound, bound + 1 / 1024]),
];

/** What one series must hold. */
interface SeriesTruth {
  readonly id: number;
  readonly sketch: SketchShape | undefined;
  /** Histograms and summaries. */
  readonly isObserved: boolean;
  sum: number;
  /** One a bound, and one for +Infinity; a summary has no bounds. */
  readonly counts: number[];
}

/** What the segment says of one series. */
export interface SeriesReading {
  readonly sum: number;
  readonly counts: readonly number[];
  /** Sum of the sketch's cells; as many as counts, or the sketch is torn. */
  readonly sketchCount: number | undefined;
}

export interface SegmentReading {
  readonly totals: PipelineTotals;
  readonly series: readonly SeriesReading[];
}

export interface TestSegmentOptions {
  readonly capacityRecords?: number;
  /** Of each of the five families. */
  readonly seriesCount?: number;
}

/**
 * A segment with a counter, a histogram with sketch, one without, a native one, a summary, and a counter of the first one's observations.
 * Its producer remembers what it recorded, so that every number can be checked.
 */
export class TestSegment {
  readonly segment: Segment;
  readonly recorder: Recorder;
  /** Ids, in the order of a page. */
  readonly families: readonly number[];
  /** Records that were offered and accepted. */
  acceptedRecords = 0;
  /** Records that were offered and refused. */
  refusedRecords = 0;
  private readonly truths: SeriesTruth[] = [];
  private readonly bucketOf: readonly number[];
  private readonly random: () => number;

  constructor(options: TestSegmentOptions & { readonly seed: number }) {
    const { capacityRecords = 1024, seriesCount = 4, seed } = options;
    this.segment = Segment.create(sizesFor(capacityRecords, seriesCount));
    this.recorder = createRecorder(this.segment);
    this.random = randomFrom(seed);
    this.bucketOf = VALUES.map((value) => {
      const bucket = BOUNDS.findIndex((bound) => value <= bound);
      return bucket === -1 ? BOUNDS.length : bucket;
    });
    const catalog = new CatalogWriter(this.segment);
    const define = (name: string, kind: FamilyKind, sketchCells = 0, source?: number) =>
      catalog.addFamily({
        name,
        kind,
        quantiles: kind === FamilyKind.summary ? QUANTILES : [],
        sketchCells,
        source,
        role: FamilyRole.none,
        help: `${name}.`,
        labelNames: kind === FamilyKind.observationCounter ? [] : ['series'],
        bounds: kind === FamilyKind.histogram ? BOUNDS : [],
      });
    const counter = define('test_counted_total', FamilyKind.counter);
    const sketched = define('test_sketched', FamilyKind.histogram, SKETCH_CELLS);
    const plain = define('test_plain', FamilyKind.histogram);
    const native = define('test_native', FamilyKind.histogram, WIDE_SKETCH_CELLS);
    const summary = define('test_summed', FamilyKind.summary, WIDE_SKETCH_CELLS);
    const observations = define('test_seen_total', FamilyKind.observationCounter, 0, sketched);
    this.families = [counter, sketched, plain, native, summary, observations];
    for (const family of [counter, sketched, plain, native, summary]) {
      const { bounds, sketchCells } = readFamily(this.segment, family);
      for (let index = 0; index < seriesCount; index++) {
        const id = catalog.addSeries(family, `series="${index}"`) as number;
        catalog.link(id);
        this.truths.push({
          id,
          sketch: sketchShapeOf(sketchCells),
          isObserved: family !== counter,
          sum: 0,
          counts: [...bounds, 0].map(() => 0),
        });
      }
    }
  }

  get seriesIds(): readonly number[] {
    return this.truths.map(({ id }) => id);
  }

  /** Offers records of random series and values. @returns How many were accepted. */
  record(count: number): number {
    const { truths, random } = this;
    const { record } = this.recorder;
    let accepted = 0;
    for (let index = 0; index < count; index++) {
      const truth = truths[Math.floor(random() * truths.length)] as SeriesTruth;
      const drawn = Math.floor(random() * VALUES.length);
      const value = VALUES[drawn] as number;
      if (!record(truth.id, value)) continue;
      accepted++;
      truth.sum += value;
      const bucket = Math.min(this.bucketOf[drawn] as number, truth.counts.length - 1);
      truth.counts[bucket] = (truth.counts[bucket] as number) + 1;
    }
    this.acceptedRecords += accepted;
    this.refusedRecords += count - accepted;
    return accepted;
  }

  /** Offers a record of an id that may be no series. */
  recordDamaged(seriesId: number): void {
    if (this.recorder.record(seriesId, 1)) this.acceptedRecords++;
    else this.refusedRecords++;
  }

  /** The same truth, held against a copy of the memory. */
  on(copy: Segment): TestSegment {
    return Object.assign(Object.create(TestSegment.prototype) as TestSegment, this, {
      segment: copy,
      recorder: createRecorder(copy),
    });
  }

  /** Everything that shared memory says, as of one batch. */
  read(): SegmentReading {
    let reading: SegmentReading | undefined;
    const isOfOneBatch = readCommitted(this.segment, (aggregates) => {
      reading = {
        totals: readPipelineTotals(this.segment, aggregates),
        series: this.truths.map((truth) => readSeries(this.segment, aggregates, truth)),
      };
    });
    expect(isOfOneBatch, 'a reading that no batch tore').to.equal(true);
    return reading as SegmentReading;
  }

  /** Publishes, and checks that the books balance, whatever is aggregated so far. */
  expectBalancedBooks(): SegmentReading {
    this.recorder.publish();
    const reading = this.read();
    const { totals } = reading;
    const { acceptedRecords: accepted, refusedRecords: refused } = this;
    expect(totals.offeredRecords, 'offered').to.equal(accepted + refused);
    expect(totals.droppedRecords, 'dropped').to.equal(refused);
    expect(totals.recordedRecords, 'recorded').to.equal(accepted);
    expect(totals.aggregatedRecords + totals.backlogRecords, 'aggregated + backlog').to.equal(
      accepted,
    );
    this.expectWhole(reading);
    return reading;
  }

  /** Checks that a reading is of one moment: its parts agree on how many records they are made of. */
  expectWhole({ totals, series }: SegmentReading): void {
    let observations = 0;
    let countedSums = 0;
    for (const [index, { sum, counts, sketchCount }] of series.entries()) {
      const count = counts.reduce((total, inBucket) => total + inBucket, 0);
      if (sketchCount !== undefined) expect(sketchCount, 'the sketch').to.equal(count);
      if ((this.truths[index] as SeriesTruth).isObserved) observations += count;
      else countedSums += sum;
    }
    // A counter keeps its sum only: of how many records, it does not say, only that they are not more than there were.
    const others = totals.aggregatedRecords - totals.unattributedRecords - observations;
    expect(others, 'records of counters').to.be.within(
      countedSums / (VALUES.at(-1) as number),
      countedSums / (VALUES[0] as number),
    );
  }

  /** Checks every number of every series. */
  expectExact(): void {
    const { series } = this.read();
    for (const [index, truth] of this.truths.entries()) {
      const what = `series ${truth.id}`;
      const { sum, counts, sketchCount } = series[index] as SeriesReading;
      expect(sum, `sum of ${what}`).to.equal(truth.sum);
      if (!truth.isObserved) continue;
      expect(counts, `counts of ${what}`).to.deep.equal(truth.counts);
      if (truth.sketch === undefined) continue;
      expect(sketchCount, `sketch of ${what}`).to.equal(truth.counts.reduce((a, b) => a + b, 0));
    }
  }

  /** Checks that everything accepted is aggregated, and every number right. */
  expectAllAggregated(): void {
    const { totals } = this.expectBalancedBooks();
    expect(totals.backlogRecords, 'backlog').to.equal(0);
    expect(totals.aggregatedRecords, 'aggregated').to.equal(this.acceptedRecords);
    this.expectExact();
  }
}

function readSeries(
  segment: Segment,
  aggregates: Float64Array,
  { id, isObserved, sketch, counts: { length } }: SeriesTruth,
): SeriesReading {
  const block = seriesBlock(segment, id);
  const counts = block + BLOCK_COUNTS;
  return {
    sum: aggregates[block + BLOCK_SUM] as number,
    counts: isObserved ? [...aggregates.subarray(counts, counts + length)] : [],
    sketchCount:
      sketch &&
      sketchCount(sketch, {
        groups: aggregates[block + sketchGroupsDouble(length - 1)] as number,
        cells: aggregates.subarray(block + sketchDouble(length - 1)),
      }),
  };
}

/** Of the groups in use alone, as a reading of all cells would take longer than a batch. */
function sketchCount(
  { groupCells, cells: cellCount }: SketchShape,
  { groups, cells }: { groups: number; cells: Float64Array },
): number {
  let sum = 0;
  for (let group = 0; group * groupCells < cellCount; group++) {
    if ((groups & (1 << group)) === 0) continue;
    const end = Math.min(cellCount, (group + 1) * groupCells);
    for (let cell = group * groupCells; cell < end; cell++) sum += cells[cell] as number;
  }
  return sum;
}

function sizesFor(capacityRecords: number, seriesCount: number): SegmentSizes {
  return {
    capacityRecords,
    maxFamilies: 16,
    maxSeries: 5 * seriesCount + 8,
    catalogBytes: 65_536,
    aggregateCells: 16 + seriesCount * (3 * (SKETCH_CELLS + 16) + 2 * (WIDE_SKETCH_CELLS + 16)),
  };
}

/** mulberry32: small, quick, and the same on every machine. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** A seed from the environment, to repeat a run, or a new one. */
export function chooseSeed(): number {
  const given = process.env['OFFLOOP_TEST_SEED'];
  return given === undefined ? Math.floor(Math.random() * 0x1_0000_0000) : Number(given);
}
