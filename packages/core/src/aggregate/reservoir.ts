import * as catalog from '../layout/catalog.js';
import { familyCount, seriesIdentity } from '../layout/catalog-reader.js';
import {
  RECORD_CELLS_SHIFT,
  RECORD_VALUES_SHIFT,
  SERIES_ID_CELL,
  VALUE_DOUBLE,
} from '../layout/record.js';
import {
  RESERVOIR_SAMPLES,
  RESERVOIR_SEEN,
  RESERVOIR_START,
  reservoirSliceDoubles,
  SAMPLE_DOUBLES,
} from '../layout/reservoirs.js';
import type { Segment } from '../layout/segment.js';

/** A family with a reservoir, as the catalog has it. */
interface SampledFamily {
  readonly id: number;
  readonly reservoir: number;
  readonly slices: number;
  readonly sampleCount: number;
}

/** A random number in [0, 1). */
export type RandomSource = () => number;

/**
 * Fills reservoirs by Vitter's algorithm R: the n-th observation of a slice takes the place of a random one of n with probability
 * samples ÷ n, so that at any time each has been kept with the same probability.
 *
 * The consumer's. Nothing of it survives a thread, or needs to: a batch that was not committed is sampled anew.
 */
export class ReservoirSampler {
  private readonly segment: Segment;
  private readonly random: RandomSource;
  private readonly families: SampledFamily[] = [];
  private familiesSeen = 0;

  constructor(segment: Segment, random: RandomSource = Math.random) {
    this.segment = segment;
    this.random = random;
  }

  /**
   * Stages what a batch adds, behind the entries that are staged already.
   *
   * @returns Entries staged in all.
   */
  stage(batch: {
    readonly tail: number;
    readonly count: number;
    readonly entries: number;
  }): number {
    this.learnFamilies();
    let { entries } = batch;
    for (const family of this.families) entries = this.stageFamily(family, { ...batch, entries });
    return entries;
  }

  /** Begins a slice, in the oldest one's place. @returns Entries of the redo log, as pairs: which double, and what it becomes. */
  beginSlice(familyId: number, startTick: number): readonly (readonly [number, number])[] {
    this.learnFamilies();
    const family = this.families.find(({ id }) => id === familyId);
    if (family === undefined) return [];
    const at = this.sliceOf(family, (start, best) => start < best);
    return [
      [at + RESERVOIR_START, startTick],
      [at + RESERVOIR_SEEN, 0],
    ];
  }

  private stageFamily(
    family: SampledFamily,
    batch: { readonly tail: number; readonly count: number; readonly entries: number },
  ): number {
    const { ringCells, ringValues, logCells, logValues, series, aggregates, sizes } = this.segment;
    const mask = sizes.capacityRecords - 1;
    const at = this.sliceOf(family, (start, best) => start > best);
    const samples = at + RESERVOIR_SAMPLES;
    const before = aggregates[at + RESERVOIR_SEEN] as number;
    let seen = before;
    let { entries } = batch;
    for (let index = 0; index < batch.count; index++) {
      const slot = (batch.tail + index) & mask;
      const id = ringCells[(slot << RECORD_CELLS_SHIFT) + SERIES_ID_CELL] as number;
      if (id >>> 0 >= sizes.maxSeries) continue;
      const entry = id * catalog.SERIES_ENTRY_CELLS;
      if (series[entry + catalog.SERIES_BLOCK] === 0) continue;
      if (series[entry + catalog.SERIES_FAMILY] !== family.id) continue;
      seen++;
      const place = seen <= family.sampleCount ? seen - 1 : Math.floor(this.random() * seen);
      if (place >= family.sampleCount) continue;
      logCells[entries] = samples + place * SAMPLE_DOUBLES;
      logValues[entries++] = ringValues[(slot << RECORD_VALUES_SHIFT) + VALUE_DOUBLE] as number;
      logCells[entries] = samples + place * SAMPLE_DOUBLES + 1;
      logValues[entries++] = seriesIdentity(this.segment, id);
    }
    if (seen === before) return entries;
    logCells[entries] = at + RESERVOIR_SEEN;
    logValues[entries++] = seen;
    return entries;
  }

  /** The first double of the slice whose start is the best: the youngest, or the oldest. */
  private sliceOf(
    { reservoir, slices, sampleCount }: SampledFamily,
    isBetter: (start: number, best: number) => boolean,
  ): number {
    const { aggregates } = this.segment;
    const length = reservoirSliceDoubles(sampleCount);
    let found = reservoir;
    for (let slice = 1; slice < slices; slice++) {
      const at = reservoir + slice * length;
      const start = aggregates[at + RESERVOIR_START] as number;
      if (isBetter(start, aggregates[found + RESERVOIR_START] as number)) found = at;
    }
    return found;
  }

  private learnFamilies(): void {
    const { families } = this.segment;
    const count = familyCount(this.segment);
    for (; this.familiesSeen < count; this.familiesSeen++) {
      const entry = this.familiesSeen * catalog.FAMILY_ENTRY_CELLS;
      const reservoir = families[entry + catalog.FAMILY_RESERVOIR] as number;
      if (reservoir === 0) continue;
      this.families.push({
        id: this.familiesSeen,
        reservoir,
        slices: families[entry + catalog.FAMILY_SLICES] as number,
        sampleCount: families[entry + catalog.FAMILY_SAMPLE_COUNT] as number,
      });
    }
  }
}
