import { OffloopError, OffloopRangeError, showValue } from '../errors.js';
import { validateLabelName } from './metric-configuration.js';

/** Labels of an exemplar, by name. What is `undefined` is left out: a request without a trace needs no case of its own. */
export type ExemplarLabels = Readonly<Record<string, string | number | undefined>>;

/** OpenMetrics 1.0, "Exemplars": names and values together, in characters. */
const CHARACTERS_MAX = 128;

/**
 * The labels of an exemplar as pairs.
 *
 * @returns `undefined` where there are none: the exemplar from before stays.
 * @throws {RangeError} `OFFLOOP_ERR_EXEMPLAR` for more than 128 characters, with prom-client's text; {OffloopError} the same for a name
 *   or a value that no page can show.
 */
export function exemplarLabelPairs(
  labels: ExemplarLabels | null | undefined,
): readonly (readonly [string, string])[] | undefined {
  if (labels === undefined || labels === null) return undefined;
  const pairs = Object.entries(labels)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => [name, String(value).toWellFormed()] as const);
  if (pairs.length === 0) return undefined;
  let characters = 0;
  for (const [name, value] of pairs) {
    if (!validateLabelName(name)) {
      throw new OffloopError(
        'OFFLOOP_ERR_EXEMPLAR',
        `exemplarLabels: each name must match [a-zA-Z_][a-zA-Z0-9_]*, got ${showValue(name)}`,
      );
    }
    if (!isExemplarText(value)) {
      throw new OffloopError(
        'OFFLOOP_ERR_EXEMPLAR',
        `exemplarLabels.${name} must have no NUL in it, got ${showValue(value)}`,
      );
    }
    characters += name.length + charactersOf(value);
  }
  if (characters <= CHARACTERS_MAX) return pairs;
  throw new OffloopRangeError(
    'OFFLOOP_ERR_EXEMPLAR',
    'Label set size must be smaller than 128 UTF-8 chars',
  );
}

/** To Prometheus a NUL in an OpenMetrics exemplar, and only there, is the page's end: the whole scrape would be lost. */
export function isExemplarText(value: string): boolean {
  return !value.includes('\0');
}

/** Code points. A long text is not counted to its end. */
function charactersOf(text: string): number {
  if (text.length > 2 * CHARACTERS_MAX) return text.length;
  let characters = 0;
  for (const _ of text) characters++;
  return characters;
}
