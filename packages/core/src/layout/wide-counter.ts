/**
 * Wide counter: a total of up to 2⁵³ in three u32 cells, with one writer and any number of readers.
 *
 *   cell  field       notes
 *   ────  ──────────  ───────────────────────────────
 *      0  highBefore  stored first
 *      1  low
 *      2  highAfter   stored last
 *
 * Doubles may tear under the ECMAScript memory model and BigInt atomics allocate, so a total wider than a cell is stored as
 * two halves, the high one on both sides of the low one: a reader that finds both equal has read one moment's value.
 */
const TWO_32 = 0x1_0000_0000;

/** Adds `amount` (0 … 2³²-1). Called by the one writer of the counter only. */
export function addToWideCounter(cells: Int32Array, index: number, amount: number): void {
  const low = ((cells[index + 1] as number) >>> 0) + amount;
  const high =
    low >= TWO_32 ? ((cells[index + 2] as number) + 1) | 0 : (cells[index + 2] as number);
  Atomics.store(cells, index, high);
  Atomics.store(cells, index + 1, low | 0);
  Atomics.store(cells, index + 2, high);
}

/** The counter's value, on any thread. Tries again while the writer is between its stores, which lasts nanoseconds. */
export function readWideCounter(cells: Int32Array, index: number): number {
  // Bounded, as the writer's thread may be killed between two stores; then the last reading is at most one carry off.
  for (let attempt = 0; ; attempt++) {
    const highAfter = Atomics.load(cells, index + 2);
    const low = Atomics.load(cells, index + 1) >>> 0;
    if (Atomics.load(cells, index) === highAfter || attempt === 1000)
      return highAfter * TWO_32 + low;
  }
}
