import { clearInterval, setInterval } from 'node:timers';
import type { ResolvedOptions } from '../config/options.js';
import type { Pipeline } from '../engine/pipeline.js';
import { describeError } from '../errors.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { type ExtendedHealth, extendedHealth } from './extended-health.js';
import { type HealthCheck, HealthChecks } from './health-checks.js';
import { HealthEvaluator } from './health-evaluator.js';
import { type HealthReport, healthReport } from './health-report.js';
import { type HealthChange, HealthStates } from './health-states.js';
import { reliabilityReport } from './reliability-report.js';
import { noteThresholds } from './thresholds.js';

/** Between two looks of the main thread's at what was found: each wake a second costs 0.03 to 0.05 % of a core (bench/footprint). */
const LOOK_MS = 5_000;

/**
 * Main's end of health: gives the evaluator its thresholds and, where there is no pool thread, its time; runs the application's checks; and tells of
 * what has changed. Nothing here keeps the process alive, or throws into the application.
 */
export class HealthMonitor {
  private readonly pipeline: Pipeline;
  private readonly evaluator: HealthEvaluator;
  private readonly checks: HealthChecks;
  private readonly states = new HealthStates();
  private readonly startedMs = performance.now();
  private readonly timer: NodeJS.Timeout;
  private options: ResolvedOptions;
  private isClosed = false;

  /** @param onCheckChange Called when a check has come or gone, or stands otherwise. Must not throw. */
  constructor(pipeline: Pipeline, options: ResolvedOptions, onCheckChange?: () => void) {
    this.pipeline = pipeline;
    this.options = options;
    this.evaluator = new HealthEvaluator(pipeline.producer.segment);
    this.checks = new HealthChecks(options.health, onCheckChange);
    this.configure(options);
    this.timer = setInterval(() => this.look(), LOOK_MS).unref();
  }

  configure(options: ResolvedOptions): void {
    this.options = options;
    this.checks.configure(options.health);
    noteThresholds(this.pipeline.producer.segment, options);
  }

  /** @see HealthChecks.add */
  addCheck(name: string, check: HealthCheck): () => void {
    return this.checks.add(name, check);
  }

  /** How the application's checks stand. */
  get checkResults(): HealthChecks['results'] {
    return this.checks.results;
  }

  /** As of now, from shared memory. */
  report(): HealthReport {
    this.evaluate();
    return this.read();
  }

  /** The same, with the snapshot and the reliability report. */
  extended(snapshot: Snapshot): ExtendedHealth {
    const report = this.report();
    return extendedHealth(this.pipeline.producer.segment, { report, snapshot });
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.timer);
    this.checks.close();
  }

  private read(): HealthReport {
    const { engine, producer } = this.pipeline;
    return healthReport(producer.segment, {
      engine: engine.kind,
      engineState: this.isClosed ? 'closed' : engine.state,
      uptimeSeconds: (performance.now() - this.startedMs) / 1000,
      checks: this.checks.results,
    });
  }

  /** What the timer does. */
  private look(): void {
    try {
      // The thread's clock is main's, and stands still where nothing is recorded.
      this.pipeline.producer.recorder.publishNow();
      this.evaluate();
      const { segment } = this.pipeline.producer;
      for (const change of this.states.changes(this.read(), reliabilityReport(segment))) {
        this.tell(change);
      }
    } catch (error) {
      this.complain(error);
    }
  }

  /** Where no thread does. */
  private evaluate(): void {
    const { engine } = this.pipeline;
    if (engine.kind === 'inline') this.pipeline.drainAtOnce(0);
    if (engine.kind === 'inline' || engine.state === 'degraded') this.evaluator.look();
  }

  private tell(change: HealthChange): void {
    const { onHealthChange } = this.options;
    const level = change.isWorse ? 'warn' : 'info';
    const details = { code: 'OFFLOOP_HEALTH', ...change };
    this.pipeline.logger[level](details, `offloop: ${change.message}`);
    if (onHealthChange !== '') this.guarded(() => onHealthChange(change));
  }

  private guarded(call: () => unknown): void {
    try {
      const result = call();
      // One that rejects would end the process.
      if (result instanceof Promise) result.catch((error: unknown) => this.complain(error));
    } catch (error) {
      this.complain(error);
    }
  }

  private complain(error: unknown): void {
    this.pipeline.logger.warn(
      { code: 'OFFLOOP_ERR_HEALTH_CHANGE', err: error },
      `offloop: telling of a change of health failed: ${describeError(error)}`,
    );
  }
}
