/**
 * How names beyond the legacy characters stand on a page; a scraper says which it takes by `escaping=` in its Accept header.
 *
 * - `allow-utf-8`: as they are, in quotes.
 * - `underscores`: each other character as `_`.
 * - `dots`: `.` as `_dot_`, `_` as `__`, each other character as `__`.
 * - `values`: `U__` before the name, `_` as `__`, each other character as its code point, `_1f60a_`.
 */
export type EscapingScheme = 'allow-utf-8' | 'underscores' | 'dots' | 'values';

export const ESCAPING_SCHEMES: readonly EscapingScheme[] = [
  'allow-utf-8',
  'underscores',
  'dots',
  'values',
];

/** For scrapers that name none: every Prometheus takes what it leaves. */
export const DEFAULT_ESCAPING: EscapingScheme = 'underscores';

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
/** Whether every scraper takes a metric's name as it is. */
export function isLegacyMetricName(name: string): boolean {
  return METRIC_NAME.test(name);
}

/** The same for a label's name. */
export function isLegacyLabelName(name: string): boolean {
  return LABEL_NAME.test(name);
}

/**
 * A metric's name as a scheme writes it: `EscapeName` of Prometheus. Pages leave legacy names alone, and `dots` does not: ask
 * `isLegacyMetricName` before.
 */
export function escapeName(name: string, scheme: EscapingScheme): string {
  return escapeWith(name, { scheme, isLegacy: isLegacyMetricName });
}

/** The same for a label's name, which has no `:`. */
export function escapeLabelName(name: string, scheme: EscapingScheme): string {
  return escapeWith(name, { scheme, isLegacy: isLegacyLabelName });
}

function escapeWith(
  name: string,
  of: { readonly scheme: EscapingScheme; readonly isLegacy: (name: string) => boolean },
): string {
  const { scheme, isLegacy } = of;
  if (name === '' || scheme === 'allow-utf-8') return name;
  if (scheme !== 'dots' && isLegacy(name)) return name;
  let escaped = scheme === 'values' ? 'U__' : '';
  let isFirst = true;
  for (const character of name) {
    // A digit may not be first.
    const isLegal = isLegacy(isFirst ? character : `_${character}`);
    escaped += character === '_' || !isLegal ? escapeCharacter(character, scheme) : character;
    isFirst = false;
  }
  return escaped;
}

function escapeCharacter(
  character: string,
  scheme: Exclude<EscapingScheme, 'allow-utf-8'>,
): string {
  switch (scheme) {
    case 'underscores':
      return '_';
    case 'dots':
      return character === '.' ? '_dot_' : '__';
    case 'values':
      return character === '_' ? '__' : `_${character.codePointAt(0)?.toString(16)}_`;
  }
}
