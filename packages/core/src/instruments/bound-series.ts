import type { Family } from './family.js';

/**
 * The series of one label set, for callers that keep it: found once, and again when the family has removed series since.
 */
export class BoundSeries {
  private readonly family: Family;
  private readonly values: readonly unknown[];
  private epoch: number;
  private seriesId: number;

  /** @param values In the order of the label names. */
  constructor(family: Family, values: readonly unknown[]) {
    this.family = family;
    this.values = values;
    this.seriesId = family.seriesByValues(values);
    // After the look-up, which may remove idle series.
    this.epoch = family.epoch;
  }

  get id(): number {
    return this.epoch === this.family.epoch ? this.seriesId : this.find();
  }

  private find(): number {
    this.seriesId = this.family.seriesByValues(this.values);
    this.epoch = this.family.epoch;
    return this.seriesId;
  }
}
