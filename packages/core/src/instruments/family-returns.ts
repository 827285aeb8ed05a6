import type { ResolvedOptions } from '../config/options.js';
import { WeakRefSet } from '../engine/weak-ref-set.js';
import { isOffloopError } from '../errors.js';
import type { FamilyEntry } from './catalog-writer.js';
import type { Family, FamilyHoldings } from './family.js';
import type { Producer } from './producer.js';

/** What is left of a family that nobody can reach any more. */
interface Left {
  readonly entry: FamilyEntry;
  readonly holdings: FamilyHoldings;
  readonly producer: Producer;
}

/**
 * Brings the catalog places of families back that are not used any more: those which were collected, and, where there is no other place,
 * those whose metric was taken out of every registry and is declared again.
 */
export class FamilyReturns {
  private readonly offered = new WeakRefSet<Family>();
  private readonly collected = new FinalizationRegistry<Left>(({ entry, holdings, producer }) => {
    producer.catalog.abandonFamily(entry, holdings, producer.recorder.sequence());
  });

  /**
   * Writes a family into the catalog.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_FAMILIES_FULL`, `OFFLOOP_ERR_CATALOG_FULL`.
   */
  materialise(family: Family, producer: Producer, options: ResolvedOptions): void {
    try {
      family.materialise(producer, options.maxSeriesPerMetric);
    } catch (error) {
      const before = isFull(error) ? this.takeOffered(family) : undefined;
      if (before === undefined) throw error;
      before.giveWayTo(family);
      family.materialise(producer, options.maxSeriesPerMetric);
    }
    const { entry, holdings } = family;
    this.collected.register(family, { entry, holdings, producer });
  }

  /** A family whose metric is in no registry any more. It may be put into one again. */
  offer(family: Family): void {
    this.offered.delete(family);
    this.offered.add(family);
  }

  private takeOffered(like: Family): Family | undefined {
    for (const family of this.offered) {
      if (family === like || family.holders > 0 || family.id === -1 || !family.isLike(like))
        continue;
      this.offered.delete(family);
      return family;
    }
    return undefined;
  }
}

function isFull(error: unknown): boolean {
  return isOffloopError(error) && error.code === 'OFFLOOP_ERR_FAMILIES_FULL';
}
