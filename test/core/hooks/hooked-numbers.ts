import { Pipeline, Registry } from '@offloop/core';

/** A registry with a pipeline of its own, and what it says. */
export class HookedNumbers {
  readonly pipeline: Pipeline;
  readonly register: Registry;

  constructor() {
    this.pipeline = new Pipeline();
    this.pipeline.configure({ engine: 'inline' });
    this.register = new Registry(this.pipeline);
  }

  /** Samples of a metric, as `label values` → value: `hits` of `a` and operation `get` read `a get`. */
  async samples(name: string): Promise<Record<string, number>> {
    const metric = this.register.getSingleMetric(name);
    if (metric === undefined) throw new Error(`${name} is not registered`);
    const { values } = await metric.get();
    return Object.fromEntries(
      values
        .filter(({ metricName }) => metricName === undefined || metricName === name)
        .map(({ labels, value }) => [Object.values(labels).join(' '), value]),
    );
  }

  /** Number of observations of a histogram, in the same form. */
  async counts(name: string): Promise<Record<string, number>> {
    const { values } = await (
      this.register.getSingleMetric(name) as NonNullable<ReturnType<Registry['getSingleMetric']>>
    ).get();
    return Object.fromEntries(
      values
        .filter(({ metricName }) => metricName === `${name}_count`)
        .map(({ labels, value }) => [Object.values(labels).join(' '), value]),
    );
  }

  /** Hits, misses and calls of one cache. */
  async cache(name: string): Promise<{
    readonly hits: number;
    readonly misses: number;
    readonly calls: Record<string, number>;
  }> {
    const hits = await this.samples('cache_hits_total');
    const misses = await this.samples('cache_misses_total');
    const calls = Object.entries(await this.counts('cache_operation_duration_seconds'))
      .filter(([key]) => key.startsWith(`${name} `))
      .map(([key, count]) => [key.slice(name.length + 1), count]);
    return {
      hits: hits[name] ?? 0,
      misses: misses[name] ?? 0,
      calls: Object.fromEntries(calls),
    };
  }
}
