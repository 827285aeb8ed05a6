import type { ExpositionRequest, Page } from '../exposition/render.js';

/** Renderings of one page. */
interface Lane {
  /** The one at work; settled afterwards, never rejects. */
  running: Promise<void> | undefined;
  /** The one that has not begun: whoever asks for the page joins it. */
  waiting: Promise<Page> | undefined;
}

/**
 * Lets those who ask for the same page at the same time share one rendering.
 *
 * A page includes everything recorded before it was asked for, so nobody joins a rendering that has begun. They join the next, of which there
 * is one: however many ask, at most one is at work and one waits.
 */
export class SharedRenders {
  private readonly make: (request: ExpositionRequest) => Promise<Page>;
  private readonly lanes = new Map<string, Lane>();

  constructor(make: (request: ExpositionRequest) => Promise<Page>) {
    this.make = make;
  }

  /** Begins in a later microtask. Rejects, for everybody who shares it, with what the rendering throws. */
  render(request: ExpositionRequest): Promise<Page> {
    // Of every field, also one that comes later: what is left out here would give somebody another's page.
    const key = JSON.stringify(Object.entries(request).sort(), showNumbers);
    let lane = this.lanes.get(key);
    if (lane === undefined) {
      lane = { running: undefined, waiting: undefined };
      this.lanes.set(key, lane);
    }
    lane.waiting ??= this.renderNext(lane, { key, request });
    return lane.waiting;
  }

  private async renderNext(
    lane: Lane,
    of: { readonly key: string; readonly request: ExpositionRequest },
  ): Promise<Page> {
    await lane.running;
    lane.waiting = undefined;
    const page = this.make(of.request);
    const settled = () => {};
    const running = page.then(settled, settled);
    lane.running = running;
    try {
      return await page;
    } finally {
      if (lane.waiting === undefined && lane.running === running) this.lanes.delete(of.key);
    }
  }
}

/** JSON has one word, null, for every number that is not finite. */
function showNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
