import { readCommitted } from '../aggregate/committed-read.js';
import { BLOCK_COUNTS } from '../layout/aggregates.js';
import { FamilyKind } from '../layout/catalog.js';
import {
  type CatalogFamily,
  familyCount,
  readFamily,
  seriesBlock,
  seriesOf,
} from '../layout/catalog-reader.js';
import type { Segment } from '../layout/segment.js';
import { readLiveValue } from '../record/live-value.js';
import { type PipelineTotals, readPipelineTotals } from '../snapshot/pipeline-totals.js';
import type { DefaultLabelsOf } from './default-labels.js';

/** The values of one family, as of the page's batch. */
export interface CapturedFamily {
  readonly family: CatalogFamily;
  readonly seriesIds: Int32Array;
  /** `width` doubles a series: the start of its block, or a live gauge's value. */
  readonly values: Float64Array;
  readonly width: number;
  /** Labels that the page adds to a series. Default: none. */
  readonly defaultLabels?: DefaultLabelsOf;
}

/** Everything a page shows, as of one batch: rendering may take its time, and no draining thread can tear it. */
export interface Capture {
  readonly families: readonly CapturedFamily[];
  readonly totals: PipelineTotals;
}

/**
 * Captures families in the order asked for.
 *
 * @param familyIds Ids of the segment's catalog; unknown ones are left out.
 */
export function capture(segment: Segment, familyIds: readonly number[]): Capture {
  const known = familyCount(segment);
  // A family and the one that shows its counts list the same series, also when one is added meanwhile.
  const seriesByFamily = new Map<number, Int32Array>();
  const families = familyIds
    .filter((id) => id >= 0 && id < known)
    .map((id) => {
      const family = readFamily(segment, id);
      const seriesIds =
        seriesByFamily.get(family.seriesFamily) ?? seriesOf(segment, family.seriesFamily);
      seriesByFamily.set(family.seriesFamily, seriesIds);
      const width = widthOf(segment, family);
      return { family, seriesIds, width, values: new Float64Array(seriesIds.length * width) };
    });
  let totals: PipelineTotals | undefined;
  readCommitted(segment, (aggregates) => {
    for (const captured of families) copyBlocks(segment, aggregates, captured);
    totals = readPipelineTotals(segment, aggregates);
  });
  return { families, totals: totals as PipelineTotals };
}

function widthOf(segment: Segment, family: CatalogFamily): number {
  switch (family.kind) {
    case FamilyKind.counter:
    case FamilyKind.liveGauge:
      return 1;
    case FamilyKind.histogram:
      return family.bounds.length + 2;
    case FamilyKind.observationCounter:
      return readFamily(segment, family.seriesFamily).bounds.length + 2;
  }
}

function copyBlocks(segment: Segment, aggregates: Float64Array, captured: CapturedFamily): void {
  const { seriesIds, values, width, family } = captured;
  for (let index = 0; index < seriesIds.length; index++) {
    const block = seriesBlock(segment, seriesIds[index] as number);
    if (family.kind === FamilyKind.liveGauge) {
      values[index] = readLiveValue(segment, block);
      continue;
    }
    const start = index * width;
    for (let offset = 0; offset < width; offset++) {
      values[start + offset] = aggregates[block + offset] as number;
    }
  }
}

/** Value of a captured series that has one: a counter's total, a gauge's level, a histogram's number of observations. */
export function singleValue(captured: CapturedFamily, index: number): number {
  const { values, width, family } = captured;
  if (family.kind !== FamilyKind.observationCounter) return values[index * width] as number;
  let observations = 0;
  for (let offset = BLOCK_COUNTS; offset < width; offset++) {
    observations += values[index * width + offset] as number;
  }
  return observations;
}
