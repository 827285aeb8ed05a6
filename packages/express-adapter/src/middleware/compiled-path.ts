import { types } from 'node:util';
import {
  DeclaredPath,
  type LayerPath,
  type LengthMatcher,
  lengthMatcherOf,
  NO_MATCH,
} from './layer-path.js';
import { decompile } from './path-decompiler.js';
import { type RawPath, templateOf } from './raw-path.js';
import { type Host, read } from './unknown-value.js';

/** How a router compiles the paths of its layers. */
export interface CompileOptions {
  readonly isStrict: boolean;
  /** Whether the path has to be matched whole (a route) or at its beginning (a mount). */
  readonly isWhole: boolean;
}

/**
 * Path of a layer of Express 4 or router 1, which keep of a mount's path only the expression it was compiled to.
 *
 * @param routePath The path as typed, which a route keeps, and a mount does not.
 */
export function compiledPathOf(
  layer: Host,
  regexp: RegExp,
  { routePath, ...options }: CompileOptions & { routePath: RawPath | undefined },
): LayerPath {
  if (read(regexp, 'fast_slash') === true) return new DeclaredPath([''], [() => 0]);
  const compiler = new Compiler(layer, { ...options, isSensitive: !regexp.flags.includes('i') });
  const path = routePath ?? originalOr(regexp, read(layer, 'keys'), compiler);
  const alternatives = Array.isArray(path) ? path.flat(Number.POSITIVE_INFINITY) : [path];
  if (alternatives.length === 1) {
    return new DeclaredPath([templateOf(path)], [matcherOf(regexp)]);
  }
  return new DeclaredPath(
    alternatives.map(templateOf),
    alternatives.map((alternative) => matcherOf(compiler.compile(alternative)?.regexp)),
  );
}

function matcherOf(regexp: RegExp | undefined): LengthMatcher {
  if (regexp === undefined) return () => NO_MATCH;
  // What Express does for the path `*`, which matches even where its expression would not (a line break in the path).
  if (read(regexp, 'fast_star') === true) return (path) => path.length;
  return lengthMatcherOf(regexp);
}

function originalOr(regexp: RegExp, keys: unknown, compiler: Compiler): RawPath {
  try {
    return originalOf(regexp, keys, compiler);
  } catch {
    // A guess that is no expression.
    return regexp;
  }
}

/**
 * The path that was compiled to an expression: a guess, which counts only if compiling it again gives the same expression
 * and the same parameter names. Otherwise the expression itself, which is what a user's own RegExp is in any case.
 */
function originalOf(regexp: RegExp, keys: unknown, compiler: Compiler): RawPath {
  const names = keyNames(keys);
  const paths = decompile(regexp.source, names).map(({ path, source }) => {
    const isString = path !== undefined && compiler.compile(path)?.regexp.source === source;
    return isString ? path : new RegExp(source, regexp.flags);
  });
  // A RegExp with bars in it is one path and not several.
  if (!paths.some((path) => typeof path === 'string')) return regexp;
  const path = paths.length === 1 ? (paths[0] ?? regexp) : paths;
  const again = compiler.compile(path);
  const isSame =
    again !== undefined &&
    again.regexp.source === regexp.source &&
    again.names.length === names.length &&
    again.names.every((name, index) => name === names[index]);
  return isSame ? path : regexp;
}

interface Compiled {
  readonly regexp: RegExp;
  readonly names: readonly string[];
}

/** Compiles paths by the very code that compiled the layer's, its constructor, which has no effect besides. */
class Compiler {
  readonly #layerClass: unknown;
  readonly #options: object;

  constructor(layer: Host, options: CompileOptions & { isSensitive: boolean }) {
    this.#layerClass = read(layer, 'constructor');
    this.#options = {
      sensitive: options.isSensitive,
      strict: options.isStrict,
      end: options.isWhole,
    };
  }

  compile(path: RawPath): Compiled | undefined {
    if (typeof this.#layerClass !== 'function') return undefined;
    try {
      const layer: unknown = Reflect.construct(this.#layerClass, [path, this.#options, () => {}]);
      const regexp = read(layer, 'regexp');
      return types.isRegExp(regexp) ? { regexp, names: keyNames(read(layer, 'keys')) } : undefined;
    } catch {
      return undefined;
    }
  }
}

function keyNames(keys: unknown): string[] {
  return Array.isArray(keys) ? keys.map((key: unknown) => String(read(key, 'name'))) : [];
}
