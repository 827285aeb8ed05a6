import { OffloopError, showValue } from '../errors.js';
import { type CheckedRules, type OptionRule, put } from './option-rules.js';

/** Variables by name, as `process.env` holds them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Options that the environment gives. Each is checked, also where code gives the option.
 *
 * @returns A tree of those that are set. An empty variable is not: so shells and compose files spell it.
 * @throws {OffloopError} `OFFLOOP_ERR_ENVIRONMENT` with the variable's name, the rule and the text.
 */
export function readByRules({ rules, violationsOf }: CheckedRules, environment: Environment) {
  const found: Record<string, unknown> = {};
  for (const [path, rule] of Object.entries(rules)) {
    const text = rule.environment === undefined ? undefined : environment[rule.environment];
    if (text === undefined || text.trim() === '') continue;
    const value = parse(text.trim(), rule);
    const alone: Record<string, unknown> = {};
    put(alone, path.split('.'), value);
    if (violationsOf(alone).length > 0) {
      throw new OffloopError(
        'OFFLOOP_ERR_ENVIRONMENT',
        `${rule.environment} must be ${rule.rule}, got ${showValue(text)}`,
      );
    }
    put(found, path.split('.'), value);
  }
  return found;
}

/** What cannot be read comes back as it is, or as NaN, which no rule takes. */
function parse(text: string, rule: OptionRule): unknown {
  if (typeof rule.default === 'boolean') return parseFlag(text);
  if (Array.isArray(rule.default)) return text.split(',').map(parseNumber);
  return parseNumber(text);
}

function parseNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

function parseFlag(text: string): unknown {
  const lower = text.toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(lower)) return true;
  if (['false', '0', 'no', 'off'].includes(lower)) return false;
  return text;
}
