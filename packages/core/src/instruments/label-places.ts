/** Where labels may lie in the catalog's bytes. */
export interface LabelPlace {
  readonly offset: number;
  /** Bytes that it holds. */
  readonly room: number;
}

/**
 * Places of labels that no series has any more: one that begins gets the smallest that is large enough. The producing thread's own.
 *
 * An entry gets labels of another series only after reuseCount has moved (layout/catalog.ts), so whoever may have met the labels that lay in a place
 * sees that it has to begin again.
 */
export class LabelPlaces {
  /** By their room. */
  private readonly free = new Map<number, number[]>();

  add({ offset, room }: LabelPlace): void {
    const alike = this.free.get(room);
    if (alike === undefined) this.free.set(room, [offset]);
    else alike.push(offset);
  }

  has(bytes: number): boolean {
    return this.smallestFor(bytes) !== undefined;
  }

  /** The smallest place that holds so many bytes. */
  take(bytes: number): LabelPlace | undefined {
    const room = this.smallestFor(bytes);
    if (room === undefined) return undefined;
    const alike = this.free.get(room) as number[];
    const offset = alike.pop() as number;
    if (alike.length === 0) this.free.delete(room);
    return { offset, room };
  }

  /** Rooms are whole units of some bytes, so there are few of them. */
  private smallestFor(bytes: number): number | undefined {
    let smallest: number | undefined;
    for (const room of this.free.keys()) {
      if (room >= bytes && (smallest === undefined || room < smallest)) smallest = room;
    }
    return smallest;
  }
}
