import { readingOf } from '../aggregate/segment-reading.js';
import type { WindowStart } from '../aggregate/window-reading.js';
import { type CatalogFamily, seriesBlock, seriesOf } from '../layout/catalog-reader.js';
import type { Segment } from '../layout/segment.js';
import type { WindowSums } from './window-sums.js';

/** Adds all series of a family, of which none counts errors. `aggregates` comes from `readCommitted`. */
export function addFamily(
  sums: WindowSums,
  segment: Segment,
  of: {
    readonly family: CatalogFamily;
    readonly aggregates: Float64Array;
    readonly start: WindowStart;
  },
): void {
  const { family, aggregates, start } = of;
  const slices = family.window?.slices ?? 0;
  sums.begin({ reading: readingOf(segment, aggregates), start, slices });
  const blocks = Array.from(seriesOf(segment, family.id), (id) => seriesBlock(segment, id));
  sums.add(blocks.map((block) => ({ block, isError: false })));
}
