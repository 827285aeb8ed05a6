import type { OffloopOptions, Snapshot } from '@offloop/core';
import { HttpMetrics, SnapshotReader } from '@offloop/core/adapter';
import { AheadReader } from '@offloop/core/engine';
import * as layout from '@offloop/core/internal/layout/read-ahead.js';
import type { Segment } from '@offloop/core/internal/layout/segment.js';
import { noteRead } from '@offloop/core/internal/snapshot/read-ahead.js';
import { PipelineRig } from '../pipeline-rig.js';

export const WINDOW_SECONDS = 6;
export const SLICE_MS = 1_000;

/** A service whose clock a test turns, a reader that remembers, and one that reads ahead for it. */
export class RoutesRig extends PipelineRig {
  readonly http = new HttpMetrics(this.pipeline, this.registry);
  readonly segment: Segment = this.pipeline.producer.segment;
  readonly reader = new SnapshotReader(this.segment);
  readonly ahead = new AheadReader(this.segment);
  #nowMs = performance.now();

  constructor(options: OffloopOptions = {}) {
    super({ window: { seconds: WINDOW_SECONDS }, ...options });
  }

  request(route: number, status: string, seconds: number): void {
    const id = this.http.seriesIdOf('GET', `/${route}`, status);
    this.http.record(id, seconds, this.#nowMs);
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    this.pipeline.producer.recorder.stamp(this.#nowMs);
  }

  /** Drains, and reads ahead what snapshots with these quantiles are to say. */
  async readAhead(quantiles: readonly number[] = [0.5, 0.9, 0.95, 0.99]): Promise<void> {
    await this.pipeline.flush();
    noteRead(this.segment, quantiles);
    this.ahead.read();
  }

  /** What the reader says, of what has been drained. */
  kept(quantiles?: readonly number[]): object {
    return factsOf(this.reader.read(this.#state(quantiles)));
  }

  /** What one says that has never read before, and for which nothing is read ahead. */
  fresh(quantiles?: readonly number[], segment = this.segment): object {
    segment.readAhead[layout.BATCHES] = 0;
    return factsOf(new SnapshotReader(segment).read(this.#state(quantiles)));
  }

  /** What one says that has never read before, and so takes what is read ahead if it can. */
  taken(quantiles?: readonly number[], segment = this.segment): Snapshot {
    return new SnapshotReader(segment).read(this.#state(quantiles));
  }

  #state(quantiles: readonly number[] | undefined) {
    const nowTick = this.pipeline.producer.recorder.tick();
    return { isLagMonitored: false, nowTick, ...(quantiles && { quantiles }) };
  }
}

/** Without what changes from one look to the next. */
export function factsOf({ takenAt: _, process: __, ...facts }: Snapshot): object {
  return facts;
}
