import type { Metric, Registry } from '@offloop/core';

/**
 * What a registry has of the requests. `register.clear()` takes it out; peers make new metrics with each middleware, and tests clear the register
 * before each, so a middleware that is made after that puts these back.
 */
export class OwnMetrics {
  private readonly register: Registry;
  private readonly metrics: readonly Metric[];

  /** @param before What the registry held before they were made. */
  constructor(register: Registry, before: ReadonlySet<Metric>) {
    this.register = register;
    this.metrics = register.getMetricsAsArray().filter((metric) => !before.has(metric));
  }

  /** Whether none is left: one that was taken out alone was not wanted. */
  get areCleared(): boolean {
    const { metrics, register } = this;
    return (
      metrics.length > 0 &&
      metrics.every((metric) => register.getSingleMetric(metric.name) !== metric)
    );
  }

  /** Puts them back, from zero, but for those whose name is another's by now. */
  restore(): void {
    for (const metric of this.metrics) {
      if (this.register.getSingleMetric(metric.name) !== undefined) continue;
      metric.reset();
      this.register.registerMetric(metric);
    }
  }
}
