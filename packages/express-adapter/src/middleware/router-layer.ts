import { types } from 'node:util';
import { compiledPathOf } from './compiled-path.js';
import {
  DeclaredPath,
  type LayerPath,
  type LengthMatcher,
  lengthMatcherOf,
  NO_MATCH,
  UNKNOWN_PART,
} from './layer-path.js';
import { type PathMatch, type PathMatcher, ProbedPath } from './probed-path.js';
import { isRawPath, type RawPath, templateOf } from './raw-path.js';
import { type Host, isHost, read } from './unknown-value.js';

/** A router, or an app, whose layers can be seen. */
export interface VisibleRouter {
  readonly stack: readonly unknown[];
  readonly isStrict: boolean;
}

/** The layers of an app (of either major), of a router, or of whatever passes for one; `undefined` of anything else. */
export function visibleRouterOf(handler: unknown): VisibleRouter | undefined {
  // An app has its router in `_router` on Express 4, where reading `router` throws, at the cost of 100 µs, and in `router` on Express 5.
  return (
    routerOf(handler) ?? routerOf(read(handler, '_router')) ?? routerOf(read(handler, 'router'))
  );
}

function routerOf(router: unknown): VisibleRouter | undefined {
  const stack = read(router, 'stack');
  return Array.isArray(stack) ? { stack, isStrict: read(router, 'strict') === true } : undefined;
}

/** Path of a layer that leads to a route. */
export function routePathOf(layer: Host, { isStrict }: { isStrict: boolean }): LayerPath {
  const routePath = read(read(layer, 'route'), 'path');
  return layerPathOf(layer, {
    declared: isRawPath(routePath) ? routePath : undefined,
    isStrict,
    isWhole: true,
  });
}

/** Path of a layer made by `use`. */
export function mountPathOf(layer: Host): LayerPath {
  return layerPathOf(layer, { declared: undefined, isStrict: false, isWhole: false });
}

/** Whether the layer is for every path, as `use` makes it of a function alone. Sure of a yes, not of a no. */
export function isForAllPaths(layer: Host): boolean {
  return read(layer, 'slash') === true || read(read(layer, 'regexp'), 'fast_slash') === true;
}

/** Path of a route whose layer cannot be seen, compiled as a layer of this kind would compile it. */
export function compiledLike(layer: Host, route: unknown): LayerPath | undefined {
  const layerClass = read(layer, 'constructor');
  const path = read(route, 'path');
  if (typeof layerClass !== 'function' || !isRawPath(path)) return undefined;
  try {
    const options = { sensitive: false, strict: false, end: true };
    const own: unknown = Reflect.construct(layerClass, [path, options, () => {}]);
    if (!isHost(own)) return undefined;
    return layerPathOf(own, { declared: path, isStrict: false, isWhole: true });
  } catch {
    return undefined;
  }
}

interface LayerPathOptions {
  /** The path as typed, where something beside the layer remembers it. */
  readonly declared: RawPath | undefined;
  readonly isStrict: boolean;
  readonly isWhole: boolean;
}

function layerPathOf(layer: Host, { declared, isStrict, isWhole }: LayerPathOptions): LayerPath {
  const regexp = read(layer, 'regexp');
  if (types.isRegExp(regexp)) {
    return compiledPathOf(layer, regexp, { routePath: declared, isStrict, isWhole });
  }
  if (read(layer, 'slash') === true) return new DeclaredPath([''], [() => 0]);
  const matchers = pathMatchersOf(read(layer, 'matchers'));
  // Releases of router 2 since 2.3 keep the path as typed on every layer.
  const rawPath = read(layer, 'rawPath');
  const path = declared ?? (isRawPath(rawPath) ? rawPath : undefined);
  if (path === undefined) {
    if (matchers.length > 0) return new ProbedPath(matchers);
    return new DeclaredPath([UNKNOWN_PART], [() => NO_MATCH]);
  }
  return declaredPathOf(path, matchers);
}

function declaredPathOf(path: RawPath, matchers: readonly PathMatcher[]): LayerPath {
  // Releases before 2.3 have a matcher for each member of the outermost array, later ones for each member of all.
  const flat = Array.isArray(path) ? path.flat(Number.POSITIVE_INFINITY) : [path];
  const parts: readonly RawPath[] =
    Array.isArray(path) && path.length === matchers.length ? path : flat;
  return new DeclaredPath(
    parts.map(templateOf),
    parts.map((part, index) => lengthMatcherLike(part, matchers[index])),
  );
}

function lengthMatcherLike(path: RawPath, matcher: PathMatcher | undefined): LengthMatcher {
  if (types.isRegExp(path)) return lengthMatcherOf(path);
  return (text) => matcher?.(text)?.path.length ?? NO_MATCH;
}

function pathMatchersOf(matchers: unknown): PathMatcher[] {
  if (!Array.isArray(matchers)) return [];
  return matchers.map((matcher: unknown) => (path: string) => {
    if (typeof matcher !== 'function') return undefined;
    try {
      const found: unknown = Reflect.apply(matcher, undefined, [path]);
      return isPathMatch(found) ? found : undefined;
    } catch {
      // A parameter that is no valid percent-encoding.
      return undefined;
    }
  });
}

function isPathMatch(value: unknown): value is PathMatch {
  if (typeof read(value, 'path') !== 'string') return false;
  const params = read(value, 'params');
  return isHost(params) && Object.values(params).every(isParameterValue);
}

function isParameterValue(value: unknown): boolean {
  if (typeof value === 'string') return true;
  return Array.isArray(value) && value.every((part) => typeof part === 'string');
}
