import {
  type ContentEncoding,
  chosenFamilies,
  type EngineFactory,
  type EscapingScheme,
  type ExpositionFormat,
  type ExpositionRequest,
  HttpMetrics,
  LoopBeat,
  LoopLagMonitor,
  type MetricsRouterOptions,
  type OffloopOptions,
  type Page,
  type PageReader,
  type Pipeline,
  type Registry,
  type ResolvedOptions,
  resolveRouterOptions,
  type Snapshot,
  SnapshotReader,
} from '@offloop/core';
import { createEngine } from '@offloop/worker';
import { type FinalExporter, registerExporter } from './last-words.js';
import { createMetricsMiddleware } from './middleware/metrics-middleware.js';
import { RequestObserver } from './middleware/request-observer.js';
import type { HttpMiddleware } from './routes/http-handler.js';
import { createMetricsRouter } from './routes/metrics-router.js';

/** What `GET /health` answers. */
export interface HealthReport {
  readonly status: 'ok' | 'closed';
  readonly engine: 'inline' | 'pool';
  readonly engine_state: 'running' | 'degraded' | 'closed';
  readonly uptime_seconds: number;
  readonly backlog_records: number;
  readonly dropped_records: number;
}

/** What a scraper asks for. */
export interface PageRequest {
  /** Families, or samples of them, by name. Default: everything. */
  readonly names?: readonly string[];
  /** Default `text`. */
  readonly format?: ExpositionFormat;
  /** How names beyond the legacy characters are written. Default `underscores`. */
  readonly escaping?: EscapingScheme;
  /** Default `identity`. */
  readonly encoding?: ContentEncoding;
}

const engineFactory: EngineFactory = ({ segment, recorder, options }) =>
  createEngine({
    segment,
    recorder,
    mode: options.engine,
    ...(options.threadFile === '' ? {} : { threadFile: options.threadFile }),
  });

/**
 * The metrics of one service: what is measured, where it is drained, and how it is shown.
 *
 * `getMetrics()` gives the one of the process, `createMetrics()` a separate one.
 */
export class Metrics {
  /** The registry whose metrics the page shows; its own metrics stand first. */
  readonly register: Registry;
  private readonly pipeline: Pipeline;
  private readonly http: HttpMetrics;
  private readonly observer: RequestObserver;
  private readonly lag: LoopLagMonitor;
  private readonly beat: LoopBeat;
  private readonly snapshots: SnapshotReader;
  private readonly startedMs = performance.now();
  /** At hand, as each request asks whether it is another one. */
  private resolved: ResolvedOptions;
  private isClosed = false;
  private readonly exits = new Set<() => void>();

  /**
   * @param parts The pipeline to use, with the registry whose metrics it shows.
   * @throws {OffloopError} `OFFLOOP_ERR_OPTION_…`, `OFFLOOP_ERR_ENVIRONMENT`, `OFFLOOP_ERR_DUPLICATE_METRIC`,
   *   `OFFLOOP_ERR_ALREADY_STARTED`, `OFFLOOP_ERR_MEMORY`, `OFFLOOP_ERR_THREAD_START`: nothing is running then.
   */
  constructor(
    parts: { readonly pipeline: Pipeline; readonly register: Registry },
    options: OffloopOptions = {},
  ) {
    const { pipeline, register } = parts;
    const given = pipeline.givenOptions;
    this.resolved = pipeline.configure(options, engineFactory);
    this.pipeline = pipeline;
    this.register = register;
    const wasStarted = pipeline.isStarted;
    try {
      this.http = new HttpMetrics(pipeline, register);
      this.lag = new LoopLagMonitor(pipeline);
      this.beat = new LoopBeat(pipeline.producer.segment);
      this.snapshots = new SnapshotReader(pipeline.producer.segment);
      this.watchLoop(this.resolved);
      // Last, as it subscribes: of what is refused before, nothing is left.
      this.observer = new RequestObserver(this.http);
    } catch (error) {
      // A family that finds no room is refused after memory is laid out and the engine started, by nobody else but us.
      if (!wasStarted && pipeline.isStarted) pipeline.close().catch(() => {});
      else pipeline.withdrawTo(given);
      throw error;
    }
  }

  /** Every option, defaults included. */
  get options(): ResolvedOptions {
    return this.resolved;
  }

  /**
   * Changes options at run time; those that are not named stay. All of them are put to work, or none.
   *
   * @returns Every option, as they are from now on.
   * @throws {OffloopError} `OFFLOOP_ERR_OPTION_…`; `OFFLOOP_ERR_ALREADY_STARTED` for what is baked into memory or the engine;
   *   `OFFLOOP_ERR_FAMILIES_FULL`, `OFFLOOP_ERR_CATALOG_FULL` where there is no room for the loop lag, which was off before.
   */
  updateConfig(options: OffloopOptions): ResolvedOptions {
    this.resolved = this.pipeline.configure(options, undefined, (wanted) => {
      this.watchLoop(wanted);
      this.http.setWindow(wanted.window.seconds);
      this.lag.setWindow(wanted.window.seconds);
    });
    return this.resolved;
  }

  /** Middleware for `app.use()`: measures requests, and answers scrapes at the option's paths. */
  middleware(): HttpMiddleware {
    return createMetricsMiddleware(this, this.observer);
  }

  /**
   * Middleware that serves all endpoints, or the chosen ones, below wherever it is mounted.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_OPTION_…`
   */
  router(options: MetricsRouterOptions = {}): HttpMiddleware {
    const resolved = resolveRouterOptions(options);
    return createMetricsRouter(() => this, resolved);
  }

  /**
   * The service's numbers as of now, from shared memory: synchronous, and never waits for a thread. What is still in the ring is not in
   * it; `await flush()` before it for that.
   */
  getSnapshot(): Snapshot {
    const { recorder } = this.pipeline.producer;
    recorder.publishNow();
    return this.snapshots.read({
      isLagMonitored: this.lag.isRunning,
      nowTick: recorder.tick(),
      quantiles: this.options.quantiles,
    });
  }

  /** Resolves when everything recorded before the call is aggregated. */
  flush(): Promise<void> {
    return this.pipeline.flush();
  }

  /** The page for a scraper, whole, rendered by the engine: the registry's metrics and the pipeline's own. The bytes are the caller's to keep. */
  async render(): Promise<Uint8Array> {
    return (await this.renderPage({})).bytes;
  }

  /** The same, or a part of it, in the format and encoding that a scraper asks for. Pages that are asked for at once are shared. */
  async renderPage(page: PageRequest): Promise<Page> {
    await this.register.collectForScrape();
    return this.pipeline.render(this.expositionOf(page));
  }

  /**
   * The same, chunk by chunk as it is rendered, in memory that is used again once the reader releases it. What goes wrong comes to
   * the reader.
   *
   * @returns What the reader calls when it wants no more of the page. Rendering stops when nobody does.
   */
  streamPage(page: PageRequest, reader: PageReader): () => void {
    let hasLeft = false;
    let leave = (): void => {
      hasLeft = true;
    };
    this.register
      .collectForScrape()
      .then(() => {
        if (!hasLeft) leave = this.pipeline.stream(this.expositionOf(page), reader);
      })
      .catch((error: unknown) => reader.fail(error));
    return () => leave();
  }

  /** For a load balancer: read from shared memory at once. */
  health(): HealthReport {
    const totals = this.pipeline.totals();
    const { engine } = this.pipeline;
    return {
      status: this.isClosed ? 'closed' : 'ok',
      engine: engine.kind,
      engine_state: engine.state,
      uptime_seconds: (performance.now() - this.startedMs) / 1000,
      backlog_records: totals.backlogRecords,
      dropped_records: totals.droppedRecords,
    };
  }

  /**
   * Calls an exporter in the last moment of the process, with everything recorded before: at its natural end, at `process.exit()`, after an error that
   * nobody caught, and at SIGTERM, SIGINT and SIGHUP, after which the process ends as it would have. What is asynchronous in it gets nowhere. What it
   * throws is written to stderr.
   *
   * @param options.waitMs How long the process may wait for the pool thread to drain, in [0, 60 000], default 500; it takes 1 to 20 ms.
   * @returns What takes it back; `close()` does as well.
   * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT`
   * @see docs/liveness.md#last-words
   */
  onExit(exporter: FinalExporter, options: { readonly waitMs?: number } = {}): () => void {
    const { pipeline } = this;
    const forget = registerExporter(exporter, {
      ...options,
      readAtOnce: (waitMs) => ({
        isWhole: pipeline.drainAtOnce(waitMs),
        snapshot: this.getSnapshot(),
        renderPage: (page = {}) => pipeline.renderAtOnce(this.expositionOf(page)),
      }),
    });
    this.exits.add(forget);
    return () => {
      this.exits.delete(forget);
      forget();
    };
  }

  /**
   * Drains what is left and lets go of every thread, timer and listener. Pages and snapshots can still be had; later requests are
   * not measured.
   */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const forget of this.exits) forget();
    this.observer.close();
    this.lag.stop();
    this.beat.stop();
    await this.pipeline.close();
  }

  private expositionOf({ names, ...form }: PageRequest): ExpositionRequest {
    const { defaultLabels } = this.register;
    return { ...chosenFamilies(this.register, names), ...form, defaultLabels };
  }

  private watchLoop({ eventLoop, window }: ResolvedOptions): void {
    if (eventLoop.enabled && !this.isClosed) {
      this.lag.start(eventLoop.intervalMs);
      this.beat.start({ ...eventLoop, windowMs: window.seconds * 1000 });
    } else {
      this.lag.stop();
      this.beat.stop();
    }
  }
}
