import { describeError } from '../errors.js';
import type { Logger } from '../logger.js';
import { type Collected, collectOne } from './collector.js';

/** Half of Prometheus' default scrape timeout, so that the page still arrives in time. */
const COLLECT_MS_MAX = 5_000;

/** Between two warnings of one metric. */
const WARNING_MS = 60_000;

/**
 * Runs collectors for a scrape, where no failure may cost the page: what a collector could not bring up to date is shown as it was, the
 * failure is counted, and a line to the logger names the metric, once a minute at most.
 *
 * A collector that is still at work when the next scrape comes is waited for and not started again: one that hangs cannot pile up.
 */
export class ScrapeCollectors {
  private readonly running = new Map<Collected, Promise<unknown>>();
  private readonly warnedMs = new WeakMap<Collected, number>();
  private readonly countFailure: () => void;
  private readonly logger: Logger;
  private readonly timeoutMs: number;

  constructor(
    countFailure: () => void,
    of: { readonly logger: Logger; readonly timeoutMs?: number },
  ) {
    this.countFailure = countFailure;
    this.logger = of.logger;
    this.timeoutMs = of.timeoutMs ?? COLLECT_MS_MAX;
  }

  /** Resolves when every collector is done, has failed, or had its time. Never rejects. */
  async run(metrics: Iterable<Collected>): Promise<void> {
    const runs = new Map<Collected, Promise<unknown>>();
    for (const metric of metrics) {
      if (metric.collect !== undefined) runs.set(metric, this.runOf(metric));
    }
    if (runs.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.timeoutMs);
      timer.unref();
    });
    await Promise.race([Promise.all(runs.values()), timeout]);
    clearTimeout(timer);
    for (const [metric, run] of runs) {
      if (this.running.get(metric) === run) {
        this.failed(metric, `it was not done after ${this.timeoutMs} ms`);
      }
    }
  }

  private runOf(metric: Collected): Promise<unknown> {
    let run = this.running.get(metric);
    if (run === undefined) {
      run = collectOne(metric)
        .catch((error: unknown) => this.failed(metric, error))
        .finally(() => this.running.delete(metric));
      this.running.set(metric, run);
    }
    return run;
  }

  private failed(metric: Collected, reason: unknown): void {
    this.countFailure();
    const nowMs = performance.now();
    const warnedMs = this.warnedMs.get(metric) ?? Number.NEGATIVE_INFINITY;
    if (nowMs - warnedMs < WARNING_MS) return;
    this.warnedMs.set(metric, nowMs);
    this.logger.warn(
      { code: 'OFFLOOP_ERR_COLLECT', metric: metric.name, err: reason },
      `offloop: collect() of ${metric.name} failed, and the page shows the values from before: ${describeError(reason)}`,
    );
  }
}
