import { inspect } from 'node:util';
import { OffloopError } from '../errors.js';
import { REFUSED } from '../layout/control-block.js';
import { addToWideCounter } from '../layout/wide-counter.js';
import type { FamilyEntry } from './catalog-writer.js';
import { LabelIndex } from './label-index.js';
import { formatLabels } from './label-text.js';
import type { Producer } from './producer.js';

/** Value of every label of the series into which label sets beyond the limit fold. */
export const OVERFLOW_LABEL = '__overflow__';

/** A label set as callers give it. */
export type LabelSet = Readonly<Record<string, string | number>>;

/**
 * A family on the producing thread: turns label sets into series ids.
 *
 * A family without labels has one series from the start; one with labels has each series from its first look-up.
 */
export class Family {
  readonly entry: FamilyEntry;
  private readonly index: LabelIndex;
  private readonly maxSeries: number | undefined;
  private limit = 0;
  private producer: Producer | undefined;
  private ownId = -1;
  private seriesCount = 0;
  /** Without labels the one series; with labels the overflow series, whose memory is set aside from the start. */
  private spareSeries = -1;
  private isSpareLinked = false;

  /** @param maxSeries Cardinality limit, where the family has one of its own. */
  constructor(entry: FamilyEntry, maxSeries: number | undefined) {
    this.entry = entry;
    this.maxSeries = maxSeries;
    this.index = new LabelIndex(entry.labelNames);
  }

  /** Id in the catalog; -1 before the memory is laid out. */
  get id(): number {
    return this.ownId;
  }

  /**
   * Writes the family into the catalog. Called once, by its producer.
   *
   * @param maxSeriesPerMetric Cardinality limit of a family that has none of its own.
   * @throws {OffloopError} `OFFLOOP_ERR_FAMILIES_FULL`, `OFFLOOP_ERR_CATALOG_FULL`.
   */
  materialise(producer: Producer, maxSeriesPerMetric: number): void {
    const { entry } = this;
    this.limit = this.maxSeries ?? maxSeriesPerMetric;
    this.ownId = producer.catalog.addFamily(entry);
    this.producer = producer;
    if (entry.source !== undefined) return;
    const labels = formatLabels(
      entry.labelNames,
      entry.labelNames.map(() => OVERFLOW_LABEL),
    );
    const spare = producer.catalog.addSeries(this.ownId, labels);
    if (spare === undefined) {
      throw new OffloopError(
        'OFFLOOP_ERR_CATALOG_FULL',
        `memory.maxSeries, memory.catalogBytes and memory.aggregateBytes must leave room for a first series of each metric, got none for ${entry.name}`,
      );
    }
    this.spareSeries = spare;
    if (entry.labelNames.length === 0) this.linkSpare();
  }

  /** The series of a family without labels. */
  get onlySeries(): number {
    return this.spareSeries;
  }

  /**
   * Series of a label set given as an object.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_LABELS` for a label that the metric does not have.
   */
  seriesByObject(labels: LabelSet): number {
    const known = this.index.findByObject(labels);
    return known === undefined ? this.internObject(labels) : known;
  }

  /** Series of label values in the order of the names; `undefined` leaves a label out. */
  seriesByValues(values: readonly unknown[]): number {
    if (values.length === 0) return this.onlySeries;
    const known = this.index.findByValues(values);
    return known ?? this.intern(values);
  }

  /** Checks the number of values as prom-client does, and finds their series. */
  seriesByArguments(values: readonly unknown[]): number {
    const { labelNames } = this.entry;
    if (values.length !== labelNames.length) {
      throw new OffloopError(
        'OFFLOOP_ERR_LABELS',
        `Invalid number of arguments (${values.length}): "${values.join(', ')}" for label names (${labelNames.length}): "${labelNames.join(', ')}".`,
      );
    }
    return this.seriesByValues(values);
  }

  /**
   * A function of its own: closures that capture `labels` make V8 allocate a context for it at each call, 40 bytes, which the usual one
   * would then pay for as well (bench/core/record/allocation).
   */
  private internObject(labels: LabelSet): number {
    const { labelNames } = this.entry;
    for (const name of Object.keys(labels)) {
      if (!labelNames.includes(name)) {
        throw new OffloopError(
          'OFFLOOP_ERR_LABELS',
          `Added label "${name}" is not included in initial labelset: ${inspect(labelNames)}`,
        );
      }
    }
    // Own ones only: every object has a `constructor`, which may be a label's name.
    return this.seriesByValues(
      labelNames.map((name) => (Object.hasOwn(labels, name) ? labels[name] : undefined)),
    );
  }

  private intern(values: readonly unknown[]): number {
    // UTF-8 has no lone surrogates: two values that differ only in them would become one line twice, which loses the whole scrape.
    const texts = values.map((value) =>
      value === undefined || value === null ? undefined : String(value).toWellFormed(),
    );
    // A missing label and an empty one are the same to Prometheus, which would drop the second of two such lines.
    const keys = texts.map((text) => text ?? '');
    const known = this.index.findByValues(keys);
    const id = known ?? this.addSeries(texts, keys);
    // The number 200 and the text "200" are one series. Only values of which there are no more than texts are indexed as they are,
    // so the index stays as bounded as the series.
    if (
      id !== this.spareSeries &&
      values.some((value, index) => value !== keys[index]) &&
      values.every(isBoundedAlias)
    ) {
      this.index.add(values, id);
    }
    return id;
  }

  private addSeries(texts: readonly (string | undefined)[], keys: readonly string[]): number {
    // The overflow series' own label set, given by a caller: a second series of it would be one line twice.
    if (texts.every((text) => text === OVERFLOW_LABEL)) return this.overflowSeries();
    const producer = this.producer as Producer;
    const { catalog } = producer;
    const id =
      this.seriesCount < this.limit
        ? catalog.addSeries(this.ownId, formatLabels(this.entry.labelNames, texts))
        : undefined;
    if (id === undefined) {
      addToWideCounter(producer.segment.control, REFUSED, 1);
      return this.overflowSeries();
    }
    this.seriesCount++;
    this.index.add(keys, id);
    catalog.link(id);
    return id;
  }

  private overflowSeries(): number {
    if (!this.isSpareLinked) this.linkSpare();
    return this.spareSeries;
  }

  private linkSpare(): void {
    (this.producer as Producer).catalog.link(this.spareSeries);
    this.isSpareLinked = true;
  }
}

function isBoundedAlias(value: unknown): boolean {
  switch (typeof value) {
    case 'number':
    case 'boolean':
      return true;
    case 'string':
      return value.isWellFormed();
    default:
      // Not `undefined` either: it is also what the index finds in an object with a wrong name, which has to be refused.
      return false;
  }
}
