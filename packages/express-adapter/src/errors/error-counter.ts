import { Counter, type Registry, type ResolvedOptions } from '@offloop/core';
import type { SeriesSource } from '../middleware/http-sink.js';
import type { RouteSeries } from '../middleware/route-series.js';
import type { ErrorClassifier, Failure } from './error-class.js';

/** The label of an error's class. */
const CLASS_LABEL = 'class';

/** Where a failure happened. */
interface FailurePlace {
  readonly method: string;
  readonly route: string;
}

/**
 * Counts failed requests by class, in a counter of its own: as a label of the durations it would multiply their series.
 */
export class ErrorCounter {
  #classify: ErrorClassifier;
  /** Moves with the classifier: what was found by another one holds no more. */
  #version = 0;
  readonly #counters: readonly Counter[];
  /** One a counter, of failures of which only the status is known. */
  readonly #byStatus: readonly SeriesSource[];
  readonly #hasMethod: boolean;
  readonly #hasRoute: boolean;

  /** @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC`, `OFFLOOP_ERR_METRIC_CONFIG` */
  constructor(
    registry: Registry,
    { metricNames, labelNames }: ResolvedOptions,
    classify: ErrorClassifier,
  ) {
    const { method, route } = labelNames;
    this.#classify = classify;
    this.#hasMethod = method !== false;
    this.#hasRoute = route !== false;
    this.#counters = metricNames.errors.map(
      (name) =>
        new Counter({
          name,
          help: 'HTTP requests that failed, by class of error.',
          labelNames: [method, route, CLASS_LABEL].filter((each) => each !== false),
          registers: [registry],
        }),
    );
    this.#byStatus = this.#counters.map((counter) => this.#sourceOf(counter));
  }

  /** Gives failures other classes from now on. */
  set classify(classify: ErrorClassifier) {
    this.#classify = classify;
    this.#version += 1;
  }

  /** Counts it, if it is a failure. */
  count(failure: Failure, { method, route }: FailurePlace): void {
    if (this.#counters.length === 0) return;
    const name = this.#classify(failure);
    if (name === undefined) return;
    for (const counter of this.#counters) {
      const values = this.#valuesOf(method, route, name);
      counter.pipeline.producer.recorder.record(counter.family.seriesByValues(values), 1);
    }
  }

  /** Counts a failure of which only the status is known, from 400 on: a flood of them allocates nothing. Never throws. */
  countStatus(route: RouteSeries, method: string | undefined, status: number): void {
    try {
      for (let index = 0; index < this.#byStatus.length; index++) {
        const source = this.#byStatus[index] as SeriesSource;
        const { recorder } = (this.#counters[index] as Counter).pipeline.producer;
        recorder.record(route.failures(index).idOf(source, method, status), 1);
      }
    } catch {
      // The request itself is counted all the same.
    }
  }

  #sourceOf({ family }: Counter): SeriesSource {
    const versionOf = (): number => this.#version;
    return {
      // Both only grow, so no other pair has this sum later.
      get seriesEpoch() {
        return family.epoch + versionOf();
      },
      seriesIdOf: (method, route, statusCode) => {
        const name = this.#classify({ status: Number(statusCode) }) ?? 'server';
        return family.seriesByValues(this.#valuesOf(method, route, name));
      },
    };
  }

  #valuesOf(method: string, route: string, name: string): string[] {
    const place = [...(this.#hasMethod ? [method] : []), ...(this.#hasRoute ? [route] : [])];
    return [...place, name];
  }
}
