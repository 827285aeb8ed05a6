import type { Drain } from '@offloop/core/engine';
import { ResidentDrain } from '@offloop/worker/internal/thread/resident-drain.js';
import { expect } from 'chai';

/** Stands in for the loop of a thread: notes for how long each poll asks to be left alone. */
class FakedLoop {
  readonly pausesMs: number[] = [];
  private readonly real = { setTimeout, setImmediate, clearTimeout, clearImmediate };
  private next: (() => void) | undefined;

  constructor() {
    const later = (ms: number) => (poll: () => void, pauseMs?: number) => {
      this.next = poll;
      this.pausesMs.push(pauseMs ?? ms);
    };
    const never = () => {
      this.next = undefined;
    };
    Object.assign(globalThis, {
      setTimeout: later(-1),
      setImmediate: later(0),
      clearTimeout: never,
      clearImmediate: never,
    });
  }

  get isEmpty(): boolean {
    return this.next === undefined;
  }

  turn(): void {
    const { next } = this;
    this.next = undefined;
    next?.();
  }

  restore(): void {
    Object.assign(globalThis, this.real);
  }
}

describe('a resident drain', () => {
  let loop: FakedLoop;
  beforeEach(() => {
    loop = new FakedLoop();
  });
  afterEach(() => loop.restore());

  /** A drain whose batches are as large as said, and empty from then on. */
  function drainOf(...batches: (number | undefined)[]): Drain & { readonly polls: () => number } {
    let polls = 0;
    const drain = {
      drainBatch: () => {
        const index = polls++;
        return index < batches.length ? batches[index] : 0;
      },
      drainAll: () => true,
      polls: () => polls,
    };
    return drain as unknown as Drain & { readonly polls: () => number };
  }

  it('polls less and less often when it is idle, and goes on for ever', () => {
    const drain = drainOf();
    new ResidentDrain(drain, 10).start();
    for (let turns = 0; turns < 8; turns++) loop.turn();
    expect(loop.pausesMs).to.deep.equal([0, 20, 40, 80, 160, 320, 500, 500, 500]);
    expect(drain.polls()).to.equal(8);
  });

  it('polls often again when more than a few records come', () => {
    new ResidentDrain(drainOf(0, 0, 0, 15, 16, 0, 0), 10).start();
    for (let turns = 0; turns < 7; turns++) loop.turn();
    expect(loop.pausesMs).to.deep.equal([0, 20, 40, 80, 160, 10, 20, 40]);
  });

  it('polls at once again while many records come, and lets the loop turn in between', () => {
    const drain = drainOf(...Array.from({ length: 20 }, () => 32_768));
    new ResidentDrain(drain, 10).start();
    for (let turns = 0; turns < 4; turns++) loop.turn();
    expect(drain.polls(), 'batches').to.equal(8 + 8 + 5 + 1);
    expect(loop.pausesMs).to.deep.equal([0, 0, 0, 10, 20]);
  });

  it('never polls more often than it is told to, however idle', () => {
    new ResidentDrain(drainOf(), 500).start();
    for (let turns = 0; turns < 3; turns++) loop.turn();
    expect(loop.pausesMs).to.deep.equal([0, 500, 500, 500]);
  });

  it('stops for good when the lease is lost', () => {
    const drain = drainOf(10, undefined);
    const resident = new ResidentDrain(drain, 10);
    resident.start();
    loop.turn();
    loop.turn();
    expect(loop.isEmpty).to.equal(true);
    expect(resident.drainAll()).to.equal(false);
    expect(drain.polls()).to.equal(2);
  });

  it('stops when it is told to', () => {
    const resident = new ResidentDrain(drainOf(), 10);
    resident.start();
    loop.turn();
    resident.stop();
    expect(loop.isEmpty).to.equal(true);
  });
});
