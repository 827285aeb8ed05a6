import { type LayerPath, NO_MATCH, UNKNOWN_PART } from './layer-path.js';
import { templateOf } from './raw-path.js';

/** Answer of a layer's own matcher: the part of the path it took, and the parameters in it, decoded. */
export interface PathMatch {
  readonly path: string;
  readonly params: Readonly<Record<string, ParameterValue>>;
}

type ParameterValue = string | readonly string[];

/** A matcher of router 2, made safe: `undefined` where it does not match, throws or answers in another shape. */
export type PathMatcher = (path: string) => PathMatch | undefined;

/** An attacker's long path is not worth asking about: a shorter one will come along. */
const PROBED_LENGTH_MAX = 256;

/** Shapes kept for one layer. A path with more optional groups than this allows is shown as unknown from there on. */
const SHAPE_COUNT_MAX = 32;

/** Failed attempts to learn a shape, each of hundreds of questions, after which the layer is left unknown. */
const FAILURE_COUNT_MAX = 8;

/** Index of the alternative that stands for a path whose shape could not be proved. */
const UNKNOWN_SHAPE = 0;

/**
 * Path of a mount of router 2.0 to 2.2 (Express 5.0 to 5.2), which keep of it only a function that matches.
 *
 * Its template is learnt from the paths that come along, by asking that function about variants of them. A parameter is
 * proved by a token which, put in its place, comes back as its value; a literal by other characters, which must not be
 * accepted in its place. Nothing unproved becomes part of a template. What differs from the path as typed: the letters are
 * those of the first request, an optional group is shown only where the request has it, and a RegExp that takes more than
 * one text is shown as unknown.
 */
export class ProbedPath implements LayerPath {
  readonly onlyTemplate = undefined;
  matchedLength = 0;
  readonly #matchers: readonly PathMatcher[];
  readonly #shapes: Shape[] = [];
  #failureCount = 0;

  constructor(matchers: readonly PathMatcher[]) {
    this.#matchers = matchers;
  }

  match(path: string): number {
    for (const matcher of this.#matchers) {
      const found = matcher(path);
      if (found === undefined) continue;
      this.matchedLength = found.path.length;
      return this.#shapeIndexOf(matcher, found);
    }
    return NO_MATCH;
  }

  templateAt(alternativeIndex: number): string {
    return this.#shapes[alternativeIndex - 1]?.template ?? UNKNOWN_PART;
  }

  #shapeIndexOf(matcher: PathMatcher, found: PathMatch): number {
    const index = this.#shapes.findIndex((shape) => shape.fits(matcher, found));
    if (index !== -1) return index + 1;
    if (this.#shapes.length >= SHAPE_COUNT_MAX || this.#failureCount >= FAILURE_COUNT_MAX) {
      return UNKNOWN_SHAPE;
    }
    if (found.path.length > PROBED_LENGTH_MAX) return UNKNOWN_SHAPE;
    const learnt = Shape.learn(matcher, found);
    if (learnt !== undefined) return this.#shapes.push(learnt);
    this.#failureCount += 1;
    return UNKNOWN_SHAPE;
  }
}

/** One way in which a layer's path is written out: its literals, and which parameters stand between them. */
class Shape {
  readonly template: string;
  readonly #matcher: PathMatcher;
  readonly #pattern: RegExp;
  readonly #names: readonly string[];

  private constructor(matcher: PathMatcher, pieces: readonly Piece[]) {
    this.#matcher = matcher;
    this.#names = pieces.flatMap((piece) => (piece.name === undefined ? [] : [piece.name]));
    this.template = templateOf(pieces.map(writtenOut).join(''));
    // The case of letters is ignored, as routers do by default; one that does not has literals of one case only.
    this.#pattern = new RegExp(`^${pieces.map(patternOfPiece).join('')}/?$`, 'i');
  }

  static learn(matcher: PathMatcher, found: PathMatch): Shape | undefined {
    // A mount on the root takes the slash of a path that is nothing else.
    if (found.path === '/' && Object.keys(found.params).length === 0) return new Shape(matcher, []);
    const bare = withoutTrailingSlash(matcher, found);
    const pieces = piecesOf(matcher, bare);
    if (pieces === undefined || !areLiteralsRigid(matcher, bare, pieces)) return undefined;
    return new Shape(matcher, pieces);
  }

  fits(matcher: PathMatcher, { path, params }: PathMatch): boolean {
    if (matcher !== this.#matcher || Object.keys(params).length !== this.#names.length) {
      return false;
    }
    const values = this.#pattern.exec(path);
    if (values === null) return false;
    return this.#names.every((name, index) => isWritten(values[index + 1], params[name]));
  }
}

/** A stretch of a concrete path: a literal, or the value of the parameter called `name`. */
interface Piece {
  readonly start: number;
  readonly text: string;
  readonly name: string | undefined;
  readonly isWildcard: boolean;
}

function writtenOut({ text, name, isWildcard }: Piece): string {
  if (name === undefined) return text;
  return `${isWildcard ? '*' : ':'}${name}`;
}

function patternOfPiece({ text, name, isWildcard }: Piece): string {
  if (name !== undefined) return isWildcard ? '(.+?)' : '([^/]+?)';
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** At the very end of a path a mount takes a slash that is no part of its own path. */
function withoutTrailingSlash(matcher: PathMatcher, found: PathMatch): PathMatch {
  if (!found.path.endsWith('/')) return found;
  const bare = matcher(found.path.slice(0, -1));
  if (bare === undefined || bare.path.length !== found.path.length - 1) return found;
  return haveSameValues(bare.params, found.params) ? bare : found;
}

function piecesOf(matcher: PathMatcher, found: PathMatch): Piece[] | undefined {
  const pieces: Piece[] = [];
  let cursor = 0;
  for (const [name, value] of Object.entries(found.params)) {
    const place = placeOf(matcher, found, { name, value, from: cursor });
    if (place === undefined) return undefined;
    pieces.push(literal(found.path, cursor, place.start), place);
    cursor = place.start + place.text.length;
  }
  pieces.push(literal(found.path, cursor, found.path.length));
  return pieces;
}

function literal(path: string, start: number, end: number): Piece {
  return { start, text: path.slice(start, end), name: undefined, isWildcard: false };
}

/** A word and a number, as some expressions accept only one of them. */
const TOKENS = ['offloop', '70433'];

function placeOf(
  matcher: PathMatcher,
  { path, params }: PathMatch,
  { name, value, from }: { name: string; value: ParameterValue; from: number },
): Piece | undefined {
  const isWildcard = typeof value !== 'string';
  for (let start = from; start < path.length; start += 1) {
    for (let end = start + 1; end <= path.length; end += 1) {
      const text = path.slice(start, end);
      if (!isWritten(text, value)) continue;
      const isProved = TOKENS.some((token) => {
        const found = matcher(path.slice(0, start) + token + path.slice(end));
        if (found?.path.length !== path.length - text.length + token.length) return false;
        const expected = { ...params, [name]: isWildcard ? [token] : token };
        return haveSameValues(found.params, expected);
      });
      if (isProved) return { start, text, name, isWildcard };
    }
  }
  return undefined;
}

/** Letters, a digit and a mark: what takes more than one text takes one of these in a place, or one character many times. */
const SUBSTITUTES = ['q', 'b', '7', '_'];
/** More than optional groups that follow each other would take. */
const REPEAT_COUNT = 7;

function areLiteralsRigid(
  matcher: PathMatcher,
  { path, params }: PathMatch,
  pieces: readonly Piece[],
): boolean {
  for (const { start, text, name } of pieces) {
    if (name !== undefined) continue;
    for (let index = start; index < start + text.length; index += 1) {
      const character = path[index] ?? '';
      const others = SUBSTITUTES.filter((other) => other !== character.toLowerCase());
      for (const other of [...others, character.repeat(REPEAT_COUNT)]) {
        const changed = path.slice(0, index) + other + path.slice(index + 1);
        const found = matcher(changed);
        if (found?.path === changed && haveSameValues(found.params, params)) return false;
      }
    }
  }
  return true;
}

/** Whether this stretch of a path is that value, percent-encoded or not. */
function isWritten(text: string | undefined, value: ParameterValue | undefined): boolean {
  if (text === undefined || value === undefined) return false;
  const wanted = typeof value === 'string' ? value : value.join('/');
  if (text === wanted) return true;
  if (!text.includes('%')) return false;
  try {
    return decodeURIComponent(text) === wanted;
  } catch {
    return false;
  }
}

function haveSameValues(left: PathMatch['params'], right: PathMatch['params']): boolean {
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) => String(left[name]) === String(right[name]));
}
