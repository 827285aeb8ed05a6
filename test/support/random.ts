/**
 * Seed of this run's random tests. It stands in the titles of the suites that use it; `OFFLOOP_SEED=…` repeats a run.
 */
export const runSeed: number = Number(
  process.env['OFFLOOP_SEED'] ?? Math.floor(Math.random() * 0x7fff_ffff),
);

/** Random numbers that a seed repeats (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number = runSeed) {
    this.#state = seed | 0;
  }

  /** A u32. */
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** In [0, 1). */
  unit(): number {
    return this.word() / 0x1_0000_0000;
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.unit() * limit);
  }

  /** Any double: every pattern of bits, so NaN, infinities and subnormals too. */
  bits(): number {
    const view = new DataView(new ArrayBuffer(8));
    view.setUint32(0, this.word());
    view.setUint32(4, this.word());
    return view.getFloat64(0);
  }

  /** Normally distributed, mean 0, deviation 1. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.unit()));
    return radius * Math.cos(2 * Math.PI * this.unit());
  }
}
