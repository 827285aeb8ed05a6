import type { Family, LabelSet } from './family.js';

/** Of no family: its series is still to be found. */
const NO_EPOCH = -1;

/**
 * The series of one label set, for callers that keep it: found at its first use, which is when it begins, and again when the family has
 * removed series since.
 */
export class BoundSeries {
  private readonly family: Family;
  private readonly values: readonly unknown[];
  private readonly order: readonly string[] | undefined;
  private epoch = NO_EPOCH;
  private seriesId = -1;

  /**
   * @param args Labels in prom-client's two forms: an object, or values in the order of the names.
   * @throws {OffloopError} `OFFLOOP_ERR_LABELS` for labels that the metric does not have.
   */
  constructor(family: Family, args: readonly unknown[]) {
    this.family = family;
    this.values = family.valuesByArguments(args);
    const [first] = args;
    this.order = typeof first === 'object' && first !== null ? Object.keys(first) : undefined;
  }

  get id(): number {
    return this.epoch === this.family.epoch ? this.seriesId : this.find();
  }

  /** The series that has further labels beside these, which they replace. */
  withLabels(labels: LabelSet): number {
    return this.family.seriesByObject({ ...this.family.labelsOf(this.values), ...labels });
  }

  private find(): number {
    this.seriesId = this.family.seriesByValues(this.values, this.order);
    // After the look-up, which may remove idle series.
    this.epoch = this.family.epoch;
    return this.seriesId;
  }
}
