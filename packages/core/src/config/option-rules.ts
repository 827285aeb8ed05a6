import { OffloopError, showValue } from '../errors.js';

/** What one option must be. */
export interface OptionRule {
  /** Value where neither code nor environment gives one. */
  readonly default: unknown;
  /** The rule in words, as error messages quote it: "must be …". */
  readonly rule: string;
  /** Whether `value`, of whatever type, fits. */
  readonly fits: (value: unknown) => boolean;
  /** Environment variable that gives the option where code does not. */
  readonly environment?: { readonly name: string; readonly parse: (text: string) => unknown };
}

/** Rules by the option's full path, `ring.capacityRecords`. */
export type OptionRules = Readonly<Record<string, OptionRule>>;

/**
 * Checks options and environment against rules, before anything is built, and fills in defaults. Options given in code win over
 * the environment, which is checked all the same.
 *
 * @returns A frozen tree with every option of the rules.
 * @throws {OffloopError} `OFFLOOP_ERR_OPTION_UNKNOWN`, `OFFLOOP_ERR_OPTION_TYPE`, `OFFLOOP_ERR_OPTION_RANGE`, `OFFLOOP_ERR_ENVIRONMENT`,
 *   each with the option's path or the variable's name, the rule and the value.
 */
export function resolveByRules(
  rules: OptionRules,
  options: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): object {
  const given = new Map<string, unknown>();
  collect({ rules, options: options ?? {}, path: '' }, given);
  const resolved: Record<string, unknown> = {};
  for (const [path, rule] of Object.entries(rules)) {
    const fromEnvironment = readEnvironment(rule, environment);
    const value = given.get(path) ?? fromEnvironment ?? rule.default;
    put(resolved, path, Array.isArray(value) ? Object.freeze([...value]) : value);
  }
  return deepFreeze(resolved);
}

function collect(
  level: { readonly rules: OptionRules; readonly options: unknown; readonly path: string },
  given: Map<string, unknown>,
): void {
  const { rules, options, path } = level;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new OffloopError(
      'OFFLOOP_ERR_OPTION_TYPE',
      `${path || 'options'} must be an object, got ${showValue(options)}`,
    );
  }
  for (const [key, value] of Object.entries(options)) {
    const full = path === '' ? key : `${path}.${key}`;
    const rule = Object.hasOwn(rules, full) ? rules[full] : undefined;
    if (rule !== undefined) {
      if (value === undefined) continue;
      if (!rule.fits(value)) {
        throw new OffloopError(
          codeOf(rule, value),
          `${full} must be ${rule.rule}, got ${showValue(value)}`,
        );
      }
      given.set(full, value);
    } else if (Object.keys(rules).some((known) => known.startsWith(`${full}.`))) {
      if (value !== undefined) collect({ rules, options: value, path: full }, given);
    } else {
      throw new OffloopError(
        'OFFLOOP_ERR_OPTION_UNKNOWN',
        `${full} must be one of the options ${siblings(rules, path)}, got ${showValue(value)}`,
      );
    }
  }
}

function readEnvironment(
  rule: OptionRule,
  environment: Readonly<Record<string, string | undefined>>,
): unknown {
  if (rule.environment === undefined) return undefined;
  const { name, parse } = rule.environment;
  const text = environment[name];
  // An empty variable is how shells and compose files spell "not set".
  if (text === undefined || text.trim() === '') return undefined;
  const value = parse(text.trim());
  if (!rule.fits(value)) {
    throw new OffloopError(
      'OFFLOOP_ERR_ENVIRONMENT',
      `${name} must be ${rule.rule}, got ${showValue(text)}`,
    );
  }
  return value;
}

/** Of the right type and outside the range, or of another type altogether. */
function codeOf(
  rule: OptionRule,
  value: unknown,
): 'OFFLOOP_ERR_OPTION_RANGE' | 'OFFLOOP_ERR_OPTION_TYPE' {
  const sample = rule.default;
  const isAlike = typeof value === typeof sample && Array.isArray(value) === Array.isArray(sample);
  return isAlike ? 'OFFLOOP_ERR_OPTION_RANGE' : 'OFFLOOP_ERR_OPTION_TYPE';
}

function siblings(rules: OptionRules, path: string): string {
  const prefix = path === '' ? '' : `${path}.`;
  const names = Object.keys(rules)
    .filter((known) => known.startsWith(prefix))
    .map((known) => prefix + known.slice(prefix.length).split('.')[0]);
  return [...new Set(names)].join(', ');
}

function put(tree: Record<string, unknown>, path: string, value: unknown): void {
  const [head, ...rest] = path.split('.') as [string, ...string[]];
  if (rest.length === 0) {
    tree[head] = value;
    return;
  }
  tree[head] ??= {};
  put(tree[head] as Record<string, unknown>, rest.join('.'), value);
}

function deepFreeze(tree: object): object {
  for (const value of Object.values(tree)) {
    if (
      typeof value === 'object' &&
      value !== null &&
      Object.getPrototypeOf(value) === Object.prototype
    )
      deepFreeze(value);
  }
  return Object.freeze(tree);
}

/** A whole number in [minimum, maximum]. */
export function wholeNumber(minimum: number, maximum: number, fallback: number): OptionRule {
  return {
    default: fallback,
    rule: `a whole number in [${minimum}, ${maximum}]`,
    fits: (value) =>
      Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum,
  };
}

/** A power of two in [minimum, maximum]. */
export function powerOfTwo(minimum: number, maximum: number, fallback: number): OptionRule {
  return {
    default: fallback,
    rule: `a power of two in [${minimum}, ${maximum}]`,
    fits: (value) =>
      Number.isInteger(value) &&
      (value as number) >= minimum &&
      (value as number) <= maximum &&
      Number.isInteger(Math.log2(value as number)),
  };
}

/** true or false. */
export function flag(fallback: boolean): OptionRule {
  return { default: fallback, rule: 'true or false', fits: (value) => typeof value === 'boolean' };
}

/** One of the given texts. */
export function choice(values: readonly string[], fallback: string): OptionRule {
  return {
    default: fallback,
    rule: `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`,
    fits: (value) => typeof value === 'string' && values.includes(value),
  };
}

/** The same rule, which an environment variable may give as well. */
export function orEnvironment(
  rule: OptionRule,
  name: string,
  parse: (text: string) => unknown,
): OptionRule {
  return { ...rule, environment: { name, parse } };
}

/** How a variable says true or false. */
export function parseFlag(text: string): unknown {
  const lower = text.toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(lower)) return true;
  if (['false', '0', 'no', 'off'].includes(lower)) return false;
  return text;
}

/** How a variable says a number. */
export function parseNumber(text: string): unknown {
  return Number(text);
}

/** How a variable says several numbers: separated by commas. */
export function parseNumbers(text: string): unknown {
  return text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
}
