import { Counter, type Registry, type ResolvedOptions } from '@offloop/core';
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
  classify: ErrorClassifier;
  readonly #counters: readonly Counter[];
  readonly #hasMethod: boolean;
  readonly #hasRoute: boolean;

  /** @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC`, `OFFLOOP_ERR_METRIC_CONFIG` */
  constructor(
    registry: Registry,
    { metricNames, labelNames }: ResolvedOptions,
    classify: ErrorClassifier,
  ) {
    const { method, route } = labelNames;
    this.classify = classify;
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
  }

  /** Counts it, if it is a failure. */
  count(failure: Failure, { method, route }: FailurePlace): void {
    if (this.#counters.length === 0) return;
    const name = this.classify(failure);
    if (name === undefined) return;
    const values: string[] = [];
    if (this.#hasMethod) values.push(method);
    if (this.#hasRoute) values.push(route);
    values.push(name);
    for (const counter of this.#counters) {
      counter.pipeline.producer.recorder.record(counter.family.seriesByValues(values), 1);
    }
  }
}
