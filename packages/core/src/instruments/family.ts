import { inspect } from 'node:util';
import { OffloopError } from '../errors.js';
import { seriesLabels, seriesOf } from '../layout/catalog-reader.js';
import { REFUSED } from '../layout/control-block.js';
import { addToWideCounter } from '../layout/wide-counter.js';
import type { FamilyEntry } from './catalog-writer.js';
import { IdleSeries } from './idle-series.js';
import { LabelIndex } from './label-index.js';
import { formatLabels, LABELS_BYTES_MAX, parseLabels } from './label-text.js';
import type { Producer } from './producer.js';

/** Value of every label of the series into which label sets beyond the limit fold. */
export const OVERFLOW_LABEL = '__overflow__';

/** A label set as callers give it. */
export type LabelSet = Readonly<Record<string, string | number>>;

/** What bounds a family's series. */
export interface FamilyLimits {
  /** Cardinality limit. Default: the option `maxSeriesPerMetric`. */
  readonly maxSeries?: number | undefined;
  /** Seconds without a record after which a series is removed. Default: never. */
  readonly maxIdleSeconds?: number | undefined;
}

/** What of the catalog is a family's: for letting go of it when the family itself cannot be asked any more. */
export interface FamilyHoldings {
  /** -1 before the memory is laid out, and after it was let go of. */
  id: number;
  /** Without labels the one series; with labels the overflow series, whose memory is set aside from the start. */
  spareSeries: number;
}

/**
 * A family on the producing thread: turns label sets into series ids.
 *
 * A family without labels has one series from the start; one with labels has each series from its first look-up.
 *
 * Removing and resetting give the label set another series, later: what is recorded before goes to the old id and what is recorded
 * after to the new one, so they take effect in order with the records around them and need no record of their own.
 */
export class Family {
  readonly entry: FamilyEntry;
  readonly holdings: FamilyHoldings = { id: -1, spareSeries: -1 };
  /** Registries that the family's metric is in. */
  holders = 0;
  private readonly index: LabelIndex;
  private readonly limits: FamilyLimits;
  private readonly idle: IdleSeries | undefined;
  private limit = 0;
  private producer: Producer | undefined;
  private seriesCount = 0;
  private isSpareLinked = false;
  private successor: Family | undefined;
  private ownEpoch = 0;

  constructor(entry: FamilyEntry, limits: FamilyLimits = {}) {
    this.entry = entry;
    this.limits = limits;
    this.index = new LabelIndex(entry.labelNames);
    const { maxIdleSeconds } = limits;
    this.idle = maxIdleSeconds === undefined ? undefined : new IdleSeries(maxIdleSeconds * 1000);
  }

  /** What it is, and not the memory that it leads to. */
  toJSON(): object {
    const { name, help, labelNames } = this.entry;
    return { name, help, labelNames };
  }

  /** Moves when ids that were found before may have lost their series. */
  get epoch(): number {
    // Only grows, with the successor's as well: the ids that are found here are then its.
    return this.successor === undefined ? this.ownEpoch : this.ownEpoch + this.successor.epoch;
  }

  /** Id in the catalog; -1 before the memory is laid out. */
  get id(): number {
    return this.successor?.id ?? this.holdings.id;
  }

  /**
   * Writes the family into the catalog. Called once, by its producer.
   *
   * @param maxSeriesPerMetric Cardinality limit of a family that has none of its own.
   * @throws {OffloopError} `OFFLOOP_ERR_FAMILIES_FULL`, `OFFLOOP_ERR_CATALOG_FULL`.
   */
  materialise(producer: Producer, maxSeriesPerMetric: number): void {
    const { entry } = this;
    this.limit = this.limits.maxSeries ?? maxSeriesPerMetric;
    this.producer = producer;
    this.holdings.id = producer.catalog.addFamily(entry);
    if (entry.source !== undefined) return;
    this.holdings.spareSeries = this.addSpare() ?? this.refuseSpare();
    if (entry.labelNames.length === 0) this.linkSpare();
  }

  /** The series of a family without labels. */
  get onlySeries(): number {
    return this.isSpareLinked ? this.holdings.spareSeries : this.linkSpare();
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

  /**
   * Series of label values in the order of the names; `undefined` leaves a label out.
   *
   * @param order In which a new series shows its labels, by their names. Default: that of the names.
   */
  seriesByValues(values: readonly unknown[], order?: readonly string[]): number {
    if (values.length === 0) return this.onlySeries;
    const known = this.index.findByValues(values);
    return known ?? this.intern(values, order);
  }

  /**
   * Label values in the order of the names, from prom-client's two forms: an object, or the values, whose number is checked as it does.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_LABELS` for labels that the metric does not have.
   */
  valuesByArguments(args: readonly unknown[]): readonly unknown[] {
    const first = args[0];
    const isObject = args.length === 1 && typeof first === 'object' && first !== null;
    return isObject ? this.valuesOf(first as LabelSet) : this.checkedValues(args);
  }

  /** The object form of label values in the order of the names. */
  labelsOf(values: readonly unknown[]): LabelSet {
    const pairs = this.entry.labelNames.map((name, index) => [name, values[index]] as const);
    return Object.fromEntries(pairs.filter(([, value]) => value !== undefined)) as LabelSet;
  }

  private checkedValues(values: readonly unknown[]): readonly unknown[] {
    const { labelNames } = this.entry;
    if (values.length !== labelNames.length) {
      throw new OffloopError(
        'OFFLOOP_ERR_LABELS',
        `Invalid number of arguments (${values.length}): "${values.join(', ')}" for label names (${labelNames.length}): "${labelNames.join(', ')}".`,
      );
    }
    return values;
  }

  /**
   * Removes the series of these labels, given as an object or as values in the order of the names. Records of them that come later begin
   * another one, at zero.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_LABELS` for labels that the metric does not have.
   */
  remove(args: readonly unknown[]): void {
    const values = this.valuesByArguments(args);
    if (this.successor !== undefined) {
      this.successor.remove(values);
    } else if (values.length === 0) {
      if (!this.replaceSpare({ isToBeSeen: false })) this.refuseSpare();
    } else {
      const removed = this.index.remove(values.map((value) => textOf(value) ?? ''));
      if (removed !== undefined) this.removeSeries(removed);
      else if (values.every((value) => value === OVERFLOW_LABEL) && this.isSpareLinked) {
        if (!this.replaceSpare({ isToBeSeen: false })) this.refuseSpare();
      }
    }
  }

  /**
   * Removes every series; a family without labels goes on with a series at zero. Where memory is full, the overflow series of one with labels goes
   * on as it is: what is removed gives its memory back only when the drain has passed it.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_CATALOG_FULL` when memory has no room for the series of one without labels.
   */
  reset(): void {
    const { producer } = this;
    if (this.successor !== undefined) this.successor.reset();
    if (this.successor !== undefined || producer === undefined) return;
    if (this.entry.labelNames.length > 0) {
      this.index.clear();
      for (const id of seriesOf(producer.segment, this.holdings.id)) {
        if (id !== this.holdings.spareSeries) this.removeSeries(id);
      }
      if (this.isSpareLinked) this.replaceSpare({ isToBeSeen: false });
    } else if (!this.isSpareLinked) {
      this.linkSpare();
    } else if (!this.replaceSpare({ isToBeSeen: true })) {
      this.refuseSpare();
    }
  }

  /** Removes the series that no record has named for as long as the family's limit says. */
  removeIdle(): void {
    const { producer, idle } = this;
    if (idle === undefined || producer === undefined || this.successor !== undefined) return;
    const { segment, recorder } = producer;
    const ids = seriesOf(segment, this.holdings.id);
    for (const id of idle.find(segment, { ids, sequence: recorder.sequence() })) {
      if (id === this.holdings.spareSeries) this.replaceSpare({ isToBeSeen: false });
      else {
        this.index.remove(this.textsOf(id));
        this.removeSeries(id);
      }
    }
  }

  /** Whether the catalog could not tell the two from each other. */
  isLike(other: Family): boolean {
    return JSON.stringify(this.entry) === JSON.stringify(other.entry);
  }

  /** Leaves its place in the catalog to another family that is the same, and counts there from now on. */
  giveWayTo(successor: Family): void {
    const { producer, holdings, entry } = this;
    if (producer === undefined || holdings.id === -1) return;
    producer.catalog.abandonFamily(entry, holdings, producer.recorder.sequence());
    this.successor = successor;
    this.isSpareLinked = false;
    this.index.clear();
    this.ownEpoch++;
  }

  /**
   * A function of its own: closures that capture `labels` make V8 allocate a context for it at each call, 40 bytes, which the usual one
   * would then pay for as well (bench/core/record/allocation).
   */
  private internObject(labels: LabelSet): number {
    return this.seriesByValues(this.valuesOf(labels), Object.keys(labels));
  }

  private valuesOf(labels: LabelSet): unknown[] {
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
    return labelNames.map((name) => (Object.hasOwn(labels, name) ? labels[name] : undefined));
  }

  private intern(values: readonly unknown[], order: readonly string[] | undefined): number {
    if (this.successor !== undefined) return this.successor.seriesByValues(values, order);
    const texts = values.map(textOf);
    // Before anything is looked up or kept: what is too long for memory is too long for the index's heap as well.
    if (isTooLong(texts)) return this.refused();
    // A missing label and an empty one are the same to Prometheus, which would drop the second of two such lines.
    const keys = texts.map((text) => text ?? '');
    const known = this.index.findByValues(keys);
    const id = known ?? this.addSeries({ texts, keys, order });
    // The number 200 and the text "200" are one series. Only values of which there are no more than texts are indexed as they are,
    // so the index stays as bounded as the series.
    if (
      id !== this.holdings.spareSeries &&
      values.some((value, index) => value !== keys[index]) &&
      values.every(isBoundedAlias)
    ) {
      this.index.add(values, id);
    }
    return id;
  }

  private addSeries({
    texts,
    keys,
    order,
  }: {
    readonly texts: readonly (string | undefined)[];
    readonly keys: readonly string[];
    readonly order: readonly string[] | undefined;
  }): number {
    // The overflow series' own label set, given by a caller: a second series of it would be one line twice.
    if (texts.every((text) => text === OVERFLOW_LABEL)) return this.overflowSeries();
    if (this.seriesCount >= this.limit) this.removeIdle();
    if (this.seriesCount >= this.limit) return this.refused();
    const labels = this.shown(texts, order);
    if (Buffer.byteLength(labels) > LABELS_BYTES_MAX) return this.refused();
    const { catalog } = this.producer as Producer;
    const id = catalog.addSeries(this.holdings.id, labels);
    if (id === undefined) return this.refused();
    this.seriesCount++;
    this.index.add(keys, id);
    catalog.link(id);
    return id;
  }

  /** The overflow series, for a label set that has no series of its own. */
  private refused(): number {
    addToWideCounter((this.producer as Producer).segment.control, REFUSED, 1);
    return this.overflowSeries();
  }

  /** In the caller's order, as prom-client has it: tests that look for a line go on finding it. */
  private shown(
    texts: readonly (string | undefined)[],
    order: readonly string[] | undefined,
  ): string {
    const { labelNames } = this.entry;
    if (order === undefined) return formatLabels(labelNames, texts);
    return formatLabels(
      order,
      order.map((name) => texts[labelNames.indexOf(name)]),
    );
  }

  private overflowSeries(): number {
    return this.isSpareLinked ? this.holdings.spareSeries : this.linkSpare();
  }

  private linkSpare(): number {
    if (this.successor !== undefined) return this.successor.onlySeries;
    const { spareSeries } = this.holdings;
    (this.producer as Producer).catalog.link(spareSeries);
    this.isSpareLinked = true;
    return spareSeries;
  }

  private addSpare(): number | undefined {
    const { labelNames } = this.entry;
    const labels = formatLabels(
      labelNames,
      labelNames.map(() => OVERFLOW_LABEL),
    );
    return (this.producer as Producer).catalog.addSeries(this.holdings.id, labels);
  }

  private refuseSpare(): never {
    throw new OffloopError(
      'OFFLOOP_ERR_CATALOG_FULL',
      `memory.maxSeries, memory.catalogBytes and memory.aggregateBytes must leave room for a first series of each metric, got none for ${this.entry.name}`,
    );
  }

  /**
   * The new one is made before the old one goes: there is never none.
   *
   * @returns `false` when memory has no room for it: then nothing is done.
   */
  private replaceSpare({ isToBeSeen }: { readonly isToBeSeen: boolean }): boolean {
    const { holdings } = this;
    if (this.producer === undefined) return true;
    const before = holdings.spareSeries;
    const spare = this.addSpare();
    if (spare === undefined) return false;
    holdings.spareSeries = spare;
    this.producer.catalog.removeSeries(before, this.producer.recorder.sequence());
    this.idle?.forget(before);
    this.isSpareLinked = false;
    this.ownEpoch++;
    if (isToBeSeen) this.linkSpare();
    return true;
  }

  private removeSeries(id: number): void {
    const { catalog, recorder } = this.producer as Producer;
    catalog.removeSeries(id, recorder.sequence());
    this.idle?.forget(id);
    this.seriesCount--;
    this.ownEpoch++;
  }

  private textsOf(seriesId: number): string[] {
    const labels = parseLabels(seriesLabels((this.producer as Producer).segment, seriesId));
    return this.entry.labelNames.map((name) =>
      Object.hasOwn(labels, name) ? (labels[name] as string) : '',
    );
  }
}

/** A label's value as the index has it; `undefined` for a label that is left out. */
function textOf(value: unknown): string | undefined {
  // UTF-8 has no lone surrogates: two values that differ only in them would become one line twice, which loses the whole scrape.
  return value === undefined || value === null ? undefined : String(value).toWellFormed();
}

/** Told by characters, of which each is a byte at least: so that a megabyte is not formatted first. */
function isTooLong(texts: readonly (string | undefined)[]): boolean {
  let characters = 0;
  for (const text of texts) characters += text?.length ?? 0;
  return characters > LABELS_BYTES_MAX;
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
