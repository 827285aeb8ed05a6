/**
 * The one object of this process for all copies of a package, its ESM and CommonJS builds, and hot reload: they meet in a symbol of the global
 * object. Made at the first call.
 *
 * @param name Ends with a number, which changes when two copies could no longer work on one object.
 */
export function anchored<Anchored extends object>(name: string, make: () => Anchored): Anchored {
  const existing = anchoredBefore<Anchored>(name);
  if (existing !== undefined) return existing;
  const value = make();
  // Not enumerable: nothing that lists the global object should meet it.
  Object.defineProperty(globalThis, Symbol.for(name), {
    value,
    configurable: true,
    enumerable: false,
    writable: true,
  });
  return value;
}

/** The same, where there is one already. */
export function anchoredBefore<Anchored extends object>(name: string): Anchored | undefined {
  const anchors = globalThis as unknown as Record<symbol, Anchored | undefined>;
  return anchors[Symbol.for(name)];
}
