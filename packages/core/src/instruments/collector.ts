/** Brings a metric up to date before it is read: prom-client's `collect`. `this` is the metric. */
export type CollectFunction<Self> = (this: Self) => void | Promise<void>;

/** prom-client's name for what collects. */
export type Collector = () => void;

/** What may have a collector. */
export interface Collected {
  readonly name: string;
  readonly collect?: (() => void | Promise<void>) | undefined;
}

/**
 * Runs the collectors of metrics at the same time, on this thread.
 *
 * @throws What the first collector that fails throws; the others go on by themselves.
 */
export async function collectAll(metrics: Iterable<Collected>): Promise<void> {
  const runs: Promise<void>[] = [];
  for (const metric of metrics) if (metric.collect !== undefined) runs.push(collectOne(metric));
  await Promise.all(runs);
}

/** Asynchronous, so that a collector that throws at once takes no other along. */
export async function collectOne(metric: Collected): Promise<void> {
  await metric.collect?.();
}
