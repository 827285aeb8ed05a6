import { OffloopError, showValue } from '../errors.js';
import { FamilyKind, OpenMetricsType } from '../layout/catalog.js';
import { seriesBlock } from '../layout/catalog-reader.js';
import { writeLiveValue } from '../record/live-value.js';
import type { CollectFunction } from './collector.js';
import { existingMetric } from './existing-metric.js';
import { Metric, type MetricKind } from './metric.js';
import {
  type LabelValues,
  type MetricConfiguration,
  validateLabelName,
} from './metric-configuration.js';

/** Configuration of a state set. */
export interface StateSetConfiguration<T extends string, S extends string>
  extends MetricConfiguration<T> {
  /** The states there are, at least one, each once. */
  readonly states: readonly S[];
  /** Brings the states up to date before they are read; `this` is the state set. What it throws rejects the reading. */
  readonly collect?: CollectFunction<StateSet<T, S>> | undefined;
}

const KIND: MetricKind = {
  type: 'gauge',
  kind: FamilyKind.liveGauge,
  openMetricsType: OpenMetricsType.stateSet,
};

/**
 * Which of several states something is in: a gauge with a sample for each state, 1 where it holds and else 0, and in OpenMetrics of type
 * stateset. The label that names the state is called like the metric.
 *
 * @example
 * const breaker = new StateSet({ name: 'breaker', help: 'Circuit breaker.', states: ['closed', 'open', 'half_open'] });
 * breaker.set('open'); // breaker{breaker="open"} 1, the others 0
 */
export class StateSet<T extends string = string, S extends string = string> extends Metric<string> {
  readonly states: readonly S[];

  /** @throws {OffloopError} `OFFLOOP_ERR_METRIC_CONFIG` */
  constructor(config: StateSetConfiguration<T, S>) {
    super(gaugeConfiguration(config), KIND);
    this.states = [...config.states];
  }

  /**
   * The state set that is registered under this configuration, or a new one: a module that is loaded again goes on with the one it made.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC` when the name belongs to a metric of another configuration.
   */
  static getOrCreate<T extends string = string, S extends string = string>(
    config: StateSetConfiguration<T, S>,
  ): StateSet<T, S> {
    const found = existingMetric<StateSet<T, S>>(gaugeConfiguration(config), KIND);
    if (found !== undefined && String(found.states) !== String(config.states)) {
      throw new OffloopError(
        'OFFLOOP_ERR_DUPLICATE_METRIC',
        `A metric with the name ${config.name} has already been registered with other states: ${showValue(found.states)}, got ${showValue(config.states)}`,
      );
    }
    return found ?? new StateSet(config);
  }

  /**
   * Sets one state to 1 and every other to 0.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_VALUE` for a state that there is not, `OFFLOOP_ERR_LABELS` for a wrong label.
   */
  set(state: S): void;
  /** The same of the states with these labels. */
  set(labels: LabelValues<T>, state: S): void;
  set(...args: [S] | [LabelValues<T>, S]): void {
    const [labels, state] = args.length === 1 ? [{}, args[0]] : args;
    this.refuseUnknown(state);
    for (const each of this.states) this.write(labels, each, each === state);
  }

  /**
   * Sets one state and leaves the others as they are, for states that may hold at the same time. Those that were never set do not hold.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_VALUE` for a state that there is not, `OFFLOOP_ERR_LABELS` for a wrong label.
   */
  toggle(state: S, isOn: boolean): void;
  /** The same of the states with these labels. */
  toggle(labels: LabelValues<T>, state: S, isOn: boolean): void;
  toggle(...args: [S, boolean] | [LabelValues<T>, S, boolean]): void {
    const [labels, state, isOn] = args.length === 2 ? [{}, ...args] : args;
    this.refuseUnknown(state);
    for (const each of this.states) this.idOf(labels, each);
    this.write(labels, state, isOn);
  }

  private write(labels: LabelValues<T>, state: S, isOn: boolean): void {
    const { segment } = this.pipeline.producer;
    writeLiveValue(segment, seriesBlock(segment, this.idOf(labels, state)), isOn ? 1 : 0);
  }

  private idOf(labels: LabelValues<T>, state: S): number {
    // Laid out at the first use; what it was before then has no ids.
    void this.pipeline.producer;
    return this.family.seriesByObject({
      ...(labels as Record<string, string>),
      [this.name]: state,
    });
  }

  private refuseUnknown(state: unknown): void {
    if ((this.states as readonly unknown[]).includes(state)) return;
    throw new OffloopError(
      'OFFLOOP_ERR_VALUE',
      `state must be one of ${showValue(this.states)}, got ${showValue(state)}`,
    );
  }
}

function gaugeConfiguration<T extends string, S extends string>(
  config: StateSetConfiguration<T, S>,
): MetricConfiguration<string> {
  // What is no object is refused, with its message, where all metrics are checked.
  if (typeof config !== 'object' || config === null) return config;
  const { states, ...common } = config;
  const isList =
    Array.isArray(states) &&
    states.length > 0 &&
    states.every((state) => typeof state === 'string' && state !== '') &&
    new Set(states).size === states.length;
  if (!isList) {
    throw new OffloopError(
      'OFFLOOP_ERR_METRIC_CONFIG',
      `states must be an array of texts, each once, at least one, got ${showValue(states)}`,
    );
  }
  const isLabelName =
    config.utf8Names === true ? !String(config.name).includes(':') : validateLabelName(config.name);
  if (typeof config.name === 'string' && config.name !== '' && !isLabelName) {
    throw new OffloopError(
      'OFFLOOP_ERR_METRIC_CONFIG',
      `name must also be a label's name, as it is that of the label with the state, got ${config.name}`,
    );
  }
  return { ...common, labelNames: [...(config.labelNames ?? []), config.name] };
}
