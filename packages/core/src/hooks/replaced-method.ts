/** A function as it stands on an object that is hooked. */
export type Method = (this: unknown, ...args: readonly unknown[]) => unknown;

/** A method that was replaced. */
export interface ReplacedMethod {
  /** Puts the property back exactly as it was; one that somebody else has replaced since stays. */
  restore(): void;
}

/** The property that a look-up of the method finds. */
interface Found {
  readonly isOwn: boolean;
  readonly descriptor: PropertyDescriptor;
}

/** Whether a look-up finds a function there. Never throws: a getter may. */
export function hasMethod(target: object, key: string): boolean {
  try {
    return typeof Reflect.get(target, key) === 'function';
  } catch {
    return false;
  }
}

/** Whether the object lets the method be replaced, and put back. */
export function isReplaceable(target: object, key: string): boolean {
  const own = Object.getOwnPropertyDescriptor(target, key);
  if (own === undefined) return Object.isExtensible(target);
  return own.configurable === true || own.writable === true;
}

/**
 * Replaces a method of one object, wherever it comes from: its own property, its class, a getter of either. What was the object's own
 * keeps its attributes; what was not becomes a property that no enumeration shows.
 */
export function replaceMethod(
  target: object,
  key: string,
  wrap: (original: Method) => Method,
): ReplacedMethod {
  const found = find(target, key) as Found;
  const replacement =
    found.descriptor.get === undefined
      ? replacedValue(found, wrap)
      : replacedGetter(found.descriptor as Getter, found.isOwn, wrap);
  Object.defineProperty(target, key, replacement);
  return {
    restore: () => {
      const current = Object.getOwnPropertyDescriptor(target, key);
      if (current?.value !== replacement.value || current?.get !== replacement.get) return;
      if (found.isOwn) Object.defineProperty(target, key, found.descriptor);
      else Reflect.deleteProperty(target, key);
    },
  };
}

type Getter = PropertyDescriptor & { readonly get: () => unknown };

function find(target: object, key: string): Found | undefined {
  for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at)) {
    const descriptor = Object.getOwnPropertyDescriptor(at, key);
    if (descriptor !== undefined) return { isOwn: at === target, descriptor };
  }
  return undefined;
}

function replacedValue(
  { isOwn, descriptor }: Found,
  wrap: (original: Method) => Method,
): PropertyDescriptor {
  const value = disguised(wrap(descriptor.value as Method), descriptor.value as Method);
  return isOwn
    ? { ...descriptor, value }
    : { value, writable: true, configurable: true, enumerable: false };
}

/** The getter goes on running at each look-up, on the `this` of that; the functions that it gives are wrapped once each. */
function replacedGetter(
  descriptor: Getter,
  isOwn: boolean,
  wrap: (original: Method) => Method,
): PropertyDescriptor {
  const wrapped = new WeakMap<object, Method>();
  function get(this: unknown): unknown {
    const original: unknown = Reflect.apply(descriptor.get, this, []);
    if (typeof original !== 'function') return original;
    let method = wrapped.get(original);
    if (method === undefined) {
      method = disguised(wrap(original as Method), original as Method);
      wrapped.set(original, method);
    }
    return method;
  }
  return {
    get,
    ...(descriptor.set === undefined ? {} : { set: descriptor.set }),
    configurable: true,
    enumerable: isOwn && descriptor.enumerable === true,
  };
}

/** Under the name and number of parameters of the original, which some libraries read. */
function disguised(method: Method, original: Method): Method {
  for (const key of ['name', 'length']) {
    const descriptor = Object.getOwnPropertyDescriptor(original, key);
    if (descriptor !== undefined)
      Object.defineProperty(method, key, { ...descriptor, configurable: true });
  }
  return method;
}
