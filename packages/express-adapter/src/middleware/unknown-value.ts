/** An object or a function, whose properties are unknown. */
export type Host = object;

export function isHost(value: unknown): value is Host {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/**
 * Property of something whose shape nobody promises, `undefined` where there is none.
 *
 * Never throws: reading `app.router` does on Express 4.
 */
export function read(host: unknown, key: PropertyKey): unknown {
  if (!isHost(host)) return undefined;
  try {
    const value: unknown = Reflect.get(host, key);
    return value;
  } catch {
    return undefined;
  }
}

/** Sees any object as one that can carry a field of ours under a symbol. */
export function isCarrier<T extends object>(_value: T): _value is T & Carrier {
  return true;
}

export interface Carrier {
  [slot: symbol]: unknown;
}
