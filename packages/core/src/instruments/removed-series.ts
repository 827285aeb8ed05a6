import { BLOCK_SUM, LIVE_VALUES_DOUBLE } from '../layout/aggregates.js';
import { COMMIT_STATE, CONSUMER_CURSOR, REUSE_COUNT, ROTATING } from '../layout/control-block.js';
import type { Segment } from '../layout/segment.js';

/** Removed series that are waited for at least, so that readers seldom have to begin again. */
const REUSED_AT_ONCE_MIN = 64;

/** Which blocks are alike: as long, and as far from their neighbours. */
interface BlockShape {
  readonly doubles: number;
  readonly isLive: boolean;
}

/** The entry and block of a removed series. */
export interface Removed extends BlockShape {
  readonly id: number;
  readonly block: number;
  /** Sequence after the last record that may name it. */
  readonly sequence: number;
}

/**
 * Entries and blocks of removed series, until other series get them (layout/catalog.ts has the protocol). The producing thread's own.
 */
export class RemovedSeries {
  private readonly segment: Segment;
  /** In order of removal; records in the ring may still name these. */
  private waiting: Removed[] = [];
  /** These none any more. */
  private passed: Removed[] = [];
  private readonly free = new Map<string, Removed[]>();

  constructor(segment: Segment) {
    this.segment = segment;
  }

  add(removed: Removed): void {
    this.look();
    this.waiting.push(removed);
  }

  /**
   * Notes which the consumer has passed. To be called now and then: sequences wrap, and to one that is left for 2³¹ records the consumer seems not to
   * have come yet.
   */
  look(): void {
    const { waiting } = this;
    if (waiting.length === 0) return;
    const cursor = Atomics.load(this.segment.control, CONSUMER_CURSOR);
    let count = 0;
    while (count < waiting.length && ((cursor - (waiting[count] as Removed).sequence) | 0) >= 0)
      count++;
    if (count > 0) this.passed = this.passed.concat(waiting.splice(0, count));
  }

  /**
   * An entry whose block is of this shape, all zeroes.
   *
   * @param isUrgent  Whether there is no other memory left; else entries are taken back in large numbers or not at all.
   * @param liveCount Series that are not removed.
   */
  take(
    shape: BlockShape,
    { isUrgent, liveCount }: { readonly isUrgent: boolean; readonly liveCount: number },
  ): Removed | undefined {
    const key = keyOf(shape);
    if (!this.free.get(key)?.length) {
      const enough = isUrgent ? 1 : Math.max(REUSED_AT_ONCE_MIN, liveCount / 4);
      if (this.waiting.length + this.passed.length < enough) return undefined;
      this.takeBack();
    }
    const found = this.free.get(key)?.pop();
    if (found !== undefined) clear(this.segment, found);
    return found;
  }

  /** For one that was taken and not used. */
  putBack(removed: Removed): void {
    this.free.get(keyOf(removed))?.push(removed);
  }

  /** Frees what the consumer has passed. */
  private takeBack(): void {
    const { control } = this.segment;
    this.look();
    // Odd: the batch that moved the cursor may not be applied to its end, and may be applied again by a successor.
    if ((Atomics.load(control, COMMIT_STATE) & 1) === 1) return;
    // A consumer that copies may stand on a removed series: it began to walk before the series left its chain (layout/windows.ts).
    if (Atomics.load(control, ROTATING) !== 0) return;
    const { passed } = this;
    if (passed.length === 0) return;
    this.passed = [];
    // Before any of them changes: a reader that has met one sees that it has to begin again.
    Atomics.add(control, REUSE_COUNT, 1);
    for (const removed of passed) {
      const key = keyOf(removed);
      const alike = this.free.get(key);
      if (alike === undefined) this.free.set(key, [removed]);
      else alike.push(removed);
    }
  }
}

function keyOf({ doubles, isLive }: BlockShape): string {
  return `${doubles}${isLive ? ' live' : ''}`;
}

/** Leaves alone what is zero: writing it would make memory resident that nobody has touched. */
function clear({ aggregates }: Segment, { block, doubles, isLive }: Removed): void {
  // A live block's sequence goes on.
  const first = block + (isLive ? LIVE_VALUES_DOUBLE : BLOCK_SUM);
  for (let cell = first; cell < block + doubles; cell++) {
    // By which -0 is not: a gauge would show it.
    if (!Object.is(aggregates[cell], 0)) aggregates[cell] = 0;
  }
}
