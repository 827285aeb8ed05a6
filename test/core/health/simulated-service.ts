import { resolveOptions } from '@offloop/core/adapter';
import { HealthEvaluator } from '@offloop/core/internal/health/health-evaluator.js';
import {
  type DetectorName,
  type DetectorReport,
  reliabilityReport,
} from '@offloop/core/internal/health/reliability-report.js';
import { noteThresholds } from '@offloop/core/internal/health/thresholds.js';
import { windowOf } from '@offloop/core/internal/instruments/family-window.js';
import { FamilyKind, FamilyRole } from '@offloop/core/internal/layout/catalog.js';
import type { Random } from '../../support/random.js';
import { SegmentRig } from '../segment-rig.js';

/** How a service fares at a time, seconds since its start. */
export interface ServiceModel {
  /** Requests a second. */
  readonly rate: (seconds: number) => number;
  /** Median latency, seconds. */
  readonly latency: (seconds: number) => number;
  /** Of the logarithm of the latency. */
  readonly latencyDeviation: number;
  readonly lagMs: (seconds: number) => number;
  readonly hitRate: (seconds: number) => number;
  /** In [0, 1]. */
  readonly errorRate: (seconds: number) => number;
}

/** An alarm of a detector, as it went on. */
export interface RaisedAlarm {
  readonly name: DetectorName;
  readonly atSeconds: number;
}

const BOUNDS = [0.05, 0.1, 0.5, 1];
const LOOKUPS_PER_REQUEST = 2;
/** The real clock when the simulation begins. */
const EPOCH_MS = Date.UTC(2026, 0, 1);

/** A service whose time is simulated: what it records goes through the real ring, drain and windows, and health is judged by the real evaluator. */
export class SimulatedService {
  readonly rig = new SegmentRig({
    sizes: { capacityRecords: 4096, maxSeries: 64, aggregateCells: 200_000 },
  });
  readonly raised: RaisedAlarm[] = [];
  private evaluator: HealthEvaluator;
  seconds = 0;
  private readonly random: Random;
  private readonly windowSeconds: number;
  private readonly http: readonly [number, number];
  private readonly lag: number;
  private readonly cache: readonly [number, number];
  private readonly on = new Set<DetectorName>();

  constructor(random: Random, windowSeconds = 300) {
    this.random = random;
    this.windowSeconds = windowSeconds;
    const { rig } = this;
    const window = windowOf(windowSeconds);
    const histogram = (role: FamilyRole, bounds: readonly number[]) =>
      rig.addFamily({ kind: FamilyKind.histogram, role, bounds, hasSketch: true, window });
    const http = histogram(FamilyRole.httpDuration, BOUNDS);
    const series = (status: number) =>
      rig.addSeries(http, `method="GET",route="/",status_code="${status}"`);
    this.http = [series(200), series(500)];
    this.lag = rig.addSeries(histogram(FamilyRole.loopLag, []));
    const ofCache = (role: FamilyRole) =>
      rig.addSeries(rig.addFamily({ role, labelNames: ['cache'] }), 'cache="users"');
    this.cache = [ofCache(FamilyRole.cacheHits), ofCache(FamilyRole.cacheMisses)];
    const { health, reliability } = resolveOptions({}, {});
    noteThresholds(rig.segment, { health, reliability, window: { seconds: windowSeconds } });
    this.evaluator = this.newEvaluator();
  }

  /** As when a thread takes over. */
  replaceEvaluator(): void {
    this.evaluator = this.newEvaluator();
  }

  /** Lets time pass. */
  run(model: ServiceModel, seconds: number): void {
    const { rig } = this;
    const end = this.seconds + seconds;
    rig.recorder.stamp(this.seconds * 1000);
    while (this.seconds < end) {
      this.seconds++;
      rig.recorder.stamp(this.seconds * 1000);
      this.recordSecond(model);
      rig.drainAll();
      this.evaluator.look();
      this.noteAlarms();
    }
  }

  detector(name: DetectorName): DetectorReport {
    const found = reliabilityReport(this.rig.segment).detectors.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no detector ${name}`);
    return found;
  }

  /** Windows from a moment to the first alarm after it; `undefined` when there was none. */
  windowsUntil(name: DetectorName, sinceSeconds: number): number | undefined {
    const alarm = this.raised.find((each) => each.name === name && each.atSeconds > sinceSeconds);
    return alarm && (alarm.atSeconds - sinceSeconds) / this.windowSeconds;
  }

  private newEvaluator(): HealthEvaluator {
    return new HealthEvaluator(this.rig.segment, () => EPOCH_MS + this.seconds * 1000);
  }

  private recordSecond(model: ServiceModel): void {
    const { random, rig } = this;
    const { seconds } = this;
    const requests = poisson(random, model.rate(seconds));
    const [median, errors] = [model.latency(seconds), model.errorRate(seconds)];
    for (let request = 0; request < requests; request++) {
      const latency = median * Math.exp(model.latencyDeviation * random.normal());
      rig.recorder.record(random.unit() < errors ? this.http[1] : this.http[0], latency);
    }
    rig.recorder.record(this.lag, (model.lagMs(seconds) * -Math.log(1 - random.unit())) / 1000);
    const lookups = requests * LOOKUPS_PER_REQUEST;
    let hits = 0;
    for (let lookup = 0; lookup < lookups; lookup++) {
      if (random.unit() < model.hitRate(seconds)) hits++;
    }
    rig.recorder.record(this.cache[0], hits);
    rig.recorder.record(this.cache[1], lookups - hits);
  }

  private noteAlarms(): void {
    if (this.seconds % 5 !== 0) return;
    for (const { name, state } of reliabilityReport(this.rig.segment).detectors) {
      if (state !== 'alarm') this.on.delete(name);
      else if (!this.on.has(name)) {
        this.on.add(name);
        this.raised.push({ name, atSeconds: this.seconds });
      }
    }
  }
}

function poisson(random: Random, mean: number): number {
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()));
  let [count, product] = [0, random.unit()];
  for (const limit = Math.exp(-mean); product > limit; product *= random.unit()) count++;
  return count;
}
