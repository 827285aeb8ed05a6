import { Drain } from '../aggregate/drain.js';
import { abandonBatch, type Lease, takeLease } from '../aggregate/lease.js';
import { OffloopError } from '../errors.js';
import { PageMemory } from '../exposition/page-memory.js';
import type { ExpositionRequest } from '../exposition/render.js';
import type { Segment } from '../layout/segment.js';
import type { Recorder } from '../record/recorder.js';
import type { Engine, EngineState } from './engine.js';
import type { PageSink } from './page-chunk.js';
import { renderInChunks } from './render-chunks.js';

/**
 * Records drained at a time when the ring is full: from 4 096 on, 60 µs, a batch's fixed cost no longer shows, and the request that met
 * the full ring is not held longer.
 */
const RELIEF_RECORDS = 4_096;

/**
 * The engine without threads: it drains on the caller's thread, when somebody reads or when the ring is full.
 */
export class InlineEngine implements Engine {
  readonly kind = 'inline';
  private readonly segment: Segment;
  private readonly recorder: Recorder;
  private readonly lease: Lease;
  /** `undefined` after an exception in one of its batches: what it had added up by then must not count. */
  private drain: Drain | undefined;
  private readonly memory = new PageMemory();
  private closed = false;

  /**
   * @param lease From `takeLease`, where the caller has taken it over from a thread; else the engine takes it.
   * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` when another consumer is at work on the segment.
   */
  constructor(
    segment: Segment,
    recorder: Recorder,
    lease: Lease | undefined = takeLease(segment, false),
  ) {
    if (lease === undefined) {
      throw new OffloopError(
        'OFFLOOP_ERR_ARGUMENT',
        'segment: one consumer at a time drains a segment, and another is in a batch',
      );
    }
    this.segment = segment;
    this.recorder = recorder;
    this.lease = lease;
    this.drain = new Drain(segment, lease);
    recorder.relieveWith(() => {
      try {
        this.withDrain((drain) => drain.drainBatch(RELIEF_RECORDS));
      } catch {
        // A stack that was full before this call, above all. The record is dropped and counted, as nobody made room; the next one may be lucky.
      }
    });
  }

  get state(): EngineState {
    return this.closed ? 'closed' : 'running';
  }

  /** Drains everything that is published, at once. @returns `false` when the lease has gone to another consumer. */
  drainNow(): boolean {
    return this.withDrain((drain) => drain.drainAll());
  }

  drainAtOnce(): boolean {
    return this.drainNow();
  }

  async flush(): Promise<void> {
    this.drainNow();
  }

  async stream(request: ExpositionRequest, sink: PageSink, signal: AbortSignal): Promise<void> {
    this.drainNow();
    const { segment, memory } = this;
    await renderInChunks({ segment, request, memory, signal, send: (chunk) => sink.write(chunk) });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.recorder.relieveWith(null);
    this.drainNow();
  }

  /** Nobody else is in a batch of this lease: so where one came to an exception, another Drain begins again. */
  private withDrain<Result>(work: (drain: Drain) => Result): Result {
    if (this.drain === undefined) {
      abandonBatch(this.segment, this.lease);
      this.drain = new Drain(this.segment, this.lease);
    }
    try {
      return work(this.drain);
    } catch (error) {
      this.drain = undefined;
      abandonBatch(this.segment, this.lease);
      throw error;
    }
  }
}
