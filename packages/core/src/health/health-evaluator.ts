import { CLOCK_TICK } from '../layout/control-block.js';
import * as layout from '../layout/health.js';
import type { Segment } from '../layout/segment.js';
import { judgeCaches } from './cache-efficiency.js';
import type { Judgement } from './finding.js';
import { type FindingName, noteFindings } from './findings.js';
import { HealthHistory } from './health-history.js';
import { HealthSource } from './health-source.js';
import type { Patience } from './hysteresis.js';
import { judgeLag } from './lag-excess.js';
import { judgeErrors, judgeRecentLag, type RecentTraffic } from './load-conditions.js';
import { isTellable, JUDGED_SHARES, judgeLatency } from './percentile-regression.js';
import type { SketchWindow } from './sketch-window.js';
import { judgeVolume } from './volume-anomaly.js';

/** Between two looks at what a load balancer asks for. */
const LOOK_TICKS = 50;
/** Steps of a window. A window of a few seconds has fewer, so that a look a second is enough. */
const STEPS = 6;
const STEP_TICKS_MIN = 10;

/** An alarm takes 10 s to be raised, and 15 s to be over. */
const LOOK_PATIENCE: Patience = { enterAfter: 2, leaveAfter: 3 };
/** A third of a window to be raised, and half a one to be over. */
const STEP_PATIENCE: Patience = { enterAfter: 2, leaveAfter: 3 };

const MS_PER_SECOND = 1000;

/**
 * Judges the service's health from shared memory, and writes what it finds there: whoever drains runs it, so it costs the main thread nothing where
 * there is a pool thread. Time is the producer's. All that it remembers lies in shared memory, so a thread that takes over goes on where the last was.
 */
export class HealthEvaluator {
  private readonly segment: Segment;
  private readonly source: HealthSource;
  private readonly history: HealthHistory;
  private readonly clock: () => number;
  private nextTick = 0;
  private hasFailed = false;

  /** @param clock Unix time, ms; for tests. */
  constructor(segment: Segment, clock: () => number = Date.now) {
    this.segment = segment;
    this.source = new HealthSource(segment);
    this.history = new HealthHistory(segment);
    this.clock = clock;
  }

  /** Judges what is due, if anything is; else it compares two numbers. Never throws. */
  readonly look = (): void => {
    const tick = this.segment.control[CLOCK_TICK] as number;
    if (tick < this.nextTick || this.hasFailed) return;
    try {
      this.lookAt(tick);
    } catch {
      // What it has to say is not worth the thread, and it would fail again.
      this.hasFailed = true;
    }
  };

  private lookAt(tick: number): void {
    const { health } = this.segment;
    const windowTicks = health[layout.WINDOW_TICKS] as number;
    this.nextTick = tick + STEP_TICKS_MIN;
    if (windowTicks === 0) return;
    const stepTicks = Math.max(STEP_TICKS_MIN, Math.floor(windowTicks / STEPS));
    const lookTick = health[layout.LOOK_TICK] as number;
    const rowTick = health[layout.ROW_TICK] as number;
    if (lookTick === 0 || tick >= lookTick + LOOK_TICKS) this.lookAtLoad(tick);
    if (rowTick === 0 || tick >= rowTick + stepTicks) this.endStep(tick, windowTicks);
    this.nextTick = Math.min(
      (health[layout.LOOK_TICK] as number) + LOOK_TICKS,
      (health[layout.ROW_TICK] as number) + stepTicks,
    );
  }

  /** What a load balancer asks for: the last half minute. */
  private lookAtLoad(tick: number): void {
    const { health } = this.segment;
    const { requests, errors, lagSamples, lagSeconds } = this.source.totals();
    const count = health[layout.LOOK_COUNT] as number;
    const place = (look: number) =>
      layout.LOOKS + (look % layout.LOOK_PLACES) * layout.LOOK_DOUBLES;
    health.set([tick, requests, errors, lagSamples, lagSeconds], place(count));
    health[layout.LOOK_COUNT] = count + 1;
    health[layout.LOOK_TICK] = tick;
    // Six looks ago. Before there are so many, everything counts: it has all been since the start.
    const past = count + 2 - layout.LOOK_PLACES;
    const since = (now: number, index: number): number =>
      Math.max(0, now - (past < 0 ? 0 : (health[place(past) + index] as number)));
    const recent: RecentTraffic = {
      requests: since(requests, 1),
      errors: since(errors, 2),
      lagSamples: since(lagSamples, 3),
      lagSeconds: since(lagSeconds, 4),
    };
    this.note(
      [
        ['event_loop_lag', judgeRecentLag(recent, health[layout.UNHEALTHY_LAG_MS] as number)],
        ['error_rate', judgeErrors(recent, health[layout.UNHEALTHY_ERROR_SHARE] as number)],
      ],
      LOOK_PATIENCE,
    );
  }

  /** The detectors of the reliability report. */
  private endStep(tick: number, windowTicks: number): void {
    const { history, source } = this;
    const { health } = this.segment;
    const { http, lag } = source.windowAt(tick);
    const requests = http.samples;
    const quantile = (share: number): number => http.quantile(share);
    history.addRow(
      {
        tick,
        requestsTotal: source.totals().requests,
        quantiles: JUDGED_SHARES.map((share) =>
          isTellable(share, requests) ? quantile(share) : Number.NaN,
        ),
      },
      source.caches(),
    );
    const latency = judgeLatency({
      requests,
      quantile,
      baseline: JUDGED_SHARES.map((_, index) => history.quantiles(windowTicks, index)),
      riseAllowed: health[layout.LATENCY_RISE] as number,
    });
    if (latency.verdict === 'bad') history.markRegressed();
    this.note(
      [
        ['percentile_regression', latency],
        [
          'cache_efficiency',
          judgeCaches(history.caches(windowTicks), health[layout.LOW_HIT_RATE] as number),
        ],
        ['loop_lag', this.judgeLoopLag(lag)],
        [
          'volume_anomaly',
          judgeVolume({
            ...history.slices(windowTicks),
            factor: health[layout.VOLUME_FACTOR] as number,
          }),
        ],
      ],
      STEP_PATIENCE,
    );
    health[layout.JUDGED_MS] = this.clock();
  }

  private judgeLoopLag(lag: SketchWindow): Judgement {
    const limitMs = this.segment.health[layout.HIGH_LAG_MS] as number;
    const { samples, seconds } = lag;
    return judgeLag({
      samples,
      above: lag.countAbove(limitMs / MS_PER_SECOND),
      averageMs: samples === 0 ? Number.NaN : (seconds / samples) * MS_PER_SECOND,
      p95Ms: lag.quantile(0.95) * MS_PER_SECOND,
      limitMs,
    });
  }

  private note(
    judgements: readonly (readonly [FindingName, Judgement])[],
    patience: Patience,
  ): void {
    noteFindings(this.segment, new Map(judgements), { nowMs: this.clock(), patience });
  }
}
