import { methodLabel, statusLabel } from './http-labels.js';
import type { SeriesSource } from './http-sink.js';
import { UNMATCHED } from './route-templates.js';

/** One route template, and the ids of its series by method and status: found without touching a string. */
export class RouteSeries {
  readonly template: string;
  readonly #ids = new Map<string, Map<number, number>>();
  // Requests to a route are of one method and end with one status, as a rule.
  #lastMethod: string | undefined;
  #lastStatus = 0;
  #lastId = 0;
  #epoch = -1;
  readonly #failures: RouteSeries[] = [];

  constructor(template: string) {
    this.template = template;
  }

  /** The same of the route's failures in one of several counters. */
  failures(counterIndex: number): RouteSeries {
    let series = this.#failures[counterIndex];
    if (series === undefined) {
      series = new RouteSeries(this.template);
      this.#failures[counterIndex] = series;
    }
    return series;
  }

  idOf(sink: SeriesSource, method: string | undefined, status: number): number {
    const isCurrent = sink.seriesEpoch === this.#epoch;
    if (isCurrent && status === this.#lastStatus && method === this.#lastMethod)
      return this.#lastId;
    if (!isCurrent) this.#ids.clear();
    const label = methodLabel(method, this.template !== UNMATCHED);
    const ids = this.#ids.get(label) ?? new Map<number, number>();
    let id = ids.get(status);
    if (id === undefined) {
      id = sink.seriesIdOf(label, this.template, statusLabel(status));
      // Kept only now, as the call may throw.
      ids.set(status, id);
      this.#ids.set(label, ids);
    }
    this.#epoch = sink.seriesEpoch;
    this.#lastMethod = method;
    this.#lastStatus = status;
    this.#lastId = id;
    return id;
  }
}
