import { type Engine, readLoopWatch, type Segment, totalsOf } from '@offloop/core/engine';
import type { MainLine } from './main-line.js';

/** An answer in JSON. */
export interface HealthAnswer {
  readonly status: number;
  readonly json: object;
}

/** A main thread that has not answered for so long gets no further requests. */
const READY_BLOCKED_MS_MAX = 1_000;

/** What the port says of the process's health, and of how main's loop does: by its beat in shared memory, or where that is off by whether main answers. */
export class PortHealth {
  private readonly segment: Segment;
  private readonly line: MainLine;
  private readonly engine: Engine['kind'];

  constructor(of: {
    readonly segment: Segment;
    readonly line: MainLine;
    readonly engine: Engine['kind'];
  }) {
    this.segment = of.segment;
    this.line = of.line;
    this.engine = of.engine;
  }

  /** `/health`: schema/health.schema.json. */
  async health(): Promise<HealthAnswer> {
    const main = await this.main();
    const { backlogRecords, droppedRecords } = totalsOf(this.segment);
    const json = {
      status: 'ok',
      engine: this.engine,
      // A thread that is being replaced does not answer.
      engine_state: 'running',
      uptime_seconds: Math.max(0, Date.now() - this.line.latest.facts.startedMs) / 1000,
      backlog_records: backlogRecords,
      dropped_records: droppedRecords,
      ...main,
    };
    return { status: 200, json };
  }

  /** `/health/live`: that somebody answers is the answer; how the main thread does stands in it. */
  async live(): Promise<HealthAnswer> {
    return { status: 200, json: { status: 'ok', ...(await this.main()) } };
  }

  /** `/health/ready`: 503 while the main thread is blocked. */
  async ready(): Promise<HealthAnswer> {
    const main = await this.main();
    const isReady = main.main_blocked_ms < READY_BLOCKED_MS_MAX;
    const reasons = isReady ? [] : ['main_blocked'];
    return {
      status: isReady ? 200 : 503,
      json: { status: isReady ? 'ok' : 'unready', reasons, ...main },
    };
  }

  private async main() {
    const { blockedMs, blockedBy } = readLoopWatch(this.segment);
    if (blockedMs !== null) return { main_blocked_ms: blockedMs, main_blocked_by: blockedBy };
    await this.line.ping();
    return { main_blocked_ms: this.line.unansweredMs, main_blocked_by: null };
  }
}
