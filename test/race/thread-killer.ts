import type { Worker } from 'node:worker_threads';
import type { Segment } from '@offloop/core/engine';
import { COMMIT_STATE, LEASE } from '@offloop/core/internal/layout/control-block.js';
import { leaseEpoch } from '../worker/pool-threads.js';

/** A thread drains for as long as this at most before it is killed. */
const LIFE_MS_MAX = 60;
/** One death in five comes while the thread may still boot; more than two in a row never, as the engine gives up after five. */
const EARLY_DEATHS = 0.2;
const EARLY_DEATHS_IN_A_ROW = 2;

/** What the killed threads were doing. */
export interface Deaths {
  total: number;
  booting: number;
  inBatch: number;
  halfApplied: number;
}

/** Kills the threads of a pool at random moments, one after the other. */
export class ThreadKiller {
  readonly deaths: Deaths = { total: 0, booting: 0, inBatch: 0, halfApplied: 0 };
  private readonly segment: Segment;
  private readonly random: () => number;
  private victim: Worker | undefined;
  /** Of the lease, when the last victim was dead: main takes the next, and the next thread the one after that. */
  private deathEpoch = 0;
  private dueMs: number | undefined;
  private earlyDeathsInARow = 0;

  constructor(segment: Segment, random: () => number) {
    this.segment = segment;
    this.random = random;
    process.on('worker', this.choose);
  }

  /** Lets live whoever lives. */
  stop(): void {
    process.off('worker', this.choose);
    this.victim = undefined;
  }

  /** Kills the victim if its time has come. */
  strike(): void {
    const { victim, deaths } = this;
    if (victim === undefined) return;
    const nowMs = performance.now();
    const hasDrained = leaseEpoch(this.segment) >= this.deathEpoch + 2;
    this.dueMs ??= hasDrained ? nowMs + this.random() * LIFE_MS_MAX : undefined;
    if (this.dueMs === undefined || nowMs < this.dueMs) return;
    this.victim = undefined;
    this.earlyDeathsInARow = hasDrained ? 0 : this.earlyDeathsInARow + 1;
    deaths.total++;
    if (!hasDrained) deaths.booting++;
    // First of all listeners, as the engine's repairs what it finds.
    victim.prependOnceListener('exit', () => {
      const { control } = this.segment;
      this.deathEpoch = leaseEpoch(this.segment);
      if ((Atomics.load(control, LEASE) & 1) === 1) deaths.inBatch++;
      if ((Atomics.load(control, COMMIT_STATE) & 1) === 1) deaths.halfApplied++;
    });
    void victim.terminate();
  }

  private readonly choose = (thread: Worker): void => {
    this.victim = thread;
    const diesEarly =
      this.earlyDeathsInARow < EARLY_DEATHS_IN_A_ROW && this.random() < EARLY_DEATHS;
    this.dueMs = diesEarly ? performance.now() + this.random() * LIFE_MS_MAX : undefined;
  };
}
