import type { CacheOperation, EvictionReason } from './cache-series.js';

/** Libraries that have a hook of their own. */
export type CacheLibrary =
  | 'lru-cache'
  | 'keyv'
  | 'cache-manager'
  | 'node-cache'
  | 'ioredis'
  | 'node-redis';

/** Methods by what they do; several names may do the same. */
export type CacheMethods = {
  readonly [Operation in CacheOperation]?: readonly string[] | undefined;
};

/** A cache, as far as hooks look into it. */
export type AnyCache = Readonly<Record<string, unknown>>;

/** How a library's caches are hooked. */
export interface CacheRules {
  /** What an error message calls it: the name of its package. */
  readonly packageName?: string;
  /** Properties that its caches have and others do not: functions, or where it ends in `?` anything. */
  readonly shape: readonly string[];
  readonly methods: CacheMethods;
  /** Methods that it calls by itself, and what they call is not its user's doing. */
  readonly internal?: readonly string[];
  /** Whether a value that a look-up gave is one that was found; `undefined` where it says neither. */
  readonly isHit: (value: unknown) => boolean | undefined;
  /** Whether `get` takes several keys as well. */
  readonly getsMany?: boolean;
  /** Whether its methods answer at once: a promise is a value then. Default: what they return tells. */
  readonly isSynchronous?: boolean;
  /** Whether its methods may answer by a callback, so that nothing is known of a call when it returns. */
  readonly mayCallBack?: boolean;
  /** Counts the values that a `set` pushes out; what is given before is given back after. */
  readonly room?: RoomRule;
  /** Tells of values that it lets go of; returns what stops it. */
  readonly listen?: (cache: AnyCache, tell: (reason: EvictionReason) => void) => () => void;
}

/** How full a cache is: what is missing of the values beside the one of a key after that was set was pushed out by it. */
export interface RoomRule {
  size(cache: AnyCache): number;
  /** Whether there is a value of the key, fresh or not. */
  holds(cache: AnyCache, key: unknown): boolean;
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null;
const isDefined = (value: unknown): boolean => value !== undefined;

const GENERIC: CacheRules = {
  shape: [],
  methods: {
    get: ['get'],
    mget: ['mget', 'getMany'],
    has: ['has', 'hasMany'],
    set: ['set', 'mset', 'setMany'],
    delete: ['delete', 'del', 'deleteMany', 'mdel'],
    clear: ['clear'],
  },
  isHit: isThere,
  mayCallBack: true,
};

/** Of a Redis client: a command inside of a transaction is answered by this, and nothing is known of its value yet. */
const QUEUED = 'QUEUED';
const isRedisHit = (value: unknown): boolean | undefined =>
  value === QUEUED ? undefined : isThere(value);

/** By what lru-cache tells without being changed by it: `has()` would refresh ages, and report to its diagnostics channel. */
const LRU_ROOM: RoomRule = {
  size: (cache) => (cache as unknown as { readonly size: number }).size,
  holds: (cache, key) => {
    const { getRemainingTTL } = cache as unknown as {
      readonly getRemainingTTL: (key: unknown) => number;
    };
    return Reflect.apply(getRemainingTTL, cache, [key]) !== 0;
  },
};

const RULES: Readonly<Record<CacheLibrary, CacheRules>> = {
  'lru-cache': {
    shape: ['peek', 'purgeStale', 'getRemainingTTL', 'rkeys'],
    methods: {
      get: ['get'],
      has: ['has'],
      set: ['set'],
      delete: ['delete'],
      clear: ['clear'],
    },
    // What is set to undefined is deleted.
    isHit: isDefined,
    room: LRU_ROOM,
  },
  keyv: {
    shape: ['get', 'getMany', 'setMany', 'deleteMany', 'disconnect', 'namespace?'],
    methods: {
      get: ['get', 'getRaw'],
      mget: ['getMany', 'getManyRaw'],
      // Keyv 5 makes one of `has` of each key of `hasMany`, later.
      has: ['has'],
      set: ['set', 'setRaw', 'setMany', 'setManyRaw'],
      delete: ['delete', 'deleteMany'],
      clear: ['clear'],
    },
    isHit: isDefined,
    getsMany: true,
  },
  'cache-manager': {
    shape: ['mget', 'mset', 'mdel', 'wrap', 'ttl', 'stores?'],
    methods: {
      get: ['get'],
      mget: ['mget'],
      wrap: ['wrap'],
      set: ['set', 'mset'],
      delete: ['del', 'mdel'],
      clear: ['clear'],
    },
    isHit: isDefined,
  },
  'node-cache': {
    shape: ['mget', 'mset', 'take', 'getTtl', 'flushAll', 'getStats'],
    methods: {
      get: ['get', 'take'],
      mget: ['mget'],
      has: ['has'],
      set: ['set', 'mset'],
      delete: ['del'],
      clear: ['flushAll'],
    },
    internal: ['_checkData'],
    isHit: isDefined,
    // It gives copies, also of promises that were stored.
    isSynchronous: true,
    listen: onExpired,
  },
  ioredis: {
    shape: ['getBuffer', 'mgetBuffer', 'pipeline', 'sendCommand', 'defineCommand'],
    methods: {
      get: ['get', 'getBuffer', 'getex', 'getexBuffer', 'getdel', 'getdelBuffer'],
      mget: ['mget', 'mgetBuffer'],
      has: ['exists'],
      set: ['set', 'setBuffer', 'setex', 'psetex', 'setnx', 'mset', 'msetnx'],
      delete: ['del', 'unlink'],
      clear: ['flushdb', 'flushall'],
    },
    isHit: isRedisHit,
  },
  'node-redis': {
    packageName: 'redis',
    shape: ['MGET', 'mGet', 'FLUSHDB', 'flushDb', 'withTypeMapping'],
    methods: {
      get: ['get', 'GET', 'getEx', 'GETEX', 'getDel', 'GETDEL'],
      mget: ['mGet', 'MGET'],
      has: ['exists', 'EXISTS'],
      set: [
        'set',
        'SET',
        'setEx',
        'SETEX',
        'pSetEx',
        'PSETEX',
        'setNX',
        'SETNX',
        'mSet',
        'MSET',
        'mSetNX',
        'MSETNX',
      ],
      delete: ['del', 'DEL', 'unlink', 'UNLINK'],
      clear: ['flushDb', 'FLUSHDB', 'flushAll', 'FLUSHALL'],
    },
    isHit: isRedisHit,
  },
};

/** The library's own rules. */
export function rulesOf(library: CacheLibrary): CacheRules {
  return RULES[library];
}

/** Names of the libraries, for whoever checks one. */
export const CACHE_LIBRARIES = Object.keys(RULES) as readonly CacheLibrary[];

/** The library that a cache is of, by its shape; `undefined` for any other object. */
export function libraryOf(cache: AnyCache): CacheLibrary | undefined {
  return CACHE_LIBRARIES.find((library) => hasShape(cache, RULES[library]));
}

/** Rules for objects that are no library's. */
export const GENERIC_RULES: CacheRules = GENERIC;

/** Whether a cache has what the library's caches have. */
export function hasShape(cache: AnyCache, { shape }: CacheRules): boolean {
  try {
    return shape.every((part) =>
      part.endsWith('?') ? part.slice(0, -1) in cache : typeof cache[part] === 'function',
    );
  } catch {
    return false;
  }
}

function onExpired(cache: AnyCache, tell: (reason: EvictionReason) => void): () => void {
  const { on, off } = cache as unknown as Readonly<
    Record<'on' | 'off', (event: string, listener: () => void) => void>
  >;
  const listener = (): void => tell('expired');
  Reflect.apply(on, cache, ['expired', listener]);
  return () => Reflect.apply(off, cache, ['expired', listener]);
}
