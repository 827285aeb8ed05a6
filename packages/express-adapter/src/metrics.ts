import type {
  EngineFactory,
  ExpositionRequest,
  ExtendedHealth,
  HealthCheck,
  HealthReport,
  MetricsRouterOptions,
  Page,
  PageReader,
  PageRequest,
  Pipeline,
  Registry,
  ResolvedOptions,
  Snapshot,
} from '@offloop/core';
import {
  contentsOf,
  expositionOf,
  HealthMonitor,
  HttpMetrics,
  LoopBeat,
  LoopLagMonitor,
  refuseTakenNames,
  resolveRouterOptions,
  SnapshotReader,
  setHookWindows,
  unhookPipeline,
} from '@offloop/core/adapter';
import { createEngine, type PortAddress } from '@offloop/worker';
import { type MainFacts, OffLoopPort, requiredThreadPath, scrape } from '@offloop/worker/http';
import { errorClassifier } from './errors/error-class.js';
import { ErrorCounter } from './errors/error-counter.js';
import { type FinalExporter, registerExporter } from './last-words.js';
import { createMetricsMiddleware } from './middleware/metrics-middleware.js';
import type { CompiledOptions, Started } from './middleware/middleware-options.js';
import { createRequestExtras, extraNames, isRelabelled } from './middleware/request-extras.js';
import { RequestObserver } from './middleware/request-observer.js';
import { ScrapePaths } from './middleware/scrape-paths.js';
import { refuseEntryOptions, refuseOtherFunctions } from './option-refusals.js';
import { OwnMetrics } from './own-metrics.js';
import { compileOptions, type MiddlewareOptions } from './presets/compile-options.js';
import { AccessGate } from './routes/access-gate.js';
import type { HttpMiddleware } from './routes/http-handler.js';
import { createMetricsRouter } from './routes/metrics-router.js';

/** Of another application, where no other path is given. */
const DEFAULT_SCRAPE_PATH = '/metrics';

/**
 * The metrics of one service: what is measured, where it is drained, and how it is shown.
 *
 * `getMetrics()` gives the one of the process, `createMetrics()` a separate one.
 */
export class Metrics {
  /** The registry whose metrics the page shows; its own metrics stand first. */
  readonly register: Registry;
  /** For the middleware. */
  readonly scrapePaths: ScrapePaths;
  private readonly pipeline: Pipeline;
  private readonly http: HttpMetrics;
  private readonly observer: RequestObserver;
  private readonly lag: LoopLagMonitor;
  private readonly beat: LoopBeat;
  private readonly snapshots: SnapshotReader;
  private readonly monitor: HealthMonitor;
  private readonly startedAtMs = Date.now();
  private readonly errors: ErrorCounter;
  private started: Started | undefined;
  private readonly own: OwnMetrics;
  /** The options that it was made with. */
  private readonly madeWith: MiddlewareOptions;
  private readonly compiled: CompiledOptions;
  /** Whether a middleware acts on those of them that belong to one. */
  private isEntryTaken = false;
  private resolved: ResolvedOptions;
  private gate: AccessGate;
  private isClosed = false;
  private readonly exits = new Set<() => void>();
  private offLoopPort: OffLoopPort | undefined;

  /**
   * @param parts The pipeline to use, with the registry whose metrics it shows.
   * @throws {OffloopError} `OFFLOOP_ERR_OPTION_…`, `OFFLOOP_ERR_ENVIRONMENT`, `OFFLOOP_ERR_DUPLICATE_METRIC`,
   *   `OFFLOOP_ERR_ALREADY_STARTED`, `OFFLOOP_ERR_MEMORY`, `OFFLOOP_ERR_THREAD_START`: nothing is running then.
   */
  constructor(
    parts: { readonly pipeline: Pipeline; readonly register: Registry },
    options: MiddlewareOptions = {},
  ) {
    const { pipeline, register } = parts;
    const mark = pipeline.mark();
    const before = new Set(register.getMetricsAsArray());
    this.madeWith = options;
    this.compiled = compileOptions(options);
    const { data, functions, presetMetrics, start } = this.compiled;
    let classify = errorClassifier([]);
    this.pipeline = pipeline;
    this.register = register;
    this.resolved = pipeline.configure(data, undefined, (wanted) => {
      classify = errorClassifier(wanted.errorRules);
      const { requests, duration, inFlight } = wanted.metricNames;
      const names = [...requests, ...duration, ...inFlight, ...extraNames(wanted, presetMetrics)];
      refuseTakenNames(register, names);
      if (wanted.engine === 'pool') requiredThreadPath(wanted.threadFile);
      this.offLoopPort = this.makePort(wanted);
    });
    try {
      this.gate = new AccessGate(this.resolved.access);
      this.scrapePaths = new ScrapePaths(this.resolved.scrapePaths);
      this.http = new HttpMetrics(pipeline, register, {
        isRelabelled: isRelabelled(this.resolved, functions),
      });
      const extras = createRequestExtras(
        { pipeline, register, http: this.http },
        functions,
        presetMetrics,
      );
      this.errors = new ErrorCounter(register, this.resolved, classify);
      this.own = new OwnMetrics(register, before);
      this.lag = new LoopLagMonitor(pipeline);
      this.beat = new LoopBeat(pipeline.producer.segment);
      this.snapshots = new SnapshotReader(pipeline.producer.segment, { wantsReadAhead: true });
      this.watchLoop(this.resolved);
      // Before main may be blocked: the port judges by what it was told last.
      this.monitor = new HealthMonitor(pipeline, this.resolved, () => this.offLoopPort?.refresh());
      this.started = start?.(register);
      // Last, as a thread cannot be taken back at once: what is refused before was drained inline.
      pipeline.useEngine(this.makeEngine);
      this.observer = new RequestObserver(this.http, { errors: this.errors, extras });
    } catch (error) {
      this.stopWatching();
      for (const metric of register.getMetricsAsArray())
        if (!before.has(metric)) register.removeSingleMetric(metric.name);
      pipeline.withdrawTo(mark);
      throw error;
    }
  }

  /** Nothing: {@link getSnapshot} is for JSON. */
  toJSON(): object {
    return {};
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
  updateConfig(options: MiddlewareOptions): ResolvedOptions {
    refuseEntryOptions(options);
    return this.configure(options);
  }

  /** The same for the options of a further middleware, which takes what is its own itself. */
  configure(options: MiddlewareOptions): ResolvedOptions {
    const compiled = compileOptions(options);
    // Windows change their length as of now.
    if (this.pipeline.isStarted) this.pipeline.producer.recorder.publishNow();
    this.resolved = this.pipeline.configure(compiled.data, undefined, (wanted) => {
      refuseOtherFunctions({ had: this.compiled.baked, wanted: compiled.baked });
      const classify = errorClassifier(wanted.errorRules);
      const gate = new AccessGate(wanted.access);
      this.watchLoop(wanted);
      this.gate = gate;
      this.scrapePaths.set(wanted.scrapePaths);
      this.errors.classify = classify;
      this.http.setWindow(wanted.window.seconds);
      this.lag.setWindow(wanted.window.seconds);
      setHookWindows(this.pipeline, wanted.window.seconds);
      this.monitor.configure(wanted);
    });
    this.offLoopPort?.refresh();
    return this.resolved;
  }

  /** Who gets answers of the routes, as the options say at present. For the routes. */
  get access(): AccessGate {
    return this.gate;
  }

  /**
   * Middleware for `app.use()`: measures requests, and answers scrapes at the option's paths.
   *
   * @param options What this one leaves out, and where it answers scrapes. Default: those that the metrics were made with, if no middleware
   *   was made with them yet.
   * @throws {OffloopError} `OFFLOOP_ERR_OPTION_…`
   */
  middleware(options?: MiddlewareOptions): HttpMiddleware {
    if (options === this.madeWith) this.isEntryTaken = true;
    const isInherited = options === undefined && !this.isEntryTaken;
    const compiled = isInherited ? this.compiled : compileOptions(options ?? {});
    const { entry, metricsApp, decorate } = compiled;
    const { answerScrape, register } = this;
    this.showAgain();
    metricsApp?.app.get(
      metricsApp.path ?? this.options.scrapePaths[0] ?? DEFAULT_SCRAPE_PATH,
      answerScrape,
    );
    const middleware = createMetricsMiddleware(this, this.observer, entry);
    decorate?.(middleware, { answerScrape, register });
    return middleware;
  }

  /** Answers a scrape, where there are any and the client may have it. For middleware. */
  readonly answerScrape: HttpMiddleware = (request, response, next) => {
    if (this.options.prometheus.enabled)
      this.gate.pass('scrape', { request, response }, () => scrape(this, request, response));
    else next();
  };

  /** Sees requests from their beginning to their end. For wrappers. */
  get requests(): RequestObserver {
    return this.observer;
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

  /**
   * Resolves with where the off-loop port listens, when it does; with `undefined` where there is none.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_PORT` where it cannot be listened on; it is tried again, and so may be this.
   */
  async portAddress(): Promise<PortAddress | undefined> {
    return this.offLoopPort?.address();
  }

  /** Whether requests may come, for a load balancer: read from shared memory at once. */
  health(): HealthReport {
    return this.monitor.report();
  }

  /** The same, with a snapshot and the reliability report. What is still in the ring is in neither; `await flush()` before it for that. */
  extendedHealth(): ExtendedHealth {
    return this.monitor.extended(this.getSnapshot());
  }

  /**
   * Adds a check of the application's own to its health: runs now, and every `health.checkIntervalMs`. While one fails, and before it has ended for
   * the first time, `/health` answers 503; the off-loop port shows how it last ended.
   *
   * @returns What takes it out again.
   * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` for a name that is taken, or is none; for what is no function.
   */
  addHealthCheck(name: string, check: HealthCheck): () => void {
    return this.monitor.addCheck(name, check);
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
    this.stopWatching();
    unhookPipeline(this.pipeline);
    await this.pipeline.close();
  }

  /** Everything that runs by itself; of a start that was refused, as much of it as there is. */
  private stopWatching(): void {
    this.started?.stop();
    this.lag?.stop();
    this.beat?.stop();
    this.monitor?.close();
  }

  /** Shows what `register.clear()` has taken out, and what is collected beside it. Never throws: what is taken by others is left to them. */
  private showAgain(): void {
    const { compiled, own, register } = this;
    if (this.isClosed || !own.areCleared) return;
    try {
      own.restore();
      const started = compiled.start?.(register);
      this.started?.stop();
      this.started = started;
    } catch {
      // Somebody collects the same, or memory is full.
    }
  }

  private expositionOf(page: PageRequest): ExpositionRequest {
    return expositionOf(this.pipeline.producer.segment, contentsOf(this.register), page);
  }

  /** @throws {OffloopError} `OFFLOOP_ERR_OPTION_RANGE` for a certificate or a key that cannot be used. */
  private makePort(options: ResolvedOptions): OffLoopPort | undefined {
    const { port, portOptions } = options;
    if (port === false) return undefined;
    return new OffLoopPort({
      port,
      options: portOptions,
      logger: this.pipeline.logger,
      facts: this.factsFor(options),
      source: {
        collect: () => this.register.collectForScrape(),
        countPage: (renderMs) => this.pipeline.countPage(renderMs),
        state: () => {
          this.pipeline.producer.recorder.publishNow();
          return { contents: contentsOf(this.register), facts: this.factsFor(this.resolved) };
        },
      },
    });
  }

  private readonly makeEngine: EngineFactory = ({ segment, recorder, options }) => {
    const { engine, threadFile } = options;
    return createEngine({
      segment,
      recorder,
      mode: engine,
      logger: this.pipeline.logger,
      ...(threadFile === '' ? {} : { threadFile }),
      ...(this.offLoopPort === undefined ? {} : { offLoopPort: this.offLoopPort }),
    });
  };

  private factsFor({ prometheus, eventLoop, quantiles }: ResolvedOptions): MainFacts {
    return {
      hasScrapes: prometheus.enabled,
      isLagMonitored: eventLoop.enabled && !this.isClosed,
      quantiles,
      startedMs: this.startedAtMs,
      heapUsedBytes: process.memoryUsage().heapUsed,
      // The engine is made before the monitor is.
      checks: this.monitor?.checkResults ?? [],
    };
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
