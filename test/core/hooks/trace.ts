/** Everything that can be told of an object's properties. */
export function traceOf(target: object): unknown {
  return Reflect.ownKeys(target).map((key) => [key, Object.getOwnPropertyDescriptor(target, key)]);
}
