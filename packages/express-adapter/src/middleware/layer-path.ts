/** What `match` answers for a path that the layer does not accept. */
export const NO_MATCH = -1;

/** Stands in a label for the part of a path that cannot be told. */
export const UNKNOWN_PART = '/*';

/**
 * The path of one layer of a router: a mount, which accepts the beginning of a path, or a route, which accepts all of it.
 *
 * It has one or more *alternatives* (several where the user gave an array), each with a template of its own.
 */
export interface LayerPath {
  /** The template, where no request can get another; it saves matching. */
  readonly onlyTemplate: string | undefined;

  /** How much of the path the last `match` that found an alternative took. */
  readonly matchedLength: number;

  /** Index of the alternative that accepts the path, or `NO_MATCH`. Never throws. */
  match(path: string): number;

  templateAt(alternativeIndex: number): string;
}

/** Length of the part of a path that one alternative accepts, or `NO_MATCH`. */
export type LengthMatcher = (path: string) => number;

/** A path whose alternatives are known as the user typed them. */
export class DeclaredPath implements LayerPath {
  readonly onlyTemplate: string | undefined;
  matchedLength = 0;
  readonly #templates: readonly string[];
  readonly #matchers: readonly LengthMatcher[];

  /** @param matchers One for each template, in the order in which the router tries them. */
  constructor(templates: readonly string[], matchers: readonly LengthMatcher[]) {
    this.#templates = templates;
    this.#matchers = matchers;
    this.onlyTemplate = templates.length === 1 ? templates[0] : undefined;
  }

  match(path: string): number {
    for (const [index, matcher] of this.#matchers.entries()) {
      const length = matcher(path);
      if (length === NO_MATCH) continue;
      this.matchedLength = length;
      return index;
    }
    return NO_MATCH;
  }

  templateAt(alternativeIndex: number): string {
    return this.#templates[alternativeIndex] ?? UNKNOWN_PART;
  }
}

/** Matches like a RegExp, without moving the `lastIndex` of the user's own. */
export function lengthMatcherOf(regexp: RegExp): LengthMatcher {
  const own = new RegExp(regexp.source, regexp.flags.replace(/[gy]/g, ''));
  return (path) => own.exec(path)?.[0].length ?? NO_MATCH;
}
