import { types } from 'node:util';

/** A path as the user typed it for a mount or a route. */
export type RawPath = string | RegExp | readonly RawPath[];

export function isRawPath(value: unknown): value is RawPath {
  if (typeof value === 'string' || types.isRegExp(value)) return true;
  return Array.isArray(value) && value.every(isRawPath);
}

/**
 * The path as a part of a label: begins with a slash, ends with none, and is empty where it adds nothing.
 *
 * A RegExp is its literal (`/^\/v\d+/`), slashes and flags included. An array inside an array, which only a whole can
 * match, is its parts with `|` between them.
 */
export function templateOf(path: RawPath): string {
  if (types.isRegExp(path)) return String(path);
  if (typeof path !== 'string') return path.map(templateOf).join('|');
  const end = endWithoutSlashes(path);
  if (end === 0) return '';
  // `{/:lang}` and `(/:lang)?` bring their own slash; `*`, which Express 4 takes bare, does not.
  const hasOwnSlash = path[0] === '/' || path[0] === '{' || path[0] === '(';
  return (hasOwnSlash ? '' : '/') + path.slice(0, end);
}

/** The label of a route: the templates of its mounts and its own, outermost first. */
export function joinTemplates(templates: readonly string[]): string {
  return templates.join('') || '/';
}

function endWithoutSlashes(path: string): number {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end -= 1;
  return end;
}
