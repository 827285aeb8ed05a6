import type {
  Engine,
  EngineState,
  ExpositionRequest,
  InlineEngine,
  PageSink,
  Segment,
} from '@offloop/core/engine';
import type { OffLoopPort } from '../port/off-loop-port.js';

/** An inline engine whose caller's thread serves the port as well: it answers whenever that thread's loop turns. */
export class ServingEngine implements Engine {
  readonly kind = 'inline';
  private readonly engine: InlineEngine;
  private readonly offLoopPort: OffLoopPort;

  constructor(engine: InlineEngine, segment: Segment, offLoopPort: OffLoopPort) {
    this.engine = engine;
    this.offLoopPort = offLoopPort;
    offLoopPort.serveHere(segment, 'inline', () => engine.drainNow());
  }

  get state(): EngineState {
    return this.engine.state;
  }

  flush(): Promise<void> {
    return this.engine.flush();
  }

  stream(request: ExpositionRequest, sink: PageSink, signal: AbortSignal): Promise<void> {
    return this.engine.stream(request, sink, signal);
  }

  drainAtOnce(): boolean {
    return this.engine.drainAtOnce();
  }

  close(): Promise<void> {
    this.offLoopPort.close();
    return this.engine.close();
  }
}
