import {
  type Engine,
  extendedHealth,
  type HealthReport,
  healthReport,
  isServing,
  readLoopWatch,
  type Segment,
  SnapshotReader,
} from '@offloop/core/engine';
import type { MainLine } from './main-line.js';

/** An answer in JSON. */
export interface HealthAnswer {
  readonly status: number;
  readonly json: object;
}

/** A main thread that has not answered for so long gets no further requests. */
const READY_BLOCKED_MS_MAX = 1_000;

/** How main's loop does. */
interface MainHealth {
  readonly main_blocked_ms: number;
  readonly main_blocked_by: string | null;
}

/** What the port says of the process's health, and of how main's loop does: by its beat in shared memory, or where that is off by whether main answers. */
export class PortHealth {
  private readonly segment: Segment;
  private readonly line: MainLine;
  private readonly engine: Engine['kind'];
  private readonly drain: () => void;
  private readonly snapshots: SnapshotReader;

  constructor(of: {
    readonly segment: Segment;
    readonly line: MainLine;
    readonly engine: Engine['kind'];
    readonly drain: () => void;
  }) {
    this.segment = of.segment;
    this.line = of.line;
    this.engine = of.engine;
    this.drain = of.drain;
    this.snapshots = new SnapshotReader(of.segment);
  }

  /** `/health`: schema/health.schema.json. */
  async health(): Promise<HealthAnswer> {
    const main = await this.main();
    const report = this.report(main);
    return { status: isServing(report) ? 200 : 503, json: { ...report, ...main } };
  }

  /** `/health/extended`: the same with a snapshot, everything published before the call included, and the reliability report. */
  async extended(): Promise<HealthAnswer> {
    const { facts } = await this.line.refresh();
    this.drain();
    const main = await this.main();
    const report = this.report(main);
    const read = this.snapshots.read(facts);
    const process = { ...read.process, heapUsedBytes: facts.heapUsedBytes };
    const extended = extendedHealth(this.segment, { report, snapshot: { ...read, process } });
    return { status: isServing(report) ? 200 : 503, json: { ...extended, ...main } };
  }

  /** `/health/live`: that somebody answers is the answer; how the main thread does stands in it. */
  async live(): Promise<HealthAnswer> {
    return { status: 200, json: { status: 'ok', ...(await this.main()) } };
  }

  /** `/health/ready`: 503 while `/health` says so, and while the main thread is blocked. */
  async ready(): Promise<HealthAnswer> {
    const main = await this.main();
    const report = this.report(main);
    const reasons: string[] = isServing(report) ? [] : report.reasons.map(({ code }) => code);
    if (main.main_blocked_ms >= READY_BLOCKED_MS_MAX) reasons.unshift('main_blocked');
    const isReady = reasons.length === 0;
    return {
      status: isReady ? 200 : 503,
      json: { status: isReady ? 'ok' : 'unready', reasons, ...main },
    };
  }

  private report(main: MainHealth): HealthReport {
    const { facts } = this.line.latest;
    return healthReport(this.segment, {
      engine: this.engine,
      // A thread that is being replaced does not answer.
      engineState: 'running',
      uptimeSeconds: Math.max(0, Date.now() - facts.startedMs) / 1000,
      checks: facts.checks,
      unansweredMs: main.main_blocked_ms,
    });
  }

  private async main(): Promise<MainHealth> {
    const { blockedMs, blockedBy } = readLoopWatch(this.segment);
    if (blockedMs !== null) return { main_blocked_ms: blockedMs, main_blocked_by: blockedBy };
    await this.line.ping();
    return { main_blocked_ms: this.line.unansweredMs, main_blocked_by: null };
  }
}
