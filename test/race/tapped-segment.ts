import { Segment } from '@offloop/core/engine';

/** Thrown in place of a thread's death. */
class Death extends Error {}

/** Called around each store to shared memory: before it and after it a thread may die. */
export type OnStore = (what: string) => void;

/** Views that the consumer stores to without Atomics. */
const PLAIN_VIEWS = [
  'logCells',
  'logValues',
  'aggregates',
  'liveCells',
  'control',
  'readAhead',
  'readAheadCells',
] as const;

/** Atomics that the consumer stores with. */
const STORING_ATOMICS = ['store', 'add', 'compareExchange'] as const;

/**
 * Runs `work` with a view of the segment that tells of each store, so that the real code can be stopped between any two.
 *
 * The stopped code leaves the memory as a thread that dies there: what a thread has stored before it ends is visible to whoever
 * has seen it end.
 */
export function withTappedSegment<Result>(
  segment: Segment,
  onStore: OnStore,
  work: (tapped: Segment) => Result,
): Result {
  const tapped: Record<string, unknown> = { ...segment };
  const originals = new Map<unknown, Int32Array>();
  for (const name of PLAIN_VIEWS) {
    const view = segment[name];
    const proxy = new Proxy(view, {
      // The view's own methods and accessors want the view, and not its proxy.
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
      set: (target, key, value) => {
        onStore(`before ${name}[${String(key)}]`);
        Reflect.set(target, key, value, target);
        onStore(`after ${name}[${String(key)}]`);
        return true;
      },
    });
    tapped[name] = proxy;
    if (view instanceof Int32Array) originals.set(proxy, view);
  }
  const restore = tapAtomics(originals, onStore);
  try {
    return work(tapped as unknown as Segment);
  } finally {
    restore();
  }
}

/** Atomics take no proxies: each operation is told of, and done on the view itself. */
function tapAtomics(originals: ReadonlyMap<unknown, Int32Array>, onStore: OnStore): () => void {
  const atomics = Atomics as unknown as Record<string, (...args: unknown[]) => unknown>;
  const restores = ['load', ...STORING_ATOMICS].map((name) => {
    const operation = atomics[name] as (...args: unknown[]) => unknown;
    atomics[name] = (view, ...args) => {
      const isStore = name !== 'load' && originals.has(view);
      if (isStore) onStore(`before Atomics.${name}(${args.join(', ')})`);
      const result = operation(originals.get(view) ?? view, ...args);
      if (isStore) onStore(`after Atomics.${name}(${args.join(', ')})`);
      return result;
    };
    return () => {
      atomics[name] = operation;
    };
  });
  return () => {
    for (const restore of restores) restore();
  };
}

/** Does work that dies before or after a store, as numbered by the calls of `onStore`. @returns Whether it came so far. */
export function dies(segment: Segment, dyingAt: number, work: (tapped: Segment) => void): boolean {
  let stores = 0;
  const die = () => {
    if (stores++ === dyingAt) throw new Death();
  };
  try {
    withTappedSegment(segment, die, work);
    return false;
  } catch (error) {
    if (error instanceof Death) return true;
    throw error;
  }
}

/** A copy of a segment's memory as it is now. */
export function copySegment({ buffer }: Segment): Segment {
  const copy = new SharedArrayBuffer(buffer.byteLength);
  new Uint8Array(copy).set(new Uint8Array(buffer));
  return Segment.attach(copy);
}
