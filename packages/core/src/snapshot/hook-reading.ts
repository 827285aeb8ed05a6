import { ALL_BEFORE, NOTHING_BEFORE, windowStart } from '../aggregate/window-reading.js';
import { parseLabels } from '../instruments/label-text.js';
import { BLOCK_SUM, COUNTER_BLOCK_DOUBLES } from '../layout/aggregates.js';
import { FamilyRole } from '../layout/catalog.js';
import {
  type CatalogFamily,
  familyCount,
  readFamily,
  removalsOf,
  seriesBlock,
  seriesCountOf,
  seriesLabels,
  seriesOf,
} from '../layout/catalog-reader.js';
import type { Segment } from '../layout/segment.js';
import { sumCopyDouble } from '../layout/windows.js';

/** A series, and what its labels say. */
export interface LabelledSeries {
  readonly block: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** A family that hooks feed, as of one reading. */
export interface HookReading {
  readonly family: CatalogFamily;
  readonly series: readonly LabelledSeries[];
}

/** A counter's value since the start, and over the window. */
export interface CounterReading {
  readonly total: number;
  readonly inWindow: number;
}

/** Hooks' families by their role, remembered: a snapshot of a service without hooks pays for a look at the number of families. */
export class HookReader {
  readonly segment: Segment;
  private readonly families = new Map<FamilyRole, CatalogFamily[]>();
  private readonly known = new Map<number, Known>();
  private familiesSeen = 0;

  constructor(segment: Segment) {
    this.segment = segment;
  }

  /** Takes in the families that have come since the last time. */
  learn(): void {
    const count = familyCount(this.segment);
    for (; this.familiesSeen < count; this.familiesSeen++) {
      const family = readFamily(this.segment, this.familiesSeen);
      if (family.role < FamilyRole.cacheHits) continue;
      const ofRole = this.families.get(family.role);
      if (ofRole === undefined) this.families.set(family.role, [family]);
      else ofRole.push(family);
    }
  }

  /** Whether families of a role have been learnt. */
  has(role: FamilyRole): boolean {
    return this.families.has(role);
  }

  /** Families of a role: one a pipeline, as a rule. */
  read(role: FamilyRole): readonly HookReading[] {
    return (this.families.get(role) ?? []).map((family) => ({
      family,
      series: this.seriesOf(family),
    }));
  }

  private seriesOf({ id }: CatalogFamily): readonly LabelledSeries[] {
    const { segment } = this;
    const removals = removalsOf(segment, id);
    const count = seriesCountOf(segment, id);
    const before = this.known.get(id);
    if (before?.removals === removals && before.count === count) return before.series;
    const series = [...seriesOf(segment, id)].map((seriesId) => ({
      block: seriesBlock(segment, seriesId),
      labels: parseLabels(seriesLabels(segment, seriesId)),
    }));
    this.known.set(id, { removals, count, series });
    return series;
  }
}

interface Known {
  readonly removals: number;
  readonly count: number;
  readonly series: readonly LabelledSeries[];
}

/** When a reading is of: the aggregates of `readCommitted`, and the producer's clock. */
export interface ReadingMoment {
  readonly aggregates: Float64Array;
  readonly nowTick: number;
}

/** Reads a counter with a window. */
export function readCounter(
  segment: Segment,
  of: { readonly family: CatalogFamily; readonly block: number },
  { aggregates, nowTick }: ReadingMoment,
): CounterReading {
  const { family, block } = of;
  const total = aggregates[block + BLOCK_SUM] as number;
  const start = windowStart(segment, family, { aggregates, nowTick });
  if (start === undefined || start.slice === ALL_BEFORE) return { total, inWindow: 0 };
  if (start.slice === NOTHING_BEFORE) return { total, inWindow: total };
  const copies = block + COUNTER_BLOCK_DOUBLES;
  const before = aggregates[sumCopyDouble({ copies }, start.slice)] as number;
  return { total, inWindow: Math.max(0, total - before) };
}

/** How much time the window of a role's families holds, seconds. */
export function windowSpanSeconds(
  reader: HookReader,
  role: FamilyRole,
  moment: ReadingMoment,
): number {
  const [first] = reader.read(role);
  const start = first && windowStart(reader.segment, first.family, moment);
  return (start?.spanMs ?? 0) / 1_000;
}
