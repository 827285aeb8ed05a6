import { OffloopError, showValue } from '../errors.js';

/** What one option must be, as schema/options.schema.json says it. */
export interface OptionRule {
  /** Value where neither code nor environment gives one. */
  readonly default: unknown;
  /** The rule in words, as error messages quote it: "must be …". */
  readonly rule: string;
  /** Environment variable that gives the option where code does not. */
  readonly environment?: string;
  /** What the option is baked into; it can change at any time where this is not given. */
  readonly fixedBy?: 'memory' | 'engine' | 'metrics';
  /** Whether no message shows it. */
  readonly isSecret?: boolean;
  /** Whether its keys are the user's own. */
  readonly isMap?: boolean;
}

/** Rules by the option's full path, `ring.capacityRecords`. */
export type OptionRules = Readonly<Record<string, OptionRule>>;

/** What a compiled schema finds wrong: where, and by which keyword. */
export interface SchemaViolation {
  /** JSON pointer, `/ring/capacityRecords`. */
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: {
    readonly additionalProperty?: string;
    /** Of the keyword `type`. */
    readonly type?: string | readonly string[];
    /** Of the keyword `const`. */
    readonly allowedValue?: unknown;
  };
}

/** Rules, and the compiled schema that checks values against them. */
export interface CheckedRules {
  readonly rules: OptionRules;
  /** Checking ends at the first option that is wrong. Of one that may be one of several things, there is what it breaks of each. */
  readonly violationsOf: (options: unknown) => readonly SchemaViolation[];
}

type Tree = { readonly [name: string]: unknown };

/**
 * Checks options, all of them before anything comes of one.
 *
 * @returns A copy, apart from what was given: a getter may answer otherwise the next time.
 * @throws {OffloopError} `OFFLOOP_ERR_OPTION_UNKNOWN`, `OFFLOOP_ERR_OPTION_TYPE`, `OFFLOOP_ERR_OPTION_RANGE`, each with the option's path,
 *   the rule and the value.
 */
export function checkByRules({ rules, violationsOf }: CheckedRules, options: unknown): Tree {
  const copy = copyOf(options ?? {}, [], rules);
  const [first, ...others] = violationsOf(copy);
  if (first !== undefined) throw refusal([first, ...others], copy, rules);
  return copy as Tree;
}

/**
 * Fills in defaults.
 *
 * @param given Checked options; the first that has one gives it.
 * @returns A frozen tree with every option of the rules.
 */
export function fillByRules(rules: OptionRules, ...given: readonly object[]): object {
  const filled: Record<string, unknown> = {};
  for (const [path, rule] of Object.entries(rules)) {
    const keys = path.split('.');
    const values = given.map((tree) => valueAt(tree, keys));
    const value = values.find((each) => each !== undefined) ?? rule.default;
    put(filled, keys, isCopied(rule) ? copyOfLeaf(value) : value);
  }
  return frozen(filled, rules);
}

/** What is the user's own stays as it was. */
function copyOfLeaf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice();
  return typeof value === 'object' && value !== null ? { ...value } : value;
}

/** Value at the path; undefined where a branch of it is not there. */
export function valueAt(tree: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((inner, key) => (inner as Tree | undefined)?.[key], tree);
}

/** Puts a value in its place, and makes the branches on the way. */
export function put(
  tree: Record<string, unknown>,
  [head, ...rest]: readonly string[],
  value: unknown,
): void {
  if (head === undefined) return;
  if (rest.length === 0) {
    tree[head] = value;
    return;
  }
  tree[head] ??= {};
  put(tree[head] as Record<string, unknown>, rest, value);
}

/** Branches are copied, leaves kept. Without a prototype, as a key `__proto__` would be lost in an ordinary object. */
function copyOf(value: unknown, keys: readonly string[], rules: OptionRules): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (rules[keys.join('.')]?.isMap === true) return isPlain(value) ? { ...value } : value;
  if (!isBranch(keys, rules)) return value;
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [key, inner] of Object.entries(value)) {
    copy[key] = copyOf(inner, [...keys, key], rules);
  }
  return copy;
}

/** Of what an array holds: a member that is undefined counts as not given there, too, and a rule of nothing else must not hold of everything. */
function withoutUndefined(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  const entries = Object.entries(value);
  const given = entries.filter(([, inner]) => inner !== undefined);
  return given.length === entries.length ? value : Object.fromEntries(given);
}

/** What a literal makes. Others keep what they are, for the message that refuses them. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function refusal(
  violations: readonly [SchemaViolation, ...SchemaViolation[]],
  options: unknown,
  rules: OptionRules,
): OffloopError {
  const [{ instancePath, keyword, params }] = violations;
  const keys = instancePath.split('/').slice(1);
  // What is wrong inside an array is said of the option, of which the rule speaks.
  const path = optionAt(keys, rules);
  if (keyword === 'additionalProperties' && rules[path] === undefined) {
    const name = join(path, params.additionalProperty ?? '');
    const value = valueAt(options, [...keysOf(path), params.additionalProperty ?? '']);
    return new OffloopError(
      'OFFLOOP_ERR_OPTION_UNKNOWN',
      `${name} must be one of the options ${siblings(path, rules)}, got ${shown(path, value, rules)}`,
    );
  }
  const value = valueAt(options, keysOf(path));
  const rule = rules[path];
  const isOfWhole = keys.length === keysOf(path).length;
  const areOfType = violations.every((violation) => isWrongType(violation, value));
  return new OffloopError(
    isOfWhole && areOfType ? 'OFFLOOP_ERR_OPTION_TYPE' : 'OFFLOOP_ERR_OPTION_RANGE',
    `${path || 'options'} must be ${rule?.rule ?? 'an object'}, got ${shown(path, value, rules)}`,
  );
}

/** A secret, or what was meant for one in the same branch, is not for messages, which end up in logs. */
function shown(path: string, value: unknown, rules: OptionRules): string {
  const isForSecrets = Object.entries(rules).some(
    ([known, { isSecret }]) =>
      isSecret && (known === path || (path !== '' && known.startsWith(`${path}.`))),
  );
  return isForSecrets ? 'a value that is not shown' : showValue(value);
}

/** Whether a value is refused for its type. One that may be one of several things is, where each of them refuses it for that. */
function isWrongType({ keyword, params }: SchemaViolation, value: unknown): boolean {
  switch (keyword) {
    case 'type':
      // A schema takes whole numbers for a type. To JavaScript 0.5 and NaN are numbers as well.
      return !(params.type === 'integer' && typeof value === 'number');
    case 'const':
      return typeof value !== typeof params.allowedValue;
    case 'x-function':
    case 'x-logger':
      return true;
    default:
      // Says of the several things only that it is none of them.
      return keyword === 'anyOf';
  }
}

function optionAt(keys: readonly string[], rules: OptionRules): string {
  let path = '';
  for (const key of keys) {
    if (rules[path] !== undefined) break;
    path = join(path, key);
  }
  return path;
}

function siblings(path: string, rules: OptionRules): string {
  const prefix = path === '' ? '' : `${path}.`;
  const names = Object.keys(rules)
    .filter((known) => known.startsWith(prefix))
    .map((known) => prefix + known.slice(prefix.length).split('.')[0]);
  return [...new Set(names)].join(', ');
}

function isBranch(keys: readonly string[], rules: OptionRules): boolean {
  const prefix = `${keys.join('.')}.`;
  return keys.length === 0 || Object.keys(rules).some((known) => known.startsWith(prefix));
}

/** Branches are frozen, and copies of what options hold; a logger is not ours. */
function frozen(tree: object, rules: OptionRules, prefix = ''): object {
  for (const [key, value] of Object.entries(tree)) {
    const rule = rules[prefix + key];
    if (rule === undefined) frozen(value as object, rules, `${prefix}${key}.`);
    else if (isCopied(rule)) frozenWhole(value);
  }
  return Object.freeze(tree);
}

function frozenWhole(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const inner of Object.values(value)) frozenWhole(inner);
  Object.freeze(value);
}

/** Whether it holds data: what is an object of the application's has no default. */
function isCopied(rule: OptionRule): boolean {
  return typeof rule.default === 'object';
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function keysOf(path: string): string[] {
  return path === '' ? [] : path.split('.');
}
