import type { Pipeline } from '../../engine/pipeline.js';
import { OffloopError, OffloopTypeError, showValue } from '../../errors.js';
import { register as globalRegister, type Registry } from '../../instruments/registry.js';
import { hookTable, type TabledHook } from '../hook-table.js';
import { refuseShape } from '../library-shape.js';
import {
  hasMethod,
  isReplaceable,
  type ReplacedMethod,
  replaceMethod,
} from '../replaced-method.js';
import {
  type AnyCache,
  CACHE_LIBRARIES,
  type CacheLibrary,
  type CacheMethods,
  type CacheRules,
  GENERIC_RULES,
  hasShape,
  libraryOf,
  rulesOf,
} from './cache-libraries.js';
import { type CacheOperation, CacheSeries, cacheFamilies } from './cache-series.js';
import { type HookState, hookedCall, hookedInternal } from './hooked-call.js';

/** What a cache is hooked with. */
export interface CacheHookOptions {
  /** Value of the label `cache`. Two caches of one name count together. */
  readonly name: string;
  /** Whose cache it is. Default: told by its shape; any other object is hooked by the names of its methods. */
  readonly kind?: CacheLibrary | undefined;
  /** Names of methods by what they do, in place of the default's for the operations that are given. */
  readonly methods?: CacheMethods | undefined;
  /** Whether what a look-up gave was found. Default: the library's rule; of other caches neither undefined nor null. */
  readonly isHit?: ((value: unknown) => boolean) | undefined;
  /** Default: the global `register`. */
  readonly register?: Registry | undefined;
}

/**
 * Counts and times the calls of a cache, and takes itself off again without a trace.
 *
 * @see docs/hooks.md#caches
 * @example
 * const sessions = new Map<string, string>();
 * const hook = CacheMetricsHook.hook(sessions, { name: 'sessions' });
 * sessions.get('a');
 * hook.unhook();
 */
export class CacheMetricsHook implements TabledHook {
  /** Value of the label `cache`. */
  readonly name: string;
  /** Whose cache it is; `undefined` for one that is no library's. */
  readonly kind: CacheLibrary | undefined;
  /** The registry that shows the numbers. */
  readonly register: Registry;
  /** Where they are counted. */
  readonly pipeline: Pipeline;
  private readonly cache: WeakRef<object>;
  private readonly state: HookState;
  private replaced: readonly ReplacedMethod[] = [];
  private stopListening: (() => void) | undefined;

  /**
   * Hooks a cache. One that is hooked already keeps its hook.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_HOOK` for an object that has no method to hook, or lets none be replaced, and for a cache that is hooked
   *   under another name or for another registry; `OFFLOOP_ERR_LIBRARY_ABSENT` where `kind` names one that is not installed;
   *   `OFFLOOP_ERR_DUPLICATE_METRIC`, `OFFLOOP_ERR_FAMILIES_FULL`, `OFFLOOP_ERR_CATALOG_FULL`. The cache is as it was then.
   * @throws {TypeError} `OFFLOOP_ERR_ARGUMENT`
   */
  static hook(cache: object, options: CacheHookOptions): CacheMetricsHook {
    checkOptions(cache, options);
    const { hooks } = hookTable();
    const known = hooks.get(cache) as CacheMetricsHook | undefined;
    if (known === undefined) return new CacheMetricsHook(cache, options);
    const { name, register = globalRegister } = options;
    if (known.name !== name || known.register !== register) {
      throw new OffloopError(
        'OFFLOOP_ERR_HOOK',
        `cache must be hooked once: it is, as ${showValue(known.name)}, got ${showValue(name)}${known.name === name ? ' for another registry' : ''}`,
      );
    }
    // Registers them again where the registry was cleared meanwhile.
    cacheFamilies(register);
    return known;
  }

  /** Takes the hook of a cache off. @returns Whether it had one. */
  static unhook(cache: object): boolean {
    const known = hookTable().hooks.get(cache);
    if (known === undefined) return false;
    known.unhook();
    return true;
  }

  /** Takes the hooks of every cache off whose numbers go to a registry, by default the global one. */
  static unhookAll({
    register = globalRegister,
  }: {
    readonly register?: Registry | undefined;
  } = {}): void {
    for (const hook of [...hookTable().all]) {
      if ((hook as Partial<CacheMetricsHook>).register === register) hook.unhook();
    }
  }

  private constructor(cache: object, options: CacheHookOptions) {
    const { name, register = globalRegister, isHit } = options;
    this.name = name;
    this.register = register;
    this.kind = options.kind ?? libraryOf(cache as AnyCache);
    const rules = this.kind === undefined ? GENERIC_RULES : rulesOf(this.kind);
    const methods = methodsToHook(cache, { ...rules.methods, ...givenOf(options.methods) });
    const series = new CacheSeries(cacheFamilies(register), name);
    this.pipeline = series.pipeline;
    this.cache = new WeakRef(cache);
    this.state = {
      cache: cache as AnyCache,
      series,
      rules: { ...rules, isHit: isHit ?? rules.isHit },
      storedPromises: new WeakSet(),
      isOn: true,
      isInside: false,
      innerCalls: 0,
    };
    this.install(cache, methods, rules);
    const table = hookTable();
    table.hooks.set(cache, this);
    table.all.add(this);
  }

  /** Whether it still counts. */
  get isHooked(): boolean {
    return this.state.isOn;
  }

  /** Puts the cache's methods back as they were. A call that is under way is counted when it ends. Calling it again changes nothing. */
  unhook(): void {
    if (!this.state.isOn) return;
    this.state.isOn = false;
    this.takeOff();
    const table = hookTable();
    table.all.delete(this);
    const cache = this.cache.deref();
    if (cache !== undefined) table.hooks.delete(cache);
  }

  private install(cache: object, methods: readonly HookedMethod[], rules: CacheRules): void {
    const { state } = this;
    const replaced: ReplacedMethod[] = [];
    this.replaced = replaced;
    try {
      for (const { method, operation } of methods) {
        replaced.push(
          replaceMethod(cache, method, (original) => hookedCall(original, operation, state)),
        );
      }
      for (const method of rules.internal ?? []) {
        if (!hasMethod(cache, method) || !isReplaceable(cache, method)) continue;
        replaced.push(replaceMethod(cache, method, (original) => hookedInternal(original, state)));
      }
      if (rules.room !== undefined) state.series.evicted('capacity', 0);
      this.stopListening = rules.listen?.(state.cache, (reason) => state.series.evicted(reason, 1));
    } catch (error) {
      state.isOn = false;
      this.takeOff();
      throw new OffloopError('OFFLOOP_ERR_HOOK', 'cache must let its methods be replaced', {
        cause: error,
      });
    }
  }

  private takeOff(): void {
    // In the opposite order, as two names may lead to one property.
    for (const method of [...this.replaced].reverse()) method.restore();
    this.replaced = [];
    this.stopListening?.();
    this.stopListening = undefined;
  }
}

interface HookedMethod {
  readonly operation: CacheOperation;
  readonly method: string;
}

const OPERATIONS: readonly CacheOperation[] = [
  'get',
  'mget',
  'wrap',
  'has',
  'set',
  'delete',
  'clear',
];

function checkOptions(cache: object, options: CacheHookOptions): void {
  const refuse = (message: string): never => {
    throw new OffloopTypeError('OFFLOOP_ERR_ARGUMENT', message);
  };
  if (!isObject(cache)) refuse(`cache must be an object, got ${showValue(cache)}`);
  if (!isObject(options)) refuse(`options must be an object, got ${showValue(options)}`);
  const { name, kind, isHit, methods = {} } = options;
  if (typeof name !== 'string' || name === '')
    refuse(`options.name must be a text that is not empty, got ${showValue(name)}`);
  if (isHit !== undefined && typeof isHit !== 'function')
    refuse(`options.isHit must be a function, got ${showValue(isHit)}`);
  if (!isObject(methods)) refuse(`options.methods must be an object, got ${showValue(methods)}`);
  for (const [operation, names] of Object.entries(methods)) {
    if (!OPERATIONS.includes(operation as CacheOperation))
      refuse(
        `options.methods must name operations (${OPERATIONS.join(', ')}), got ${showValue(operation)}`,
      );
    const isList =
      names === undefined ||
      (Array.isArray(names) && names.every((method) => typeof method === 'string'));
    if (!isList) refuse(`options.methods.${operation} must be an array of texts`);
  }
  if (kind === undefined) return;
  if (!CACHE_LIBRARIES.includes(kind))
    refuse(`options.kind must be one of ${CACHE_LIBRARIES.join(', ')}, got ${showValue(kind)}`);
  const rules = rulesOf(kind);
  if (!hasShape(cache as AnyCache, rules))
    refuseShape({
      path: 'options.kind',
      library: kind,
      packageName: rules.packageName ?? kind,
    });
}

function isObject(value: unknown): boolean {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** What is undefined counts as not given. */
function givenOf(methods: CacheMethods = {}): CacheMethods {
  return Object.fromEntries(Object.entries(methods).filter(([, names]) => names !== undefined));
}

function methodsToHook(cache: object, methods: CacheMethods): HookedMethod[] {
  const found = OPERATIONS.flatMap((operation) =>
    (methods[operation] ?? [])
      .filter((method) => hasMethod(cache, method))
      .map((method) => ({ operation, method })),
  );
  if (found.length === 0) {
    throw new OffloopError(
      'OFFLOOP_ERR_HOOK',
      `cache must have a method to hook, got none of ${Object.values(methods).flat().join(', ')}`,
    );
  }
  const fixed = found.find(({ method }) => !isReplaceable(cache, method));
  if (fixed !== undefined) {
    throw new OffloopError(
      'OFFLOOP_ERR_HOOK',
      `cache must let its methods be replaced, got one whose ${fixed.method} is fixed`,
    );
  }
  return found;
}
