import type { ExpositionRequest, Page } from '../exposition/render.js';
import type { PageReader, PageSink } from './page-chunk.js';
import { PageCollector } from './page-collector.js';
import { SharedPage } from './shared-page.js';

/** Pages that are rendered at the same time, whatever they show; each holds the values that it shows in memory. */
const PAGES_AT_WORK_MAX = 4;

/** Makes a page. Settles when it is over; a page that nobody wants any more is no error. */
export type MakePage = (
  request: ExpositionRequest,
  sink: PageSink,
  signal: AbortSignal,
) => Promise<void>;

/** Renderings of one page. */
interface Lane {
  /** The one at work; settled afterwards, never rejects. */
  running: Promise<void> | undefined;
  /** The one that has not begun: whoever asks for the page joins it. */
  waiting: WaitingPage | undefined;
}

interface WaitingPage {
  readonly shared: SharedPage;
  /** For those who want it whole. */
  whole: Promise<Page> | undefined;
}

/**
 * Lets those who ask for the same page at the same time share one rendering.
 *
 * A page includes everything recorded before it was asked for, so nobody joins a rendering that has begun. They join the next, of which there
 * is one: however many ask, at most one is at work and one waits.
 */
export class SharedRenders {
  private readonly make: MakePage;
  private readonly lanes = new Map<string, Lane>();
  private readonly queue: (() => void)[] = [];
  private atWorkCount = 0;

  constructor(make: MakePage) {
    this.make = make;
  }

  /** The page whole. Begins in a later microtask. Rejects, for everybody who shares it, with what the rendering throws. */
  render(request: ExpositionRequest): Promise<Page> {
    const waiting = this.join(request);
    if (waiting.whole === undefined) {
      const collector = new PageCollector();
      waiting.shared.add(collector);
      waiting.whole = collector.page;
    }
    return waiting.whole;
  }

  /**
   * The page chunk by chunk.
   *
   * @returns What the reader calls when it wants no more of it: rendering stops when nobody does.
   */
  stream(request: ExpositionRequest, reader: PageReader): () => void {
    return this.join(request).shared.add(reader);
  }

  private join(request: ExpositionRequest): WaitingPage {
    // Of every field, also one that comes later: what is left out here would give somebody another's page.
    const key = JSON.stringify(Object.entries(request).sort(), showNumbers);
    let lane = this.lanes.get(key);
    if (lane === undefined) {
      lane = { running: undefined, waiting: undefined };
      this.lanes.set(key, lane);
    }
    if (lane.waiting === undefined) {
      lane.waiting = { shared: new SharedPage(), whole: undefined };
      void this.renderNext(lane, { key, request, shared: lane.waiting.shared });
    }
    return lane.waiting;
  }

  private async renderNext(
    lane: Lane,
    of: {
      readonly key: string;
      readonly request: ExpositionRequest;
      readonly shared: SharedPage;
    },
  ): Promise<void> {
    await lane.running;
    // Whoever is called from the queue has the place of the one that is done.
    if (this.atWorkCount < PAGES_AT_WORK_MAX) this.atWorkCount++;
    else await new Promise<void>((resolve) => this.queue.push(resolve));
    lane.waiting = undefined;
    const running = this.fill(of.shared, of.request);
    lane.running = running;
    await running;
    const next = this.queue.shift();
    if (next === undefined) this.atWorkCount--;
    else next();
    if (lane.waiting === undefined && lane.running === running) this.lanes.delete(of.key);
  }

  private async fill(shared: SharedPage, request: ExpositionRequest): Promise<void> {
    try {
      if (shared.begin()) await this.make(request, shared, shared.signal);
      shared.finish();
    } catch (error) {
      shared.fail(error);
    }
  }
}

/** JSON has one word, null, for every number that is not finite. */
function showNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
