import type { ResolvedOptions } from '../config/options.js';
import * as layout from '../layout/health.js';
import type { Segment } from '../layout/segment.js';
import { TICK_MS } from '../layout/windows.js';

const PERCENT = 100;
const MS_PER_SECOND = 1000;

/** Puts what health is judged by where every thread finds it. */
export function noteThresholds(
  { health: memory }: Segment,
  { health, reliability, window }: Pick<ResolvedOptions, 'health' | 'reliability' | 'window'>,
): void {
  memory[layout.UNHEALTHY_LAG_MS] = health.lagMs;
  memory[layout.UNHEALTHY_ERROR_SHARE] = health.errorPercent / PERCENT;
  memory[layout.UNHEALTHY_STALL_MS] = health.stallMs;
  memory[layout.HIGH_LAG_MS] = reliability.lagMs;
  memory[layout.LOW_HIT_RATE] = reliability.hitRatePercent / PERCENT;
  memory[layout.LATENCY_RISE] = reliability.latencyRisePercent / PERCENT;
  memory[layout.VOLUME_FACTOR] = reliability.volumeFactor;
  memory[layout.WINDOW_TICKS] = (window.seconds * MS_PER_SECOND) / TICK_MS;
}
