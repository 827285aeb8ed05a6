import { type OptionRule, valueAt } from '../config/option-rules.js';
import {
  checkOptions,
  fillOptions,
  type OffloopOptions,
  OPTION_RULES,
  type ResolvedOptions,
  readEnvironment,
} from '../config/options.js';
import { OffloopError } from '../errors.js';
import { type Capture, capture } from '../exposition/capture.js';
import { type ExpositionRequest, type Page, renderPage } from '../exposition/render.js';
import type { FamilyEntry } from '../instruments/catalog-writer.js';
import { Family, type FamilyLimits } from '../instruments/family.js';
import { FamilyReturns } from '../instruments/family-returns.js';
import { Producer } from '../instruments/producer.js';
import { FAMILY_COUNT, RENDER_US, SCRAPES } from '../layout/control-block.js';
import type { Segment } from '../layout/segment.js';
import { addToWideCounter } from '../layout/wide-counter.js';
import { chosenLogger } from '../logger.js';
import type { Recorder } from '../record/recorder.js';
import { type PipelineTotals, totalsOf } from '../snapshot/pipeline-totals.js';
import type { Engine } from './engine.js';
import { InlineEngine } from './inline-engine.js';
import type { PageReader, PageSink } from './page-chunk.js';
import { SharedRenders } from './shared-renders.js';
import { WeakRefSet } from './weak-ref-set.js';

/** Makes the engine of a pipeline, once, when its memory is laid out. */
export type EngineFactory = (parts: {
  readonly segment: Segment;
  readonly recorder: Recorder;
  readonly options: ResolvedOptions;
}) => Engine;

/**
 * One pipeline: a segment, the instruments that write to it, and the engine that drains it.
 *
 * Its memory is laid out at the first use (a label set, a record, a page), so that instruments may be declared before the
 * options are known. From then on options that concern memory are refused.
 */
export class Pipeline {
  /** Until memory is laid out. */
  private families: Family[] = [];
  private readonly returns = new FamilyReturns();
  private readonly renders = new SharedRenders((request, sink, signal) =>
    this.streamNow(request, sink, signal),
  );
  private readonly expiring = new WeakRefSet<Family>();
  private given: OffloopOptions = {};
  private engineFactory: EngineFactory | undefined;
  private started: StartedPipeline | undefined;
  private isClosed = false;

  /** Of the options that hold when a line is written. */
  readonly logger = chosenLogger(() => this.started?.options.logger ?? this.given.logger);

  /** Nothing: memory is not for JSON, and metrics lead here. */
  toJSON(): object {
    return {};
  }

  /** Whether memory is laid out. */
  get isStarted(): boolean {
    return this.started !== undefined;
  }

  /**
   * Sets options, and the engine before the first use. Options given before stay where the new ones say nothing; what is refused changes
   * nothing.
   *
   * @param putToWork Called with what they come to, before it counts: what this throws refuses them.
   * @throws {OffloopError} `OFFLOOP_ERR_OPTION_…`, `OFFLOOP_ERR_ENVIRONMENT`; `OFFLOOP_ERR_ALREADY_STARTED` when memory is laid out
   *   and the options ask for something else than it has.
   */
  configure(
    options: OffloopOptions,
    engineFactory?: EngineFactory,
    putToWork?: (options: ResolvedOptions) => void,
  ): ResolvedOptions {
    const { started } = this;
    const merged = mergeOptions(this.given, checkOptions(options));
    const resolved = fillOptions(merged, started?.environment ?? readEnvironment(process.env));
    if (started !== undefined) {
      refuseChange({ had: started.options, wanted: resolved, hasEngine: this.hasEngine });
    }
    putToWork?.(resolved);
    if (engineFactory !== undefined) this.useEngine(engineFactory, resolved);
    if (started !== undefined) started.options = resolved;
    this.given = merged;
    return resolved;
  }

  /**
   * Has another engine do the work from now on, where it is an inline one of nobody's so far.
   *
   * @param options Which it is made with. Default: the present ones.
   * @throws What the factory throws: then all is as before.
   */
  useEngine(engineFactory: EngineFactory, options?: ResolvedOptions): void {
    if (this.hasEngine) return;
    const { started } = this;
    if (started?.engine.kind === 'inline' && !this.isClosed)
      handOver(engineFactory, started, options ?? started.options);
    this.engineFactory = engineFactory;
  }

  /** What can be gone back to, where nothing comes of what is begun next. */
  mark(): PipelineMark {
    const { started, families, given } = this;
    const familyCount =
      started === undefined
        ? families.length
        : (started.producer.segment.control[FAMILY_COUNT] as number);
    return { given, familyCount };
  }

  /** Goes back to the options before those of which nothing came. Memory that was laid out stays, and nobody finds the families that came since. */
  withdrawTo({ given, familyCount }: PipelineMark): void {
    this.given = given;
    const { started } = this;
    if (started === undefined) {
      this.families.length = familyCount;
      return;
    }
    started.options = fillOptions(given, started.environment);
    started.producer.catalog.forgetRoles(familyCount);
  }

  /** Everything that was resolved; lays memory out. */
  get options(): ResolvedOptions {
    return this.start().options;
  }

  /** The same as far as is known, before memory is laid out too. */
  get plannedOptions(): ResolvedOptions {
    return this.started?.options ?? fillOptions(this.given, readEnvironment(process.env));
  }

  /** The writing side; lays memory out. */
  get producer(): Producer {
    return this.start().producer;
  }

  /** What drains and renders; lays memory out. */
  get engine(): Engine {
    return this.start().engine;
  }

  /** Adds a family. */
  defineFamily(entry: FamilyEntry, limits?: FamilyLimits): Family {
    const family = new Family(entry, limits);
    if (this.started === undefined) {
      // A bad environment is refused here, where the program begins, and not at the first use, which may be in a request.
      readEnvironment(process.env);
      this.families.push(family);
    } else {
      this.returns.materialise(family, this.started.producer, this.started.options);
    }
    if (limits?.maxIdleSeconds !== undefined) this.expiring.add(family);
    return family;
  }

  /** A registry has taken the family's metric in. */
  holdFamily(family: Family): void {
    family.holders++;
  }

  /** A registry has let go of it: when none has it, its place may go to another that is the same. */
  releaseFamily(family: Family): void {
    family.holders--;
    if (family.holders === 0) this.returns.offer(family);
  }

  /** Resolves when everything recorded before the call is aggregated. */
  async flush(): Promise<void> {
    const { producer, engine } = this.start();
    producer.recorder.publishNow();
    producer.catalog.lookAtRemoved();
    await engine.flush();
  }

  /**
   * Renders a page that includes everything recorded before the call, whole. Those who ask for the same page share its bytes, which are
   * theirs to keep and not to change.
   */
  async render(request: ExpositionRequest): Promise<Page> {
    this.start();
    return this.renders.render(request);
  }

  /**
   * The same, chunk by chunk as it is rendered, in memory that is used again: what the main thread has of a large page at a time is small.
   *
   * @returns What the reader calls when it wants no more of the page. Rendering stops when nobody does.
   */
  stream(request: ExpositionRequest, reader: PageReader): () => void {
    return this.renders.stream(request, reader);
  }

  /** The same before it returns: {@link Engine.drainAtOnce}. */
  drainAtOnce(waitMs: number): boolean {
    const { producer, engine } = this.start();
    producer.recorder.publishNow();
    return engine.drainAtOnce(waitMs);
  }

  /** Renders a page before it returns, on the caller's thread, of what is aggregated. */
  renderAtOnce(request: ExpositionRequest): Uint8Array {
    return renderPage(this.producer.segment, request).bytes;
  }

  /** Values of families as of now, everything recorded before the call included. */
  async capture(familyIds: readonly number[]): Promise<Capture> {
    await this.flush();
    this.removeIdle();
    return capture(this.producer.segment, familyIds, { exemplars: true });
  }

  /** The pipeline's books, read from shared memory at once. */
  totals(): PipelineTotals {
    const { producer } = this.start();
    producer.recorder.publishNow();
    return totalsOf(producer.segment);
  }

  /** Notes a page that was handed out, whoever rendered it. */
  countPage(renderMs: number): void {
    const { control } = this.start().producer.segment;
    addToWideCounter(control, SCRAPES, 1);
    addToWideCounter(control, RENDER_US, Math.round(renderMs * 1000));
  }

  /**
   * Drains what is left and lets go of threads and timers. Pages and snapshots can still be had; later records are dropped
   * and counted.
   */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.started === undefined) return;
    this.started.producer.recorder.close();
    await this.started.engine.close();
  }

  private async streamNow(
    request: ExpositionRequest,
    sink: PageSink,
    signal: AbortSignal,
  ): Promise<void> {
    const { producer, engine } = this.start();
    producer.recorder.publishNow();
    producer.catalog.lookAtRemoved();
    this.removeIdle();
    const counted: PageSink = {
      restart: () => sink.restart(),
      write: (chunk) => {
        // Before it is handed on: whoever has a page finds it counted in the next.
        if (chunk.isLast) this.countPage(chunk.renderMs);
        sink.write(chunk);
      },
    };
    await engine.stream(request, counted, signal);
  }

  private removeIdle(): void {
    for (const family of this.expiring) family.removeIdle();
  }

  private start() {
    if (this.started !== undefined) return this.started;
    const environment = readEnvironment(process.env);
    const options = fillOptions(this.given, environment);
    const producer = new Producer(options);
    const { segment, recorder } = producer;
    // Closed before its first use: nobody would stop a thread that started now.
    const engineFactory = this.isClosed ? undefined : this.engineFactory;
    // Before the families: where it is refused, they have to go into the memory of the next start.
    const engine =
      engineFactory?.({ segment, recorder, options }) ?? new InlineEngine(segment, recorder);
    try {
      for (const family of this.families) this.returns.materialise(family, producer, options);
    } catch (error) {
      void engine.close();
      throw error;
    }
    this.families = [];
    if (this.isClosed) recorder.close();
    this.started = { environment, options, producer, engine };
    return this.started;
  }

  private get hasEngine(): boolean {
    return this.engineFactory !== undefined;
  }
}

/** A moment of a pipeline. */
export interface PipelineMark {
  readonly given: OffloopOptions;
  readonly familyCount: number;
}

interface StartedPipeline {
  /** As it was when memory was laid out: a variable that changes later changes nothing. */
  readonly environment: OffloopOptions;
  options: ResolvedOptions;
  readonly producer: Producer;
  engine: Engine;
}

/** An inline engine that is at work already hands over: nothing but the lease changes hands. */
function handOver(
  engineFactory: EngineFactory,
  started: StartedPipeline,
  options: ResolvedOptions,
): void {
  const { segment, recorder } = started.producer;
  recorder.relieveWith(null);
  try {
    started.engine = engineFactory({ segment, recorder, options });
  } catch (error) {
    // It may have got hold of the lease by then: an inline engine takes that back, and the relief.
    started.engine = new InlineEngine(segment, recorder);
    throw error;
  }
}

/** Options that were checked before. A logger is an object, and no branch of options. */
function mergeOptions(before: OffloopOptions, after: OffloopOptions, prefix = ''): OffloopOptions {
  const merged: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined) continue;
    const old = merged[key];
    const isOption = OPTION_RULES[prefix + key] !== undefined;
    merged[key] =
      !isOption && isTree(old) && isTree(value) ? mergeOptions(old, value, `${key}.`) : value;
  }
  return merged;
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param options `hasEngine` is false while any engine can still take over from the inline one. */
function refuseChange(options: {
  readonly had: ResolvedOptions;
  readonly wanted: ResolvedOptions;
  readonly hasEngine: boolean;
}): void {
  for (const [path, rule] of Object.entries(OPTION_RULES)) {
    if (!isFixed(rule, options.hasEngine)) continue;
    const keys = path.split('.');
    const had = JSON.stringify(valueAt(options.had, keys));
    const wanted = JSON.stringify(valueAt(options.wanted, keys));
    if (had === wanted) continue;
    const values = rule.isSecret ? 'another value' : `${had}; got ${wanted}`;
    throw new OffloopError(
      'OFFLOOP_ERR_ALREADY_STARTED',
      `${path} must be given ${MOMENTS[rule.fixedBy as keyof typeof MOMENTS]} with ${values}`,
    );
  }
}

/** By which moment an option has to be there, by what it is baked into. */
const MOMENTS = {
  memory:
    'before the first label set, record or page, when memory is laid out and the engine started',
  engine:
    'with the first metricsMiddleware(options) or getMetrics(options), when the engine is started',
  metrics:
    'with the first metricsMiddleware(options) or getMetrics(options), when the metrics of requests are made',
} as const;

/** Whoever brings the engine makes the metrics of requests as well. */
function isFixed({ fixedBy }: OptionRule, hasEngine: boolean): boolean {
  return fixedBy === 'memory' || (fixedBy !== undefined && hasEngine);
}
